//! The details that only a by-id call gives (decision 7): for what is new, changed or due for refresh, several at a time,
//! written in batches.

use chrono::TimeDelta;
use futures_util::StreamExt;

use super::{Run, hopeless};
use crate::domain::ids::ProviderAccountId;
use crate::domain::ports::provider::{ProviderClient, ProviderError};
use crate::domain::provider_account::{CustomerDetails, ExternalId};
use crate::flows::FlowError;
use crate::store::provider_accounts::{self, sync};
use crate::store::{jobs, settings, sync_runs};

/// Calls under way at once. The provider's token bucket sets the pace; this only hides the latency.
const AT_ONCE: usize = 16;
/// Details written in one transaction.
const BATCH: usize = 250;
/// So many failures without a success in between, and the provider is left alone until the next run.
const MOST_FAILURES_IN_A_ROW: usize = 25;

type Fetched = (
    ProviderAccountId,
    ExternalId,
    Result<CustomerDetails, ProviderError>,
);

impl Run<'_> {
    /// Fetches and keeps what is due.
    pub(super) async fn fetch_details(
        &mut self,
        client: &dyn ProviderClient,
    ) -> Result<(), FlowError> {
        let due = self.due().await?;
        let total = due.len();
        let mut fetches = futures_util::stream::iter(due)
            .map(|(id, external_id)| async move {
                let details = client.customer_details(&external_id).await;
                (id, external_id, details)
            })
            .buffer_unordered(AT_ONCE)
            .chunks(BATCH);
        let mut failures_in_a_row = 0;
        while let Some(batch) = fetches.next().await {
            let go_on = self
                .keep_batch(batch, total, &mut failures_in_a_row)
                .await?;
            if !go_on {
                self.note("the remaining details are left for the next run".to_owned());
                break;
            }
        }
        Ok(())
    }

    async fn due(&self) -> Result<Vec<(ProviderAccountId, ExternalId)>, FlowError> {
        let flows = self.flows;
        let reader = flows.store.reader();
        let days = i64::from(settings::load(reader).await?.details_refresh_days.max(1));
        let counts = provider_accounts::counts(reader, Some(self.provider.id)).await?;
        let all = counts.unmapped + counts.mapped + counts.excluded;
        // A share in each run, so that a refresh never comes as one wave; at least a hundred.
        let share = (all / u64::try_from(days).unwrap_or(1)).max(100);
        let stale_before = flows.context.now() - TimeDelta::days(days);
        Ok(sync::due_for_details(reader, self.provider.id, stale_before, share).await?)
    }

    /// Writes one batch. Says whether to go on.
    async fn keep_batch(
        &mut self,
        batch: Vec<Fetched>,
        total: usize,
        failures_in_a_row: &mut usize,
    ) -> Result<bool, FlowError> {
        let mut fetched = Vec::with_capacity(batch.len());
        let mut go_on = true;
        for (id, external_id, details) in batch {
            match details {
                Ok(details) => {
                    *failures_in_a_row = 0;
                    fetched.push((id, details));
                }
                Err(error) => {
                    *failures_in_a_row += 1;
                    self.record.counts.failed += 1;
                    self.note_failure(&format!("details of customer {external_id}"), &error);
                    go_on &= !hopeless(error.kind);
                }
            }
        }
        go_on &= *failures_in_a_row < MOST_FAILURES_IN_A_ROW;
        if fetched.is_empty() {
            return Ok(go_on);
        }
        self.record.counts.details += i64::try_from(fetched.len()).unwrap_or_default();
        let flows = self.flows;
        let tx = flows.store.begin().await?;
        jobs::guard(&tx, self.lease).await?;
        sync::save_details(&tx, &flows.context, fetched).await?;
        let done = self.record.counts.listed + self.record.counts.details;
        let all = self.record.counts.listed + i64::try_from(total).unwrap_or_default();
        jobs::progress(&tx, self.lease, done, Some(all)).await?;
        sync_runs::save(&tx, &self.record).await?;
        tx.commit().await?;
        Ok(go_on)
    }
}
