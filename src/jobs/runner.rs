//! Claims due Jobs and runs several at a time, keeping each one's lease alive.

use std::time::Duration;

use chrono::TimeDelta;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{fire_due, work};
use crate::domain::correlation;
use crate::domain::job::{Job, JobLease, JobState};
use crate::flows::{FlowError, Flows};
use crate::store::jobs::{self, Ending};
use crate::store::{Signal, StoreError};

/// The first wait before the end of a Job is recorded anew; each later one is twice as long.
const END_AGAIN: Duration = Duration::from_secs(1);

/// How the runner works.
#[derive(Debug, Clone, Copy)]
pub struct RunnerSettings {
    /// Jobs at once.
    pub at_once: usize,
    /// A Job belongs to its instance for so long after each renewal.
    pub lease: Duration,
    /// The queue is looked at this often even when nobody signals.
    pub look_every: Duration,
}

impl Default for RunnerSettings {
    fn default() -> Self {
        Self {
            at_once: 4,
            lease: Duration::from_secs(60),
            look_every: Duration::from_secs(5),
        }
    }
}

/// Runs Jobs until told to stop.
#[derive(Clone)]
pub struct Runner {
    flows: Flows,
    settings: RunnerSettings,
}

impl Runner {
    /// A runner over these flows.
    #[must_use]
    pub const fn new(flows: Flows, settings: RunnerSettings) -> Self {
        Self { flows, settings }
    }

