//! Asking for Jobs, following them, cancelling them (D5).

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use super::{FlowError, Flows};
use crate::domain::caller::{Caller, Permission};
use crate::domain::ids::{JobId, ProviderId};
use crate::domain::job::{Job, JobWork};
use crate::domain::sync_run::SyncRun;
use crate::store::audit::Entry;
pub use crate::store::jobs::Filter as JobFilter;
use crate::store::{audit, jobs, providers, sync_runs};

impl Flows {
    /// Asks for a sync of a provider's accounts. While one is unfinished, that one is the answer (decision 10).
    ///
    /// # Errors
    /// When the caller may not, there is no such provider, or it is disabled.
    pub async fn request_sync(&self, caller: &Caller, id: ProviderId) -> Result<Job, FlowError> {
        caller.require(Permission::Sync)?;
        let provider = providers::find(self.store.reader(), id)
            .await?
            .ok_or_else(|| FlowError::not_found("provider", id))?;
        if !provider.enabled {
            return Err(FlowError::Invalid(format!(
                "provider `{}` is disabled; enable it before syncing",
                provider.name
            )));
        }
        self.request(caller, &JobWork::SyncProviderAccounts { provider_id: id })
            .await
    }

    /// Asks for an auto-match of everything unmapped.
    ///
    /// # Errors
    /// When the caller may not.
    pub async fn request_auto_match(&self, caller: &Caller) -> Result<Job, FlowError> {
        caller.require(Permission::Map)?;
        self.request(caller, &JobWork::AutoMatch).await
    }

    /// Asks for a sync of the CRM directory.
    ///
    /// # Errors
    /// When the caller may not.
    pub async fn request_directory_sync(&self, caller: &Caller) -> Result<Job, FlowError> {
        caller.require(Permission::Sync)?;
        self.request(caller, &JobWork::SyncCrmDirectory).await
    }

    pub(super) async fn request(&self, caller: &Caller, work: &JobWork) -> Result<Job, FlowError> {
        let tx = self.store.begin().await?;
        let queued = jobs::enqueue(&tx, &self.context, caller, work, None).await?;
        if let jobs::Enqueued::New(id) = queued {
            let entry = Entry {
                action: "job.requested",
                subject: format!("job/{id}"),
                after: Some(json!(work)),
                ..Entry::default()
            };
            audit::record(&tx, &self.context, caller, entry).await?;
        }
        let job = jobs::find(&*tx, queued.job_id())
            .await?
            .ok_or_else(|| FlowError::not_found("job", queued.job_id()))?;
        tx.commit().await?;
        Ok(job)
    }

    /// One Job.
    ///
    /// # Errors
    /// When the caller may not, or there is no such Job.
    pub async fn get_job(&self, caller: &Caller, id: JobId) -> Result<Job, FlowError> {
        caller.require(Permission::Read)?;
        jobs::find(self.store.reader(), id)
            .await?
            .ok_or_else(|| FlowError::not_found("job", id))
    }

    /// The unfinished Job that does this work, if there is one.
    ///
    /// # Errors
    /// When the caller may not.
    pub async fn unfinished_job(
        &self,
        caller: &Caller,
        work: &JobWork,
    ) -> Result<Option<Job>, FlowError> {
        caller.require(Permission::Read)?;
        Ok(jobs::unfinished(self.store.reader(), work).await?)
    }

    /// The latest Jobs, newest first.
    ///
    /// # Errors
    /// When the caller may not.
    pub async fn list_jobs(&self, caller: &Caller, most: u64) -> Result<Vec<Job>, FlowError> {
        caller.require(Permission::Read)?;
        Ok(jobs::latest(self.store.reader(), most).await?)
    }

    /// One page of Jobs, newest first.
    ///
    /// # Errors
    /// When the caller may not.
    pub async fn page_of_jobs(
        &self,
        caller: &Caller,
        filter: &jobs::Filter,
        before: Option<(DateTime<Utc>, Uuid)>,
        most: u64,
    ) -> Result<Vec<Job>, FlowError> {
        caller.require(Permission::Read)?;
        Ok(jobs::list(self.store.reader(), filter, before, most).await?)
    }

    /// Asks for the work of an ended Job once more. While the same work is unfinished, that Job is the answer.
    ///
    /// # Errors
    /// When the caller may not, or there is no such Job.
    pub async fn rerun_job(&self, caller: &Caller, id: JobId) -> Result<Job, FlowError> {
        caller.require(Permission::Sync)?;
        let job = jobs::find(self.store.reader(), id)
            .await?
            .ok_or_else(|| FlowError::not_found("job", id))?;
        self.request(caller, &job.work).await
    }

    /// Stops a Job: a waiting one at once, a running one before its next commit.
    ///
    /// # Errors
    /// When the caller may not, or there is no such Job.
    pub async fn cancel_job(&self, caller: &Caller, id: JobId) -> Result<Job, FlowError> {
        caller.require(Permission::Sync)?;
        let tx = self.store.begin().await?;
        if jobs::cancel(&tx, &self.context, id).await? {
            let entry = Entry {
                action: "job.cancelled",
                subject: format!("job/{id}"),
                ..Entry::default()
            };
            audit::record(&tx, &self.context, caller, entry).await?;
        }
        let job = jobs::find(&*tx, id)
            .await?
            .ok_or_else(|| FlowError::not_found("job", id))?;
        tx.commit().await?;
        Ok(job)
    }

    /// The latest syncs of Provider Accounts, newest first, of one provider or of all.
    ///
    /// # Errors
    /// When the caller may not.
    pub async fn list_sync_runs(
        &self,
        caller: &Caller,
        provider: Option<ProviderId>,
        most: u64,
    ) -> Result<Vec<SyncRun>, FlowError> {
        caller.require(Permission::Read)?;
        Ok(sync_runs::latest(self.store.reader(), provider, most).await?)
    }
}
