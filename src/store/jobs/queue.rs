//! Claiming, keeping and ending Jobs.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::sea_query::{Cond, Expr, ExprTrait, LockBehavior, LockType};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::to_domain;
use crate::domain::context::Context;
use crate::domain::ids::JobId;
use crate::domain::job::{Job, JobLease, JobState, JobWork, MAX_ATTEMPTS};
use crate::store::entities::job;
use crate::store::{Signal, Store, StoreError, WriteTx, subscription_runs, sync_runs};

/// How a try of a Job ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// Done, with its result.
    Succeeded(serde_json::Value),
    /// Nothing to do any more.
    NotApplicable(String),
    /// Failed; try again at this instant, or give up when the tries are used up.
    Retry {
        /// Why, for people.
        error: String,
        /// Not before.
        at: DateTime<Utc>,
    },
    /// Failed for good.
    Failed(String),
    /// A person stopped it.
    Cancelled,
    /// The process is stopping: back into the queue, and the try does not count.
    Released,
}

/// Claims the next due Job: one that waits, one to be tried again, or one whose holder let its lease lapse.
///
/// # Errors
/// When the database refuses.
pub async fn claim(
    store: &Store,
    context: &Context,
    lease: Duration,
) -> Result<Option<(Job, JobLease)>, StoreError> {
    let now = context.now();
    let due = Cond::any()
        .add(
            job::Column::State
                .is_in([JobState::Waiting.name(), JobState::Retry.name()])
                .and(job::Column::RunAt.lte(now)),
        )
        .add(
            job::Column::State
                .eq(JobState::InProgress.name())
                .and(job::Column::LeaseUntil.lt(now)),
        );
    let next = || {
        job::Entity::find()
            .filter(due.clone())
            .order_by_asc(job::Column::RunAt)
            .order_by_asc(job::Column::CreatedAt)
    };
    // Most looks find nothing: look without taking the writer.
    if next().one(store.reader()).await?.is_none() {
        return Ok(None);
    }
    let tx = store.begin().await?;
    let found = next()
        .limit(1)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .one(&*tx);
    let Some(row) = found.await? else {
        return Ok(None);
    };
    if row.attempts >= MAX_ATTEMPTS && row.state == JobState::InProgress.name() {
        let text = "the program stopped in the middle of the last try".to_owned();
        finish(&tx, context, row, JobState::Failed, None, Some(text)).await?;
        tx.commit().await?;
        return Ok(None);
    }
    let fence = row.fence + 1;
    let attempts = row.attempts + 1;
    let mut claimed = row.into_active_model();
    claimed.state = Set(JobState::InProgress.name().to_owned());
    claimed.attempts = Set(attempts);
    claimed.fence = Set(fence);
    claimed.lease_until = Set(Some(now + delta(lease)));
    claimed.started_at = Set(Some(now));
    claimed.progress_done = Set(0);
    claimed.progress_total = Set(None);
    // It starts over, and sees whatever it was asked for.
    claimed.again = Set(false);
    let row = job::Entity::update(claimed).exec(&*tx).await?;
    tx.commit().await?;
    let job = to_domain(row)?;
    let lease = JobLease {
        job_id: job.id,
        fence,
    };
    Ok(Some((job, lease)))
}

/// Makes sure, inside the transaction of a running Job, that it still holds its lease and was not cancelled.
///
/// # Errors
/// [`StoreError::LeaseLost`] when another instance took over or a person cancelled it.
pub async fn guard(tx: &WriteTx, lease: JobLease) -> Result<(), StoreError> {
    let kept = job::Entity::find_by_id(lease.job_id.as_uuid())
        .filter(held(lease))
        .filter(job::Column::CancelRequested.eq(false))
        .lock(LockType::Share)
        .one(&**tx)
        .await?;
    kept.map(|_| ()).ok_or(StoreError::LeaseLost(lease.job_id))
}