    /// Fires schedules and runs Jobs until `stop`; then puts back what is not done.
    pub async fn run(&self, stop: &CancellationToken) {
        let mut signals = self.flows.store.signals().subscribe();
        // Tasks of their own: a job may hold the one writer of SQLite while this loop waits for it.
        let mut running = JoinSet::new();
        loop {
            if let Err(error) = fire_due(&self.flows).await {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "schedules could not be looked at"
                );
            }
            while running.len() < self.settings.at_once && !stop.is_cancelled() {
                match self.claim().await {
                    Some((job, lease)) => {
                        let (runner, stop) = (self.clone(), stop.clone());
                        running.spawn(async move { runner.run_one(job, lease, &stop).await });
                    }
                    None => break,
                }
            }
            tokio::select! {
                () = stop.cancelled() => break,
                Some(ended) = running.join_next() => report_panic(ended),
                () = heard_of_jobs(&mut signals) => {}
                () = self.flows.context.sleep(self.settings.look_every) => {}
            }
        }
        while let Some(ended) = running.join_next().await {
            report_panic(ended);
        }
    }

    /// Runs what is due now, one Job after the other, and says how many ran. For tests and the demo.
    pub async fn run_due(&self) -> usize {
        let stop = CancellationToken::new();
        let mut ran = 0;
        while let Some((job, lease)) = self.claim().await {
            self.run_one(job, lease, &stop).await;
            ran += 1;
        }
        ran
    }

    async fn claim(&self) -> Option<(Job, JobLease)> {
        let flows = &self.flows;
        match jobs::claim(&flows.store, &flows.context, self.settings.lease).await {
            Ok(claimed) => claimed,
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the queue could not be read"
                );
                None
            }
        }
    }

    async fn run_one(&self, job: Job, lease: JobLease, stop: &CancellationToken) {
        let kind = job.work.kind();
        let started = self.flows.context.now();
        let ending = tokio::select! {
            result = correlation::under(job.correlation(), work::perform(&self.flows, &job, lease)) => Some(self.judge(&job, result)),
            lost = self.keep_lease(lease) => lost,
            () = stop.cancelled() => Some(Ending::Released),
        };
        let Some(ending) = ending else {
            tracing::warn!(job = %job.id, kind, "the job's lease was lost; another instance goes on with it");
            return;
        };
        let failure = match &ending {
            Ending::Failed(error) | Ending::Retry { error, .. } => Some(error.clone()),
            _ => None,
        };
        let seconds = (self.flows.context.now() - started).as_seconds_f64();
        match self.end_patiently(lease, ending, stop).await {
            Ok(state) => {
                metrics::counter!("jobs_total", "kind" => kind, "state" => state.name())
                    .increment(1);
                tracing::info!(job = %job.id, kind, state = state.name(), seconds, error = failure, "job ended");
            }
            Err(error) => {
                tracing::error!(job = %job.id, kind, error = &error as &dyn std::error::Error, "the job's end could not be recorded; it will be taken up again");
            }
        }
    }

    /// Renews the lease until it is lost (`None`) or the Job is cancelled.
    async fn keep_lease(&self, lease: JobLease) -> Option<Ending> {
        let flows = &self.flows;
        loop {
            flows.context.sleep(self.settings.lease / 3).await;
            match jobs::renew(&flows.store, &flows.context, lease, self.settings.lease).await {
                Ok(true) => {}
                Ok(false) => return self.cancelled(lease).await.then_some(Ending::Cancelled),
                Err(error) => {
                    tracing::warn!(job = %lease.job_id, error = &error as &dyn std::error::Error, "a lease could not be renewed");
                }
            }
        }
    }

    /// Whether the Job is still ours, so that only a cancellation can have ended it.
    async fn cancelled(&self, lease: JobLease) -> bool {
        let found = jobs::cancel_requested(self.flows.store.reader(), lease).await;
        found.unwrap_or(false)
    }

    fn judge(&self, job: &Job, result: Result<serde_json::Value, FlowError>) -> Ending {
        match result {
            Ok(result) => Ending::Succeeded(result),
            Err(FlowError::Store(StoreError::LeaseLost(_))) => Ending::Cancelled,
            Err(FlowError::NotFound { what, id }) => {
                Ending::NotApplicable(format!("there is no {what} {id} any more"))
            }
            Err(error) if error.retryable() => {
                let backoff = Duration::from_secs(15)
                    * 4_u32.saturating_pow(u32::try_from(job.attempts - 1).unwrap_or(0));
                let wait = error
                    .retry_after()
                    .unwrap_or_default()
                    .max(self.flows.context.jitter(backoff));
                let at = self.flows.context.now() + TimeDelta::from_std(wait).unwrap_or_default();
                Ending::Retry {
                    error: explain(&error),
                    at,
                }
            }
            Err(error) => Ending::Failed(explain(&error)),
        }
    }

    /// Records the end; tries for half a lease while the database cannot take it, so that a short outage costs the Job neither
    /// the wait for its lease to lapse nor the reason.
    async fn end_patiently(
        &self,
        lease: JobLease,
        ending: Ending,
        stop: &CancellationToken,
    ) -> Result<JobState, StoreError> {
        let mut wait = END_AGAIN;
        loop {
            let error = match self.end(lease, ending.clone()).await {
                Err(error) if error.is_outage() && wait < self.settings.lease / 3 => error,
                outcome => return outcome,
            };
            tracing::warn!(job = %lease.job_id, error = &error as &dyn std::error::Error, "the job's end could not be recorded; trying again");
            tokio::select! {
                () = stop.cancelled() => return Err(error),
                () = self.flows.context.sleep(wait) => {}
            }
            wait *= 2;
        }
    }

    async fn end(&self, lease: JobLease, ending: Ending) -> Result<JobState, StoreError> {
        let flows = &self.flows;
        let tx = flows.store.begin().await?;
        let state = jobs::end(&tx, &flows.context, lease, ending).await?;
        tx.commit().await?;
        Ok(state)
    }
}

/// A job that panicked keeps its lease until that lapses; then it is tried again. The error would tell the panic's message,
/// which may hold data; where it happened was told when it did.
fn report_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(task = %error.id(), "a job panicked; it is tried again when its lease lapses");
    }
}

/// The error for people; what the store says is for the log and is logged here, once.
fn explain(error: &FlowError) -> String {
    if let FlowError::Store(cause) = error {
        tracing::error!(
            error = cause as &dyn std::error::Error,
            "a job met a failure of the database"
        );
    }
    error.to_string()
}

async fn heard_of_jobs(signals: &mut tokio::sync::broadcast::Receiver<Signal>) {
    use tokio::sync::broadcast::error::RecvError;
    loop {
        match signals.recv().await {
            Ok(Signal::Jobs | Signal::SettingsChanged) | Err(RecvError::Lagged(_)) => return,
            Ok(_) => {}
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}
