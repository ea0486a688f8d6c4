//! The automatic sync (D2): a Job that reads the subscriptions of every customer of a provider, several at a time, and keeps
//! what differs, batch by batch.
//!
//! What surprises: reading goes on while a batch is written. A Job that is taken up again after a crash goes on with its run:
//! customers that it has read are not read again, so that the report tells everything once. A customer that left or failed
//! costs only itself; what fails for everybody ends the run.

use std::collections::HashSet;

use futures_util::StreamExt;
use serde_json::json;
use tokio::sync::mpsc;

use super::keep::Read;
use super::preview::AT_ONCE;
use crate::domain::caller::{Caller, Permission};
use crate::domain::event::NewEvent;
use crate::domain::ids::ProviderId;
use crate::domain::job::{Job, JobLease, JobWork};
use crate::domain::ports::provider::{FailureKind, ProviderClient, ProviderError};
use crate::domain::subscription_run::{RunSource, SubscriptionRun};
use crate::domain::sync_run::RunOutcome;
use crate::flows::stale_sync::Look;
use crate::flows::{FlowError, Flows};
use crate::store::exceptions::import;
use crate::store::subscriptions::reads;
use crate::store::subscriptions::sync::{self, Customer};
use crate::store::{WriteTx, jobs, outbox, providers, subscription_runs};

/// Customers written in one transaction.
const BATCH: usize = 250;
/// So many failures without a success in between, and the provider is left alone until the next run.
const MOST_FAILURES_IN_A_ROW: usize = 25;

/// One run while it goes on.
struct Running<'a> {
    flows: &'a Flows,
    by: Caller,
    lease: JobLease,
    run: SubscriptionRun,
    total: i64,
    failures_in_a_row: usize,
    /// What fails for everybody.
    broke_off: Option<ProviderError>,
}

fn result(run: &SubscriptionRun) -> serde_json::Value {
    json!({ "syncRunId": run.id, "counts": run.counts })
}

const fn hopeless(kind: FailureKind) -> bool {
    matches!(
        kind,
        FailureKind::Consent | FailureKind::Permission | FailureKind::Configuration
    )
}

impl Flows {
    /// Asks for a sync of the subscriptions of all of a provider's customers. While one is unfinished, that one is the
    /// answer.
    ///
    /// # Errors
    /// When the caller may not, there is no such provider, or it is disabled.
    pub async fn request_subscription_sync(
        &self,
        caller: &Caller,
        id: ProviderId,
    ) -> Result<Job, FlowError> {
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
        self.request(caller, &JobWork::SyncSubscriptions { provider_id: id })
            .await
    }

    /// Runs the sync. The result is the counts of the run.
    ///
    /// # Errors
    /// When the provider refuses everybody, or the store fails. What was read is kept all the same.
    pub async fn sync_subscriptions(
        &self,
        provider_id: ProviderId,
        lease: JobLease,
    ) -> Result<serde_json::Value, FlowError> {
        let provider = providers::find(self.store.reader(), provider_id)
            .await?
            .ok_or_else(|| FlowError::not_found("provider", provider_id))?;
        let reader = self.store.reader();
        if let Some(run) = subscription_runs::complete_of_job(reader, lease.job_id).await? {
            return Ok(result(&run));
        }
        let by = Caller::service(lease.job_id);
        let run = self.begin_or_go_on(&by, provider_id, lease).await?;
        let mut running = Running {
            flows: self,
            by,
            lease,
            run,
            total: 0,
            failures_in_a_row: 0,
            broke_off: None,
        };
        match self.providers.client(&provider).await {
            Ok(client) => running.read_all(client.as_ref(), provider_id).await?,
            Err(error) => running.broke_off = Some(error),
        }
        running.end().await
    }

    async fn begin_or_go_on(
        &self,
        by: &Caller,
        provider_id: ProviderId,
        lease: JobLease,
    ) -> Result<SubscriptionRun, FlowError> {
        let tx = self.store.begin().await?;
        jobs::guard(&tx, lease).await?;
        if let Some(run) = subscription_runs::unfinished_of_job(&*tx, lease.job_id).await? {
            return Ok(run);
        }
        let mut run = self.new_subscription_run(by, RunSource::Automatic);
        run.provider_id = Some(provider_id);
        run.job_id = Some(lease.job_id);
        subscription_runs::keep(&tx, &run).await?;
        tx.commit().await?;
        Ok(run)
    }

    /// Tells of a run that ended.
    pub(super) async fn tell_of_run(
        &self,
        tx: &WriteTx,
        run: &SubscriptionRun,
    ) -> Result<(), FlowError> {
        let event = NewEvent::subscription_sync_ended(run);
        Ok(outbox::publish(tx, &self.context, vec![event]).await?)
    }
}

