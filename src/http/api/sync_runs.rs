//! The records of syncs of Provider Accounts (B1): what was seen, what changed, whether the listing was complete.

use actix_web::get;
use actix_web::web::{Data, Json};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::domain::ids::ProviderId;
use crate::domain::sync_run::SyncRun;
use crate::http::call::Call;
use crate::http::paging;
use crate::http::problem::Outcome;
use crate::http::reading::Question;
use crate::http::state::ApiState;
use crate::http::words;

const MOST_RUNS: u64 = 500;

/// One sync of one provider's accounts.
#[derive(Serialize, ToSchema)]
#[schema(as = SyncRun)]
#[serde(rename_all = "camelCase")]
pub(super) struct SyncRunBody {
    /// Id of the run.
    sync_run_id: Uuid,
    /// The provider.
    provider_id: Uuid,
    /// The job that did it.
    job_id: Uuid,
    #[schema(schema_with = words::run_outcome)]
    outcome: &'static str,
    /// When it began.
    started_at: DateTime<Utc>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    finished_at: Option<DateTime<Utc>>,
    /// Customers the provider listed.
    listed: i64,
    /// Seen for the first time.
    new: i64,
    /// Known, and something differed.
    changed: i64,
    /// Known, and nothing differed.
    unchanged: i64,
    /// Customers of the listing that could not be read, and customers whose details were asked for in vain; the latter are
    /// counted as new, changed or unchanged too.
    failed: i64,
    /// Known, but no longer in the complete listing.
    missing: i64,
    /// Customers whose details were fetched.
    details: i64,
    /// Why it is incomplete, and the first few failures.
    notes: Vec<String>,
    /// Ids under which the provider's support finds the calls that failed.
    correlation_ids: Vec<String>,
}

/// Syncs of provider accounts.
#[derive(Serialize, ToSchema)]
#[schema(as = SyncRunList)]
pub(super) struct SyncRunListBody {
    /// The runs, newest first.
    value: Vec<SyncRunBody>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub(super) struct SyncRunQuery {
    /// Only syncs of this provider.
    #[param(nullable = false)]
    provider: Option<Uuid>,
    /// So many at most; 100 when left out, 500 at most.
    #[serde(rename = "$top")]
    #[param(nullable = false, minimum = 1)]
    top: Option<u32>,
}

impl From<SyncRun> for SyncRunBody {
    fn from(run: SyncRun) -> Self {
        Self {
            sync_run_id: run.id.as_uuid(),
            provider_id: run.provider_id.as_uuid(),
            job_id: run.job_id.as_uuid(),
            outcome: run.outcome.name(),
            started_at: run.started_at,
            finished_at: run.finished_at,
            listed: run.counts.listed,
            new: run.counts.new,
            changed: run.counts.changed,
            unchanged: run.counts.unchanged,
            failed: run.counts.failed,
            missing: run.counts.missing,
            details: run.counts.details,
            notes: run.notes,
            correlation_ids: run.correlation_ids,
        }
    }
}

/// List sync runs
///
/// Gives the latest syncs of provider accounts, newest first, with what each of them saw and changed.
#[utoipa::path(
    tag = "Jobs",
    params(SyncRunQuery),
    responses((status = 200, description = "The runs.", body = SyncRunListBody)),
)]
#[get("/sync-runs")]
pub(in crate::http) async fn list_sync_runs(
    state: Data<ApiState>,
    call: Call,
    Question(query): Question<SyncRunQuery>,
) -> Outcome<Json<SyncRunListBody>> {
    let top = paging::top(query.top, MOST_RUNS)?;
    let provider = query.provider.map(ProviderId::new);
    let runs = state
        .flows
        .list_sync_runs(&call.caller, provider, top)
        .await?;
    Ok(Json(SyncRunListBody {
        value: runs.into_iter().map(Into::into).collect(),
    }))
}
