//! Runs of a sync of subscriptions and the lines of their reports (D4).

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Cond, OnConflict};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};
use uuid::Uuid;

use super::entities::{subscription_report_line as line, subscription_run as run};
use super::error::StoreError;
use super::{WriteTx, bulk};
use crate::domain::ids::{
    BillingContractId, JobId, PreviewId, ProductSubscriptionId, ProviderAccountId, ProviderId,
    SubscriptionRunId,
};
use crate::domain::subscription_run::{LineKind, ReportLine, RunSource, SubscriptionRun};
use crate::domain::sync_run::RunOutcome;

/// Which runs to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    /// Only of this provider.
    pub provider: Option<ProviderId>,
    /// Only from this contract.
    pub contract: Option<BillingContractId>,
}

fn to_row(it: &SubscriptionRun) -> run::Model {
    run::Model {
        id: it.id.as_uuid(),
        source: it.source.name().to_owned(),
        provider_id: it.provider_id.map(ProviderId::as_uuid),
        contract_id: it.contract_id.map(BillingContractId::as_uuid),
        job_id: it.job_id.map(JobId::as_uuid),
        preview_id: it.preview_id.map(PreviewId::as_uuid),
        requested_by: it.requested_by.clone(),
        started_at: it.started_at,
        finished_at: it.finished_at,
        outcome: it.outcome.name().to_owned(),
        counts: serde_json::json!(it.counts),
        note: it.note.clone(),
    }
}

fn to_domain(row: run::Model) -> Result<SubscriptionRun, StoreError> {
    let impossible =
        |column, value: &str| StoreError::impossible("subscription_run", column, row.id, value);
    Ok(SubscriptionRun {
        id: SubscriptionRunId::new(row.id),
        source: RunSource::from_name(&row.source)
            .ok_or_else(|| impossible("source", &row.source))?,
        provider_id: row.provider_id.map(ProviderId::new),
        contract_id: row.contract_id.map(BillingContractId::new),
        job_id: row.job_id.map(JobId::new),
        preview_id: row.preview_id.map(PreviewId::new),
        outcome: RunOutcome::from_name(&row.outcome)
            .ok_or_else(|| impossible("outcome", &row.outcome))?,
        counts: serde_json::from_value(row.counts.clone())
            .map_err(|_| impossible("counts", &row.counts.to_string()))?,
        requested_by: row.requested_by.clone(),
        started_at: row.started_at,
        finished_at: row.finished_at,
        note: row.note.clone(),
    })
}

/// Keeps a run: a new one, or how far it has come.
///
/// # Errors
/// When the database refuses.
pub async fn keep(tx: &WriteTx, it: &SubscriptionRun) -> Result<(), StoreError> {
    use run::Column;
    let replace = OnConflict::column(Column::Id)
        .update_columns([
            Column::FinishedAt,
            Column::Outcome,
            Column::Counts,
            Column::Note,
        ])
        .to_owned();
    run::Entity::insert(to_row(it).into_active_model())
        .on_conflict(replace)
        .exec_without_returning(&**tx)
        .await?;
    Ok(())
}

/// The run that a Job began and has not ended: after a crash, the Job goes on with it, so that its report is whole.
///
/// # Errors
/// When the database refuses.
pub async fn unfinished_of_job(
    connection: &impl ConnectionTrait,
    job: JobId,
) -> Result<Option<SubscriptionRun>, StoreError> {
    run::Entity::find()
        .filter(run::Column::JobId.eq(job.as_uuid()))
        .filter(run::Column::FinishedAt.is_null())
        .one(connection)
        .await?
        .map(to_domain)
        .transpose()
}

/// The run that a Job has brought to its end: after a crash in between, there is nothing left to do.
///
/// # Errors
/// When the database refuses.
pub async fn complete_of_job(
    connection: &impl ConnectionTrait,
    job: JobId,
) -> Result<Option<SubscriptionRun>, StoreError> {
    run::Entity::find()
        .filter(run::Column::JobId.eq(job.as_uuid()))
        .filter(run::Column::Outcome.eq(RunOutcome::Complete.name()))
        .one(connection)
        .await?
        .map(to_domain)
        .transpose()
}

/// Closes what a Job that is over has left open.
pub(super) async fn close_of_job(
    tx: &WriteTx,
    job: JobId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    if let Some(mut open) = unfinished_of_job(&**tx, job).await? {
        open.outcome = RunOutcome::Incomplete;
        open.finished_at = Some(now);
        open.note = Some("the job ended before the run had".to_owned());
        keep(tx, &open).await?;
    }
    Ok(())
}

