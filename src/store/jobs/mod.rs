//! Jobs and their queue (D5, decision 3). Enqueueing joins the caller's transaction; a claim is a lease with a fencing
//! token, and every commit of a running Job checks it with [`guard`].

mod queue;
pub mod schedules;

pub use queue::{
    Ending, cancel, cancel_requested, claim, end, guard, once_more, progress, reclaim_all, renew,
};

use sea_orm::sea_query::{Cond, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::entities::job;
use super::error::StoreError;
use super::{Signal, WriteTx};
use crate::domain::caller::{ActorKind, Caller};
use crate::domain::context::Context;
use crate::domain::ids::{JobId, ScheduleId};
use crate::domain::job::{Job, JobState, JobWork};

/// An unfinished Job that ends just when it is found makes room for a new one, so many times.
const TRIES: usize = 5;

/// What enqueueing gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enqueued {
    /// A new Job.
    New(JobId),
    /// One with the same concurrency key is unfinished already (decision 10).
    AlreadyThere(JobId),
}

impl Enqueued {
    /// The Job, new or not.
    #[must_use]
    pub const fn job_id(self) -> JobId {
        match self {
            Self::New(id) | Self::AlreadyThere(id) => id,
        }
    }
}

pub(super) fn to_domain(row: job::Model) -> Result<Job, StoreError> {
    let work = serde_json::json!({ "kind": row.kind, "input": row.input });
    Ok(Job {
        id: JobId::new(row.id),
        work: work_from(&work, &row)?,
        state: JobState::from_name(&row.state)
            .ok_or_else(|| StoreError::impossible("job", "state", row.id, &row.state))?,
        attempts: row.attempts,
        progress_done: row.progress_done,
        progress_total: row.progress_total,
        result: row.result,
        error: row.error,
        requested_by: row.requested_by,
        created_at: row.created_at,
        started_at: row.started_at,
        finished_at: row.finished_at,
        run_at: row.run_at,
        parent_id: row.parent_id.map(JobId::new),
        correlation_id: row.correlation_id,
    })
}

fn work_from(work: &serde_json::Value, row: &job::Model) -> Result<JobWork, StoreError> {
    parse_work(&row.kind, &row.input)
        .ok_or_else(|| StoreError::impossible("job", "input", row.id, work))
}

/// Reads back the two columns that [`JobWork`] is kept in.
fn parse_work(kind: &str, input: &serde_json::Value) -> Option<JobWork> {
    let whole = if input.is_null() {
        serde_json::json!({ "kind": kind })
    } else {
        serde_json::json!({ "kind": kind, "input": input })
    };
    serde_json::from_value(whole).ok()
}

/// The `input` column of a piece of work.
fn input_of(work: &JobWork) -> serde_json::Value {
    serde_json::json!(work)
        .get("input")
        .cloned()
        .unwrap_or_default()
}

/// Queues work, unless the same is unfinished already.
///
/// # Errors
/// When the database refuses.
pub async fn enqueue(
    tx: &WriteTx,
    context: &Context,
    caller: &Caller,
    work: &JobWork,
    schedule: Option<ScheduleId>,
) -> Result<Enqueued, StoreError> {
    let now = context.now();
    let id = context.new_uuid();
    let parent = match schedule {
        None => parent_of(tx, caller).await?,
        Some(_) => None,
    };
    let inherited = parent
        .as_ref()
        .map(|parent| parent.correlation().to_string());
    let row = job::ActiveModel {
        id: Set(id),
        kind: Set(work.kind().to_owned()),
        input: Set(input_of(work)),
        concurrency_key: Set(work.concurrency_key()),
        state: Set(JobState::Waiting.name().to_owned()),
        attempts: Set(0),
        fence: Set(0),
        lease_until: Set(None),
        run_at: Set(now),
        progress_done: Set(0),
        progress_total: Set(None),
        cancel_requested: Set(false),
        again: Set(false),
        result: Set(None),
        error: Set(None),
        requested_by: Set(caller.actor.name.clone()),
        correlation_id: Set(caller.correlation_id.clone().or(inherited)),
        schedule_id: Set(schedule.map(ScheduleId::as_uuid)),
        parent_id: Set(parent.map(|parent| parent.id.as_uuid())),
        created_at: Set(now),
        started_at: Set(None),
        finished_at: Set(None),
    };
    // Two callers at once: the partial unique index lets one in, the other finds it. It may end before it is marked to
    // follow itself; then there is room for a new one.
    for _ in 0..TRIES {
        let inserted = job::Entity::insert(row.clone())
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(&**tx)
            .await?;
        if inserted == 1 {
            tx.signal(Signal::Jobs);
            return Ok(Enqueued::New(JobId::new(id)));
        }
        if let Some(job) = unfinished(&**tx, work).await?
            && (!work.follows_itself() || once_more(tx, work).await?)
        {
            return Ok(Enqueued::AlreadyThere(job.id));
        }
    }
    Err(StoreError::impossible(
        "job",
        "concurrency_key",
        id,
        work.concurrency_key(),
    ))
}

