//! Records of syncs of Provider Accounts (B1).

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait,
};
use uuid::Uuid;

use super::WriteTx;
use super::entities::{provider, sync_run};
use super::error::StoreError;
use crate::domain::ids::{JobId, ProviderId, SyncRunId};
use crate::domain::sync_run::{RunCounts, RunOutcome, SyncRun};

fn to_domain(row: sync_run::Model) -> Result<SyncRun, StoreError> {
    let impossible =
        |column, value: String| StoreError::impossible("sync_run", column, row.id, value);
    let counts: RunCounts = serde_json::from_value(row.counts.clone())
        .map_err(|_| impossible("counts", row.counts.to_string()))?;
    let strings = |column, value: &serde_json::Value| {
        serde_json::from_value::<Vec<String>>(value.clone())
            .map_err(|_| impossible(column, value.to_string()))
    };
    Ok(SyncRun {
        id: SyncRunId::new(row.id),
        provider_id: ProviderId::new(row.provider_id),
        job_id: JobId::new(row.job_id),
        started_at: row.started_at,
        finished_at: row.finished_at,
        outcome: RunOutcome::from_name(&row.outcome)
            .ok_or_else(|| impossible("outcome", row.outcome.clone()))?,
        counts,
        notes: strings("notes", &row.notes)?,
        correlation_ids: strings("correlation_ids", &row.correlation_ids)?,
    })
}

/// Adds the record of a run that begins.
///
/// # Errors
/// When the database refuses.
pub async fn begin(tx: &WriteTx, run: &SyncRun) -> Result<(), StoreError> {
    let row = sync_run::ActiveModel {
        id: Set(run.id.as_uuid()),
        provider_id: Set(run.provider_id.as_uuid()),
        job_id: Set(run.job_id.as_uuid()),
        started_at: Set(run.started_at),
        finished_at: Set(run.finished_at),
        outcome: Set(run.outcome.name().to_owned()),
        counts: Set(serde_json::json!(run.counts)),
        notes: Set(serde_json::json!(run.notes)),
        correlation_ids: Set(serde_json::json!(run.correlation_ids)),
    };
    sync_run::Entity::insert(row)
        .exec_without_returning(&**tx)
        .await?;
    Ok(())
}

/// Closes what was broken off of the same provider: such a run saw only a part.
///
/// # Errors
/// When the database refuses.
pub async fn close_of_provider(
    tx: &WriteTx,
    provider: ProviderId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let of_provider = sync_run::Column::ProviderId.eq(provider.as_uuid());
    close(
        tx,
        of_provider,
        "the program stopped before the run had ended",
        now,
    )
    .await
}

/// Closes what a Job that is over has left open.
pub(super) async fn close_of_job(
    tx: &WriteTx,
    job: JobId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let of_job = sync_run::Column::JobId.eq(job.as_uuid());
    close(tx, of_job, "the job ended before the run had", now).await
}

async fn close(
    tx: &WriteTx,
    whose: SimpleExpr,
    note: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let open = sync_run::Entity::find()
        .filter(whose)
        .filter(sync_run::Column::Outcome.eq(RunOutcome::Running.name()))
        .all(&**tx)
        .await?;
    for row in open {
        let mut run = to_domain(row)?;
        run.outcome = RunOutcome::Incomplete;
        run.finished_at = Some(now);
        run.notes.push(note.to_owned());
        save(tx, &run).await?;
    }
    Ok(())
}

/// Keeps how far a run has come, or how it ended.
///
/// # Errors
/// When the database refuses.
pub async fn save(tx: &WriteTx, run: &SyncRun) -> Result<(), StoreError> {
    sync_run::Entity::update_many()
        .col_expr(sync_run::Column::Outcome, Expr::value(run.outcome.name()))
        .col_expr(sync_run::Column::FinishedAt, Expr::value(run.finished_at))
        .col_expr(
            sync_run::Column::Counts,
            Expr::value(serde_json::json!(run.counts)),
        )
        .col_expr(
            sync_run::Column::Notes,
            Expr::value(serde_json::json!(run.notes)),
        )
        .col_expr(
            sync_run::Column::CorrelationIds,
            Expr::value(serde_json::json!(run.correlation_ids)),
        )
        .filter(sync_run::Column::Id.eq(run.id.as_uuid()))
        .exec(&**tx)
        .await?;
    Ok(())
}

/// Providers whose first listing is being read: of what they will list, only a part is there.
///
/// # Errors
/// When the database refuses.
pub async fn first_listings(
    connection: &impl ConnectionTrait,
) -> Result<HashSet<ProviderId>, StoreError> {
    let running = sync_run::Entity::find()
        .select_only()
        .column(sync_run::Column::ProviderId)
        .filter(sync_run::Column::Outcome.eq(RunOutcome::Running.name()))
        .into_query();
    let ids: Vec<Uuid> = provider::Entity::find()
        .select_only()
        .column(provider::Column::Id)
        .filter(provider::Column::FirstImportAt.is_null())
        .filter(provider::Column::Id.in_subquery(running))
        .into_tuple()
        .all(connection)
        .await?;
    Ok(ids.into_iter().map(ProviderId::new).collect())
}

/// The latest runs, newest first, of one provider or of all.
///
/// # Errors
/// When the database refuses.
pub async fn latest(
    connection: &impl ConnectionTrait,
    provider: Option<ProviderId>,
    most: u64,
) -> Result<Vec<SyncRun>, StoreError> {
    let mut query = sync_run::Entity::find();
    if let Some(provider) = provider {
        query = query.filter(sync_run::Column::ProviderId.eq(provider.as_uuid()));
    }
    let rows = query
        .order_by_desc(sync_run::Column::StartedAt)
        .order_by_desc(sync_run::Column::Id)
        .limit(most)
        .all(connection)
        .await?;
    rows.into_iter().map(to_domain).collect()
}