fn held(lease: JobLease) -> Cond {
    Cond::all()
        .add(job::Column::Id.eq(lease.job_id.as_uuid()))
        .add(job::Column::Fence.eq(lease.fence))
        .add(job::Column::State.eq(JobState::InProgress.name()))
}

/// Prolongs the lease. Says whether the Job should go on: false when the lease was lost or a person cancelled it.
///
/// # Errors
/// When the database refuses.
pub async fn renew(
    store: &Store,
    context: &Context,
    lease: JobLease,
    prolong: Duration,
) -> Result<bool, StoreError> {
    let tx = store.begin().await?;
    let renewed = job::Entity::update_many()
        .col_expr(
            job::Column::LeaseUntil,
            Expr::value(context.now() + delta(prolong)),
        )
        .filter(held(lease))
        .filter(job::Column::CancelRequested.eq(false))
        .exec(&*tx)
        .await?;
    tx.commit().await?;
    Ok(renewed.rows_affected == 1)
}

/// Records how far a running Job has come, in the transaction of its work.
///
/// # Errors
/// When the database refuses.
pub async fn progress(
    tx: &WriteTx,
    lease: JobLease,
    done: i64,
    total: Option<i64>,
) -> Result<(), StoreError> {
    job::Entity::update_many()
        .col_expr(job::Column::ProgressDone, Expr::value(done))
        .col_expr(job::Column::ProgressTotal, Expr::value(total))
        .filter(held(lease))
        .exec(&**tx)
        .await?;
    Ok(())
}

/// Has the unfinished Job of the same concurrency key run once more when it is done. Says whether there is one.
///
/// # Errors
/// When the database refuses.
pub async fn once_more(tx: &WriteTx, work: &JobWork) -> Result<bool, StoreError> {
    let marked = job::Entity::update_many()
        .col_expr(job::Column::Again, Expr::value(true))
        .filter(job::Column::ConcurrencyKey.eq(work.concurrency_key()))
        .filter(job::Column::FinishedAt.is_null())
        .exec(&**tx)
        .await?;
    Ok(marked.rows_affected == 1)
}

/// Ends a try. A retry beyond the last try becomes a failure.
///
/// # Errors
/// [`StoreError::LeaseLost`] when the Job is no longer ours; then nothing is changed.
pub async fn end(
    tx: &WriteTx,
    context: &Context,
    lease: JobLease,
    ending: Ending,
) -> Result<JobState, StoreError> {
    let row = job::Entity::find_by_id(lease.job_id.as_uuid())
        .filter(held(lease))
        .lock(LockType::Update)
        .one(&**tx);
    let Some(row) = row.await? else {
        return Err(StoreError::LeaseLost(lease.job_id));
    };
    tx.signal(Signal::Jobs);
    match ending {
        Ending::Succeeded(result) => {
            finish(tx, context, row, JobState::Succeeded, Some(result), None).await
        }
        Ending::NotApplicable(why) => {
            finish(tx, context, row, JobState::NotApplicable, None, Some(why)).await
        }
        Ending::Failed(error) => {
            finish(tx, context, row, JobState::Failed, None, Some(error)).await
        }
        Ending::Cancelled => finish(tx, context, row, JobState::Cancelled, None, None).await,
        Ending::Retry { error, .. } if row.attempts >= MAX_ATTEMPTS => {
            finish(tx, context, row, JobState::Failed, None, Some(error)).await
        }
        Ending::Retry { error, at } => {
            let mut row = row.into_active_model();
            row.state = Set(JobState::Retry.name().to_owned());
            row.run_at = Set(at);
            row.lease_until = Set(None);
            row.error = Set(Some(error));
            job::Entity::update(row).exec(&**tx).await?;
            Ok(JobState::Retry)
        }
        Ending::Released => {
            let attempts = row.attempts - 1;
            let mut row = row.into_active_model();
            row.state = Set(JobState::Waiting.name().to_owned());
            row.attempts = Set(attempts);
            row.lease_until = Set(None);
            job::Entity::update(row).exec(&**tx).await?;
            Ok(JobState::Waiting)
        }
    }
}

