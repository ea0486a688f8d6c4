//! Which flow a Job calls.

use crate::domain::job::{Job, JobLease, JobWork};
use crate::flows::{FlowError, Flows};

/// Does the work of a Job and gives its result.
pub(super) async fn perform(
    flows: &Flows,
    job: &Job,
    lease: JobLease,
) -> Result<serde_json::Value, FlowError> {
    match job.work {
        JobWork::SyncProviderAccounts { provider_id } => {
            flows.sync_provider_accounts(provider_id, lease).await
        }
        JobWork::SyncSubscriptions { provider_id } => {
            flows.sync_subscriptions(provider_id, lease).await
        }
        JobWork::AutoMatch => flows.pull_and_match(lease).await,
        JobWork::SyncCrmDirectory => flows.sync_crm_directory(lease).await,
        JobWork::PlanAutoMatch => flows.pull_and_plan(lease).await,
        JobWork::ApplyMatchPlan { plan_id } => flows.pull_and_apply(plan_id, lease).await,
        JobWork::UndoMatchPlan { plan_id } => flows.undo_match_plan(plan_id, lease).await,
        JobWork::CheckMappings => flows.pull_and_check(lease).await,
        JobWork::CreateAccount {
            provider_account_id,
        } => flows.take_up_creation(provider_account_id, lease).await,
        JobWork::WatchExceptions => flows.watch_exceptions(lease).await,
        JobWork::Sweep => flows.sweep(lease).await,
    }
}