impl Running<'_> {
    /// The customers that this run has not read yet.
    async fn due(&mut self, provider_id: ProviderId) -> Result<Vec<Customer>, FlowError> {
        let reader = self.flows.store.reader();
        let mut customers = sync::synced(reader, Some(provider_id), None).await?;
        self.total = i64::try_from(customers.len()).unwrap_or(i64::MAX);
        let counts = self.run.counts;
        if counts.customers + counts.failed_customers > 0 {
            let ids: Vec<_> = customers.iter().map(|it| it.id).collect();
            let began = self.run.started_at;
            let read: HashSet<_> = reads::of(reader, &ids)
                .await?
                .into_values()
                .filter(|reading| reading.asked_at >= began)
                .map(|reading| reading.provider_account_id)
                .collect();
            customers.retain(|it| !read.contains(&it.id));
        }
        Ok(customers)
    }

    async fn read_all(
        &mut self,
        client: &dyn ProviderClient,
        provider_id: ProviderId,
    ) -> Result<(), FlowError> {
        let due = self.due(provider_id).await?;
        let context = self.flows.context.clone();
        let (send, mut receive) = mpsc::channel(BATCH);
        let fetch = async {
            let mut reads = futures_util::stream::iter(due)
                .map(|customer| {
                    let context = &context;
                    async move {
                        let asked_at = context.now();
                        let answer = client.list_subscriptions(&customer.external_id).await;
                        Read {
                            customer: customer.id,
                            asked_at,
                            answer,
                        }
                    }
                })
                .buffer_unordered(AT_ONCE);
            while let Some(read) = reads.next().await {
                // Whoever keeps them has seen enough.
                if send.send(read).await.is_err() {
                    break;
                }
            }
            drop(send);
        };
        let keep = async {
            let mut over = false;
            while !over && self.broke_off.is_none() {
                let mut batch = Vec::with_capacity(BATCH);
                while batch.len() < BATCH && !over {
                    match receive.recv().await {
                        Some(read) => batch.push(read),
                        None => over = true,
                    }
                }
                self.keep_batch(batch).await?;
            }
            drop(receive);
            Ok(())
        };
        let ((), kept) = tokio::join!(fetch, keep);
        kept
    }

    async fn keep_batch(&mut self, mut batch: Vec<Read>) -> Result<(), FlowError> {
        batch.retain(|read| match &read.answer {
            Ok(_) => {
                self.failures_in_a_row = 0;
                true
            }
            Err(error) => {
                let own = matches!(
                    error.kind,
                    FailureKind::CustomerLeft | FailureKind::NotFound
                );
                self.failures_in_a_row += usize::from(!own);
                let everybodys =
                    hopeless(error.kind) || self.failures_in_a_row >= MOST_FAILURES_IN_A_ROW;
                if everybodys && self.broke_off.is_none() {
                    self.broke_off = Some(error.clone());
                }
                !hopeless(error.kind)
            }
        });
        if batch.is_empty() {
            return Ok(());
        }
        let flows = self.flows;
        let tx = flows.store.begin().await?;
        jobs::guard(&tx, self.lease).await?;
        flows
            .keep_reads(&tx, &self.by, &mut self.run, batch, None)
            .await?;
        let counts = self.run.counts;
        let done = counts.customers + counts.failed_customers;
        jobs::progress(&tx, self.lease, done, Some(self.total)).await?;
        Ok(tx.commit().await?)
    }

    /// Once everybody was read for the first time: tells together of what came up so far.
    async fn tell_of_import(&self, tx: &WriteTx) -> Result<(), FlowError> {
        let context = &self.flows.context;
        let Some(id) = self.run.provider_id else {
            return Ok(());
        };
        if providers::mark_subscriptions_imported(tx, context, id).await?
            && let Some(provider) = providers::find(&**tx, id).await?
        {
            import::tell(tx, context, &provider).await?;
        }
        Ok(())
    }

    async fn end(mut self) -> Result<serde_json::Value, FlowError> {
        let flows = self.flows;
        self.run.finished_at = Some(flows.context.now());
        self.run.outcome = if self.broke_off.is_some() {
            RunOutcome::Incomplete
        } else {
            RunOutcome::Complete
        };
        self.run.note = self.broke_off.as_ref().map(|error| error.message.clone());
        let tx = flows.store.begin().await?;
        jobs::guard(&tx, self.lease).await?;
        subscription_runs::keep(&tx, &self.run).await?;
        flows.tell_of_run(&tx, &self.run).await?;
        if self.broke_off.is_none() {
            self.tell_of_import(&tx).await?;
            flows.judge_staleness(&tx, Look::Close).await?;
        }
        tx.commit().await?;
        match self.broke_off {
            Some(error) => Err(error.into()),
            None => Ok(result(&self.run)),
        }
    }
}