async fn finish(
    tx: &WriteTx,
    context: &Context,
    row: job::Model,
    state: JobState,
    result: Option<serde_json::Value>,
    error: Option<String>,
) -> Result<JobState, StoreError> {
    let now = context.now();
    let follower = follower(&row, context);
    if state != JobState::Succeeded {
        sync_runs::close_of_job(tx, JobId::new(row.id), now).await?;
        subscription_runs::close_of_job(tx, JobId::new(row.id), now).await?;
    }
    let mut row = row.into_active_model();
    row.state = Set(state.name().to_owned());
    row.result = Set(result);
    row.error = Set(error);
    row.lease_until = Set(None);
    row.finished_at = Set(Some(now));
    job::Entity::update(row).exec(&**tx).await?;
    if let Some(follower) = follower {
        job::Entity::insert(follower.into_active_model())
            .exec_without_returning(&**tx)
            .await?;
        tx.signal(Signal::Jobs);
    }
    Ok(state)
}

/// What runs once more, because it was asked for while it ran.
fn follower(row: &job::Model, context: &Context) -> Option<job::Model> {
    if !row.again || row.state != JobState::InProgress.name() {
        return None;
    }
    let now = context.now();
    Some(job::Model {
        id: context.new_uuid(),
        state: JobState::Waiting.name().to_owned(),
        attempts: 0,
        fence: 0,
        lease_until: None,
        run_at: now,
        progress_done: 0,
        progress_total: None,
        cancel_requested: false,
        again: false,
        result: None,
        error: None,
        schedule_id: None,
        created_at: now,
        started_at: None,
        finished_at: None,
        ..row.clone()
    })
}

/// Asks a Job to stop: a waiting one is cancelled at once, a running one at its next commit or renewal. It does not run
/// once more for what was asked before this, only for what is asked after it. Says whether there was anything to cancel.
///
/// # Errors
/// When the database refuses.
pub async fn cancel(tx: &WriteTx, context: &Context, id: JobId) -> Result<bool, StoreError> {
    let row = job::Entity::find_by_id(id.as_uuid())
        .filter(job::Column::FinishedAt.is_null())
        .lock(LockType::Update)
        .one(&**tx)
        .await?;
    let Some(row) = row else { return Ok(false) };
    tx.signal(Signal::Jobs);
    if row.state == JobState::InProgress.name() {
        let mut row = row.into_active_model();
        row.cancel_requested = Set(true);
        row.again = Set(false);
        job::Entity::update(row).exec(&**tx).await?;
    } else {
        finish(tx, context, row, JobState::Cancelled, None, None).await?;
    }
    Ok(true)
}

/// Whether a person asked a Job to stop that is still held under this lease.
///
/// # Errors
/// When the database refuses.
pub async fn cancel_requested(
    connection: &impl sea_orm::ConnectionTrait,
    lease: JobLease,
) -> Result<bool, StoreError> {
    let asked = job::Entity::find()
        .filter(held(lease))
        .filter(job::Column::CancelRequested.eq(true))
        .one(connection)
        .await?;
    Ok(asked.is_some())
}

/// Frees every lease at once. Only for the start of a process that holds the exclusive lock of a SQLite file: nobody
/// else can be working.
///
/// # Errors
/// When the database refuses.
pub async fn reclaim_all(store: &Store, context: &Context) -> Result<u64, StoreError> {
    let tx = store.begin().await?;
    let freed = job::Entity::update_many()
        .col_expr(
            job::Column::LeaseUntil,
            Expr::value(context.now() - TimeDelta::seconds(1)),
        )
        .filter(job::Column::State.eq(JobState::InProgress.name()))
        .exec(&*tx)
        .await?;
    tx.commit().await?;
    Ok(freed.rows_affected)
}

fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}