/// The Job in whose name the caller acts.
async fn parent_of(tx: &WriteTx, caller: &Caller) -> Result<Option<Job>, StoreError> {
    let id = match caller.actor.kind {
        ActorKind::Service => caller.actor.id.parse().ok(),
        _ => None,
    };
    match id {
        Some(id) => find(&**tx, id).await,
        None => Ok(None),
    }
}

/// The unfinished Job of the same concurrency key.
///
/// # Errors
/// When the database refuses.
pub async fn unfinished(
    connection: &impl ConnectionTrait,
    work: &JobWork,
) -> Result<Option<Job>, StoreError> {
    job::Entity::find()
        .filter(job::Column::ConcurrencyKey.eq(work.concurrency_key()))
        .filter(job::Column::FinishedAt.is_null())
        .one(connection)
        .await?
        .map(to_domain)
        .transpose()
}

/// One Job.
///
/// # Errors
/// When the database refuses.
pub async fn find(connection: &impl ConnectionTrait, id: JobId) -> Result<Option<Job>, StoreError> {
    job::Entity::find_by_id(id.as_uuid())
        .one(connection)
        .await?
        .map(to_domain)
        .transpose()
}

/// Which Jobs to list. All conditions hold together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only in this state.
    pub state: Option<JobState>,
    /// Only of this kind.
    pub kind: Option<String>,
    /// Only those a schedule asked for.
    pub schedule: Option<ScheduleId>,
    /// Only those that this Job asked for.
    pub parent: Option<JobId>,
}

/// Jobs, newest first, before the given one.
///
/// # Errors
/// When the database refuses.
pub async fn list(
    connection: &impl ConnectionTrait,
    filter: &Filter,
    before: Option<(chrono::DateTime<chrono::Utc>, uuid::Uuid)>,
    most: u64,
) -> Result<Vec<Job>, StoreError> {
    use job::Column;
    let mut condition = Cond::all();
    if let Some(state) = filter.state {
        condition = condition.add(Column::State.eq(state.name()));
    }
    if let Some(kind) = &filter.kind {
        condition = condition.add(Column::Kind.eq(kind.as_str()));
    }
    if let Some(schedule) = filter.schedule {
        condition = condition.add(Column::ScheduleId.eq(schedule.as_uuid()));
    }
    if let Some(parent) = filter.parent {
        condition = condition.add(Column::ParentId.eq(parent.as_uuid()));
    }
    if let Some((at, id)) = before {
        let earlier = Cond::any().add(Column::CreatedAt.lt(at)).add(
            Cond::all()
                .add(Column::CreatedAt.eq(at))
                .add(Column::Id.lt(id)),
        );
        condition = condition.add(earlier);
    }
    let rows = job::Entity::find()
        .filter(condition)
        .order_by_desc(Column::CreatedAt)
        .order_by_desc(Column::Id)
        .limit(most)
        .all(connection)
        .await?;
    rows.into_iter().map(to_domain).collect()
}

/// The latest Jobs, newest first.
///
/// # Errors
/// When the database refuses.
pub async fn latest(connection: &impl ConnectionTrait, most: u64) -> Result<Vec<Job>, StoreError> {
    let rows = job::Entity::find()
        .order_by_desc(job::Column::CreatedAt)
        .order_by_desc(job::Column::Id)
        .limit(most)
        .all(connection)
        .await?;
    rows.into_iter().map(to_domain).collect()
}
