//! Scheduled Jobs (D5): when a schedule is due, its Job is queued and its next run set in one transaction, so that it
//! fires once however many instances look.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
};

use super::{Enqueued, enqueue, input_of, parse_work};
use crate::domain::caller::Caller;
use crate::domain::context::Context;
use crate::domain::ids::{JobId, ScheduleId};
use crate::domain::job::JobWork;
use crate::store::entities::schedule;
use crate::store::{Signal, Store, StoreError, WriteTx};

/// A Scheduled Job.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// Our id.
    pub id: ScheduleId,
    /// What it queues.
    pub work: JobWork,
    /// Cron expression of five fields.
    pub cron: String,
    /// IANA name of the zone the expression is in.
    pub time_zone: String,
    /// Off is kept, but does not fire.
    pub enabled: bool,
    /// When it fires next.
    pub next_run_at: DateTime<Utc>,
    /// When it last fired.
    pub last_run_at: Option<DateTime<Utc>>,
    /// The Job it last queued.
    pub last_job_id: Option<JobId>,
}

fn to_domain(row: schedule::Model) -> Result<Schedule, StoreError> {
    let work = parse_work(&row.kind, &row.input)
        .ok_or_else(|| StoreError::impossible("schedule", "input", row.id, &row.input))?;
    Ok(Schedule {
        id: ScheduleId::new(row.id),
        work,
        cron: row.cron,
        time_zone: row.time_zone,
        enabled: row.enabled,
        next_run_at: row.next_run_at,
        last_run_at: row.last_run_at,
        last_job_id: row.last_job_id.map(JobId::new),
    })
}

/// Keeps a schedule; one for the same work is replaced.
///
/// # Errors
/// When the database refuses.
pub async fn keep(
    tx: &WriteTx,
    context: &Context,
    work: &JobWork,
    cron: &str,
    time_zone: &str,
    enabled: bool,
    next_run_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    use schedule::Column;
    let row = schedule::ActiveModel {
        id: Set(context.new_uuid()),
        concurrency_key: Set(work.concurrency_key()),
        kind: Set(work.kind().to_owned()),
        input: Set(input_of(work)),
        cron: Set(cron.to_owned()),
        time_zone: Set(time_zone.to_owned()),
        enabled: Set(enabled),
        next_run_at: Set(next_run_at),
        last_run_at: Set(None),
        last_job_id: Set(None),
        version: Set(1),
    };
    let replace = OnConflict::column(Column::ConcurrencyKey)
        .update_columns([
            Column::Cron,
            Column::TimeZone,
            Column::Enabled,
            Column::NextRunAt,
        ])
        .to_owned();
    schedule::Entity::insert(row)
        .on_conflict(replace)
        .exec_without_returning(&**tx)
        .await?;
    tx.signal(Signal::SettingsChanged);
    Ok(())
}

/// Takes the schedule of this work away, if there is one.
///
/// # Errors
/// When the database refuses.
pub async fn remove(tx: &WriteTx, work: &JobWork) -> Result<(), StoreError> {
    schedule::Entity::delete_many()
        .filter(schedule::Column::ConcurrencyKey.eq(work.concurrency_key()))
        .exec(&**tx)
        .await?;
    tx.signal(Signal::SettingsChanged);
    Ok(())
}

/// The schedule of this work.
///
/// # Errors
/// When the database refuses.
pub async fn find(
    connection: &impl ConnectionTrait,
    work: &JobWork,
) -> Result<Option<Schedule>, StoreError> {
    schedule::Entity::find()
        .filter(schedule::Column::ConcurrencyKey.eq(work.concurrency_key()))
        .one(connection)
        .await?
        .map(to_domain)
        .transpose()
}

/// One schedule.
///
/// # Errors
/// When the database refuses.
pub async fn find_by_id(
    connection: &impl ConnectionTrait,
    id: ScheduleId,
) -> Result<Option<Schedule>, StoreError> {
    schedule::Entity::find_by_id(id.as_uuid())
        .one(connection)
        .await?
        .map(to_domain)
        .transpose()
}

/// All schedules, the next to fire first.
///
/// # Errors
/// When the database refuses.
pub async fn list(connection: &impl ConnectionTrait) -> Result<Vec<Schedule>, StoreError> {
    let rows = schedule::Entity::find()
        .order_by_asc(schedule::Column::NextRunAt)
        .all(connection)
        .await?;
    rows.into_iter().map(to_domain).collect()
}

/// Queues the Job of a due schedule and sets its next run, unless another instance was quicker.
///
/// # Errors
/// When the database refuses.
pub async fn fire(
    store: &Store,
    context: &Context,
    due: &Schedule,
    next_run_at: DateTime<Utc>,
) -> Result<Option<Enqueued>, StoreError> {
    let tx = store.begin().await?;
    let taken = schedule::Entity::update_many()
        .col_expr(schedule::Column::NextRunAt, Expr::value(next_run_at))
        .col_expr(
            schedule::Column::LastRunAt,
            Expr::value(Some(context.now())),
        )
        .filter(schedule::Column::Id.eq(due.id.as_uuid()))
        .filter(schedule::Column::NextRunAt.eq(due.next_run_at))
        .filter(schedule::Column::Enabled.eq(true))
        .exec(&*tx)
        .await?;
    if taken.rows_affected == 0 {
        return Ok(None);
    }
    let queued = enqueue(
        &tx,
        context,
        &Caller::service(due.id),
        &due.work,
        Some(due.id),
    )
    .await?;
    schedule::Entity::update_many()
        .col_expr(
            schedule::Column::LastJobId,
            Expr::value(Some(queued.job_id().as_uuid())),
        )
        .filter(schedule::Column::Id.eq(due.id.as_uuid()))
        .exec(&*tx)
        .await?;
    tx.commit().await?;
    Ok(Some(queued))
}
