//! Writes down how tries went, as many in one transaction as have come together while the last one was committed.

use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;

use super::attempt::Tried;
use super::flight::Flight;
use super::{Deliverer, Summary};
use crate::domain::caller::Caller;
use crate::domain::exception::ExceptionKind;
use crate::domain::ids::SubscriptionId;
use crate::domain::trigger::subscription_subject;
use crate::events::schedule::{REFUSED_FOR, RetireReason};
use crate::store::audit::Entry;
use crate::store::deliveries::{self, Outcome, Recorded};
use crate::store::{StoreError, WriteTx, audit, dispatch, exceptions, triggers};

/// Tries in one transaction at most.
const BATCH: usize = 500;

/// Pause before writing down is tried again.
const PAUSE: Duration = Duration::from_secs(1);

impl Deliverer {
    /// Records until no more tries come. What cannot be recorded in `attempts` attempts is given up: its lease ends, and
    /// it is sent once more.
    pub(super) async fn record_all(
        &self,
        mut tries: UnboundedReceiver<Tried>,
        flight: &Flight,
        attempts: u32,
    ) -> Result<Summary, StoreError> {
        let mut sum = Summary::default();
        let mut failed = None;
        let mut batch = Vec::new();
        while tries.recv_many(&mut batch, BATCH).await > 0 {
            match self.record_patiently(&batch, attempts).await {
                Ok(()) => sum.add(&batch),
                Err(error) => {
                    tracing::error!(
                        ?error,
                        tries = batch.len(),
                        "tries could not be recorded; they will be sent again"
                    );
                    failed = Some(error);
                }
            }
            flight.give_back(batch.iter().map(|tried| tried.host.as_str()));
            batch.clear();
        }
        failed.map_or(Ok(sum), Err)
    }

    async fn record_patiently(&self, batch: &[Tried], attempts: u32) -> Result<(), StoreError> {
        let mut attempt = 1;
        loop {
            match self.record(batch).await {
                Err(error) if attempt < attempts => {
                    tracing::warn!(?error, "tries could not be recorded; trying again");
                    self.context.sleep(PAUSE).await;
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }

    async fn record(&self, batch: &[Tried]) -> Result<(), StoreError> {
        let tx = self.store.begin().await?;
        let mut retired: Vec<(SubscriptionId, RetireReason)> = batch
            .iter()
            .filter_map(|tried| Some((tried.recorded.subscription, tried.retire?)))
            .collect();
        if !retired.is_empty() {
            dispatch::exclude(&tx, &self.context).await?;
        }
        let recorded: Vec<Recorded> = batch.iter().map(|tried| tried.recorded.clone()).collect();
        let refused_since = deliveries::record(&tx, &self.context, &recorded).await?;
        retired.sort_by_key(|(id, _)| *id);
        retired.dedup_by_key(|(id, _)| *id);
        for (id, reason) in retired {
            // Another try of the same batch, or another instance, may have heard something better meanwhile.
            let since = refused_since.get(&id).copied().flatten();
            let still = since.is_some_and(|since| self.context.now() - since >= REFUSED_FOR);
            if reason == RetireReason::Gone || still {
                self.retire(&tx, id, reason).await?;
            }
        }
        tx.commit().await
    }

    async fn retire(
        &self,
        tx: &WriteTx,
        id: SubscriptionId,
        reason: RetireReason,
    ) -> Result<(), StoreError> {
        let text = match reason {
            RetireReason::Gone => "the receiver answered 410 Gone",
            RetireReason::Refused => {
                "the receiver answered with nothing but 401, 403 or 404 for 24 hours"
            }
        };
        let Some(subscription) = triggers::retire(tx, &self.context, id, text).await? else {
            return Ok(());
        };
        let subject = subscription_subject(id);
        if reason == RetireReason::Refused {
            let whose = subscription.label.or(subscription.workflow_id);
            let detail = format!(
                "the trigger subscription of {} at {} was retired: {text}",
                whose.as_deref().unwrap_or("a flow"),
                subscription.callback_host
            );
            let remedy = "look at the flow in Power Automate; if it is still wanted, turn it off and on again, so that it subscribes anew";
            let kind = ExceptionKind::TriggerRefused;
            exceptions::open(tx, &self.context, kind, &subject, &detail, remedy).await?;
        }
        let entry = Entry {
            action: "trigger.retired",
            subject,
            reason: Some(text.to_owned()),
            ..Entry::default()
        };
        audit::record(tx, &self.context, &Caller::service("deliveries"), entry).await
    }
}

impl Summary {
    fn add(&mut self, batch: &[Tried]) {
        for tried in batch {
            let (count, outcome) = match tried.recorded.outcome {
                Outcome::Delivered => (&mut self.delivered, "delivered"),
                Outcome::TryAt(_) => (&mut self.failed, "failed"),
                Outcome::Dead => (&mut self.dead, "dead"),
                Outcome::Released => (&mut self.released, "released"),
            };
            *count += 1;
            metrics::counter!("provider_bridge_delivery_tries_total", "outcome" => outcome)
                .increment(1);
        }
    }
}
