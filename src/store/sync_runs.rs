//! Records of syncs of Provider Accounts (B1).

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::WriteTx;
use super::entities::sync_run;
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

/// Closes what a crash left open of the same provider: such a run saw only a part. Says whether there was any.
///
/// # Errors
/// When the database refuses.
pub async fn close_interrupted(tx: &WriteTx, run: &SyncRun) -> Result<bool, StoreError> {
    let note = serde_json::json!(["the program stopped before the run had ended"]);
    let closed = sync_run::Entity::update_many()
        .col_expr(
            sync_run::Column::Outcome,
            Expr::value(RunOutcome::Incomplete.name()),
        )
        .col_expr(
            sync_run::Column::FinishedAt,
            Expr::value(Some(run.started_at)),
        )
        .col_expr(sync_run::Column::Notes, Expr::value(note))
        .filter(sync_run::Column::ProviderId.eq(run.provider_id.as_uuid()))
        .filter(sync_run::Column::Outcome.eq(RunOutcome::Running.name()))
        .exec(&**tx)
        .await?;
    Ok(closed.rows_affected > 0)
}

/// Ends a run.
///
/// # Errors
/// When the database refuses.
pub async fn end(tx: &WriteTx, run: &SyncRun) -> Result<(), StoreError> {
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
