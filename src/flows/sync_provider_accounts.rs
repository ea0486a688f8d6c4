//! Sync Provider Accounts (B1, B2): the Job that lists a provider's customers, keeps what is new or changed, fetches the
//! details that only a by-id call gives, and queues the auto-match.
//!
//! What surprises: an unchanged page writes nothing; a listing that breaks off keeps what it saw and marks nothing as
//! missing (decision 8); a killed run starts over and finds its own work done, because everything is keyed by
//! (provider, provider's id).

mod details;
mod listing;

use serde_json::json;

use super::stale_sync::Look;
use super::{FlowError, Flows};
use crate::domain::caller::Caller;
use crate::domain::consent::Trouble;
use crate::domain::event::NewEvent;
use crate::domain::ids::{ProviderId, SyncRunId};
use crate::domain::job::{JobLease, JobWork};
use crate::domain::ports::provider::{FailureKind, ProviderError};
use crate::domain::provider::Provider;
use crate::domain::provider_health::LastError;
use crate::domain::sync_run::{RunCounts, RunOutcome, SyncRun};
use crate::store::{jobs, outbox, provider_health, providers, sync_runs};

/// Notes of one run at most; the rest is counted.
const MOST_NOTES: usize = 20;

/// One run while it goes on.
struct Run<'a> {
    flows: &'a Flows,
    provider: &'a Provider,
    lease: JobLease,
    initial_import: bool,
    /// The run before may have stopped before it had asked for the auto-match of what it kept.
    broken_off_before: bool,
    record: SyncRun,
}

impl Run<'_> {
    fn note(&mut self, note: String) {
        if self.record.notes.len() < MOST_NOTES && !self.record.notes.contains(&note) {
            self.record.notes.push(note);
        }
    }

    fn note_failure(&mut self, what: &str, error: &ProviderError) {
        if let Some(id) = &error.correlation_id
            && self.record.correlation_ids.len() < MOST_NOTES
        {
            self.record.correlation_ids.push(id.clone());
        }
        self.note(format!("{what}: {}", error.message));
    }
}

/// Whether a failure will meet every further call too, so that going on is pointless.
const fn hopeless(kind: FailureKind) -> bool {
    matches!(
        kind,
        FailureKind::Consent | FailureKind::Permission | FailureKind::Configuration
    )
}

impl Flows {
    /// Runs the sync. The result is the run record as JSON.
    ///
    /// # Errors
    /// When the provider cannot be listed to the end, or the store fails. What was seen is kept all the same.
    pub async fn sync_provider_accounts(
        &self,
        provider_id: ProviderId,
        lease: JobLease,
    ) -> Result<serde_json::Value, FlowError> {
        let provider = providers::find(self.store.reader(), provider_id)
            .await?
            .ok_or_else(|| FlowError::not_found("provider", provider_id))?;
        let client = match self.providers.client(&provider).await {
            Ok(client) => client,
            Err(error) => {
                self.note_no_client(&provider, lease, &error).await?;
                return Err(error.into());
            }
        };
        let mut run = self.begin_run(&provider, lease).await?;
        let listed = run.list(client.as_ref()).await?;
        let may_go_on = listed
            .as_ref()
            .err()
            .is_none_or(|error| !hopeless(error.kind));
        if may_go_on {
            run.fetch_details(client.as_ref()).await?;
        }
        self.end_run(run, listed).await
    }

    async fn note_no_client(
        &self,
        provider: &Provider,
        lease: JobLease,
        error: &ProviderError,
    ) -> Result<(), FlowError> {
        let tx = self.store.begin().await?;
        jobs::guard(&tx, lease).await?;
        provider_health::sync_failed(&tx, provider.id, &self.last_error(error)).await?;
        Ok(tx.commit().await?)
    }

    fn last_error(&self, error: &ProviderError) -> LastError {
        LastError {
            trouble: Trouble::of(error.kind),
            text: error.message.clone(),
            at: self.context.now(),
        }
    }

    async fn begin_run<'a>(
        &'a self,
        provider: &'a Provider,
        lease: JobLease,
    ) -> Result<Run<'a>, FlowError> {
        let tx = self.store.begin().await?;
        jobs::guard(&tx, lease).await?;
        let initial_import = !providers::imported(&*tx, provider.id).await?;
        let record = SyncRun {
            id: SyncRunId::new(self.context.new_uuid()),
            provider_id: provider.id,
            job_id: lease.job_id,
            started_at: self.context.now(),
            finished_at: None,
            outcome: RunOutcome::Running,
            counts: RunCounts::default(),
            notes: Vec::new(),
            correlation_ids: Vec::new(),
        };
        sync_runs::close_of_provider(&tx, provider.id, record.started_at).await?;
        let before = sync_runs::latest(&*tx, Some(provider.id), 1).await?;
        let broken_off = |run: &SyncRun| run.outcome == RunOutcome::Incomplete;
        let broken_off_before = before.first().is_some_and(broken_off);
        sync_runs::begin(&tx, &record).await?;
        tx.commit().await?;
        Ok(Run {
            flows: self,
            provider,
            lease,
            initial_import,
            broken_off_before,
            record,
        })
    }

    async fn end_run(
        &self,
        mut run: Run<'_>,
        listed: Result<(), ProviderError>,
    ) -> Result<serde_json::Value, FlowError> {
        if let Err(error) = &listed {
            run.note_failure("the listing broke off", error);
        }
        let record = &mut run.record;
        record.outcome = if listed.is_ok() {
            RunOutcome::Complete
        } else {
            RunOutcome::Incomplete
        };
        record.finished_at = Some(self.context.now());
        let tx = self.store.begin().await?;
        jobs::guard(&tx, run.lease).await?;
        sync_runs::save(&tx, record).await?;
        let id = run.provider.id;
        match &listed {
            Ok(()) => provider_health::synced(&tx, &self.context, id).await?,
            Err(error) => provider_health::sync_failed(&tx, id, &self.last_error(error)).await?,
        }
        if listed.is_ok() && providers::mark_imported(&tx, &self.context, run.provider.id).await? {
            let summary = NewEvent::imported(run.provider, record.counts.listed);
            outbox::publish(&tx, &self.context, vec![summary]).await?;
        }
        if listed.is_ok() {
            self.judge_staleness(&tx, Look::Close).await?;
        }
        let counts = record.counts;
        if run.broken_off_before || counts.new + counts.changed + counts.details > 0 {
            let service = Caller::service(run.lease.job_id);
            jobs::enqueue(&tx, &self.context, &service, &JobWork::AutoMatch, None).await?;
        }
        tx.commit().await?;
        listed?;
        Ok(
            json!({ "syncRunId": record.id, "outcome": record.outcome, "counts": counts, "notes": record.notes }),
        )
    }
}