/// One run.
///
/// # Errors
/// When the database refuses.
pub async fn find(
    connection: &impl ConnectionTrait,
    id: SubscriptionRunId,
) -> Result<Option<SubscriptionRun>, StoreError> {
    run::Entity::find_by_id(id.as_uuid())
        .one(connection)
        .await?
        .map(to_domain)
        .transpose()
}

/// The latest runs, newest first, and where the next page begins.
///
/// # Errors
/// When the database refuses.
pub async fn list(
    connection: &impl ConnectionTrait,
    filter: Filter,
    after: Option<(DateTime<Utc>, Uuid)>,
    top: u64,
) -> Result<Vec<SubscriptionRun>, StoreError> {
    use run::Column;
    let mut condition = Cond::all();
    if let Some(provider) = filter.provider {
        condition = condition.add(Column::ProviderId.eq(provider.as_uuid()));
    }
    if let Some(contract) = filter.contract {
        condition = condition.add(Column::ContractId.eq(contract.as_uuid()));
    }
    if let Some((at, id)) = after {
        let earlier = Cond::any().add(Column::StartedAt.lt(at)).add(
            Cond::all()
                .add(Column::StartedAt.eq(at))
                .add(Column::Id.lt(id)),
        );
        condition = condition.add(earlier);
    }
    let rows = run::Entity::find()
        .filter(condition)
        .order_by_desc(Column::StartedAt)
        .order_by_desc(Column::Id)
        .limit(top)
        .all(connection)
        .await?;
    rows.into_iter().map(to_domain).collect()
}

/// Adds lines to reports.
///
/// # Errors
/// When the database refuses.
pub async fn add_lines(tx: &WriteTx, lines: &[ReportLine]) -> Result<(), StoreError> {
    let rows = lines.iter().map(|it| line::Model {
        id: it.id,
        run_id: it.run_id.as_uuid(),
        at: it.at,
        kind: it.kind.name().to_owned(),
        subscription_id: it.subscription_id.map(ProductSubscriptionId::as_uuid),
        provider_account_id: it.provider_account_id.as_uuid(),
        external_id: it.external_id.clone(),
        name: it.name.clone(),
        field: it.field.clone(),
        old: it.old.clone(),
        new: it.new.clone(),
        message: it.message.clone(),
        correlation_id: it.correlation_id.clone(),
    });
    bulk::insert(tx, rows).await
}

/// Whose lines to read.
#[derive(Debug, Clone, Copy)]
pub enum LinesOf {
    /// A run's.
    Run(SubscriptionRunId),
    /// A subscription's, of every run.
    Subscription(ProductSubscriptionId),
}

/// Lines in their order, after the given one.
///
/// # Errors
/// When the database refuses.
pub async fn lines(
    connection: &impl ConnectionTrait,
    of: LinesOf,
    after: Option<Uuid>,
    top: u64,
) -> Result<Vec<ReportLine>, StoreError> {
    let mut condition = Cond::all().add(match of {
        LinesOf::Run(id) => line::Column::RunId.eq(id.as_uuid()),
        LinesOf::Subscription(id) => line::Column::SubscriptionId.eq(id.as_uuid()),
    });
    if let Some(after) = after {
        condition = condition.add(line::Column::Id.gt(after));
    }
    let rows = line::Entity::find()
        .filter(condition)
        .order_by_asc(line::Column::Id)
        .limit(top)
        .all(connection)
        .await?;
    rows.into_iter().map(to_line).collect()
}

fn to_line(row: line::Model) -> Result<ReportLine, StoreError> {
    Ok(ReportLine {
        kind: LineKind::from_name(&row.kind).ok_or_else(|| {
            StoreError::impossible("subscription_report_line", "kind", row.id, &row.kind)
        })?,
        id: row.id,
        run_id: SubscriptionRunId::new(row.run_id),
        at: row.at,
        subscription_id: row.subscription_id.map(ProductSubscriptionId::new),
        provider_account_id: ProviderAccountId::new(row.provider_account_id),
        external_id: row.external_id,
        name: row.name,
        field: row.field,
        old: row.old,
        new: row.new,
        message: row.message,
        correlation_id: row.correlation_id,
    })
}
