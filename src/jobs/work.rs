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
        JobWork::AutoMatch => flows.auto_match(lease).await,
        // Wired with `flows.sync_crm_directory(lease)` as soon as that flow is here.
        JobWork::SyncCrmDirectory => Err(FlowError::Invalid(
            "this kind of job cannot run yet".to_owned(),
        )),
        JobWork::Sweep => flows.sweep(lease).await,
    }
}
