//! Sends what is due. Three loops run side by side in one task: `feed` claims, `send` calls, `record_all` writes down, so
//! that the database and the receivers are busy at the same time and no delivery costs a transaction of its own.
//!
//! It can die anywhere: what was claimed becomes due again when its lease ends, so an event is delivered at least once,
//! and again under the same `webhook-id` when the answer was not yet written down.

mod attempt;
mod flight;
mod recorder;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;

use self::attempt::{Receiver, Tried, Work};
use self::flight::{AHEAD, Flight};
use super::wake::Wake;
use crate::domain::caller::Caller;
use crate::domain::context::Context;
use crate::domain::ports::owner::{Owners, Standing};
use crate::domain::ports::sealer::Sealer;
use crate::net::callback_client::CallbackClient;
use crate::store::audit::Entry;
use crate::store::deliveries::{self, Due};
use crate::store::{Signal, Store, StoreError, audit, triggers};

/// Looks by itself this often: tries that wait for their time send no signal.
const POLL: Duration = Duration::from_secs(1);

/// An owner's standing is asked again before a call that has waited longer for its turn.
const STALE: Duration = Duration::from_secs(2);

/// How much at once, and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Calls open to one host.
    pub per_host: usize,
    /// Calls open in all.
    pub total: usize,
    /// For one call. Power Automate itself allows a webhook call 120 s, but answers within one.
    pub timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            per_host: 64,
            total: 256,
            timeout: Duration::from_secs(20),
        }
    }
}

impl Limits {
    /// Long enough for everything claimed ahead to run into its time-out.
    fn lease(&self) -> Duration {
        self.timeout * (u32::try_from(AHEAD).unwrap_or(1) + 2)
    }
}

/// What a run did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Arrived.
    pub delivered: u64,
    /// Failed, to be tried again.
    pub failed: u64,
    /// Given up.
    pub dead: u64,
    /// Put back untried.
    pub released: u64,
}

/// The deliverer of one instance.
pub struct Deliverer {
    /// The database.
    pub store: Store,
    /// Time, chance and ids.
    pub context: Context,
    /// Calls receivers.
    pub client: CallbackClient,
    /// Opens callback URLs and signing secrets.
    pub sealer: Arc<dyn Sealer>,
    /// Says whether owners may still own subscriptions.
    pub owners: Arc<dyn Owners>,
    /// Name and kind of this deployment, as it stands in every event (A4).
    pub environment: Arc<str>,
    /// How much at once.
    pub limits: Limits,
}

/// When a run ends.
enum Until<'a> {
    NothingIsDue,
    Stopped(&'a CancellationToken),
}

impl Deliverer {
    /// Sends everything that is due, and what becomes due by that; returns when nothing more is.
    ///
    /// # Errors
    /// When the database refuses. What was not written down is sent again later.
    pub async fn run_once(&self) -> Result<Summary, StoreError> {
        self.resume().await?;
        self.fly(&Until::NothingIsDue, 1).await
    }

    /// Sends until told to stop; then finishes the calls that are open and puts the rest back.
    pub async fn run(&self, stop: &CancellationToken) {
        if let Err(error) = self.fly(&Until::Stopped(stop), 5).await {
            tracing::error!(?error, "some deliveries will be sent again");
        }
    }

    async fn fly(&self, until: &Until<'_>, attempts: u32) -> Result<Summary, StoreError> {
        let flight = Flight::new(self.limits.per_host, self.limits.total);
        let (work, claimed) = unbounded_channel();
        let (done, tries) = unbounded_channel();
        let (fed, (), recorded) = tokio::join!(
            self.feed(work, &flight, until),
            self.send(claimed, done, &flight, until),
            self.record_all(tries, &flight, attempts),
        );
        fed.and(recorded)
    }

    /// Claims as much as there is room for, again and again. Dropping `work` at the end ends the other loops.
    async fn feed(
        &self,
        work: UnboundedSender<Work>,
        flight: &Flight,
        until: &Until<'_>,
    ) -> Result<(), StoreError> {
        let mut wake = Wake::new(&self.store, Signal::Deliveries);
        loop {
            let was_empty = flight.is_empty();
            let claimed = self.claim(&work, flight).await;
            match (until, claimed) {
                (Until::NothingIsDue, Ok(1..)) => {}
                (Until::NothingIsDue, Ok(0)) if was_empty => return Ok(()),
                (Until::NothingIsDue, Ok(0)) => flight.changed().await,
                (Until::NothingIsDue, Err(error)) => return Err(error),
                (Until::Stopped(stop), _) if stop.is_cancelled() => return Ok(()),
                (Until::Stopped(_), Ok(1..)) => {}
                (Until::Stopped(stop), Ok(0)) => self.wait(stop, flight, &mut wake).await,
                (Until::Stopped(stop), Err(error)) => {
                    tracing::warn!(?error, "deliveries could not be claimed; trying again");
                    self.pause(stop).await;
                }
            }
        }
    }

    /// Waits for room or for work. Whoever lost their standing is looked at again from time to time.
    async fn wait(&self, stop: &CancellationToken, flight: &Flight, wake: &mut Wake) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = flight.changed() => {}
            () = wake.signal() => {}
            () = self.context.sleep(POLL) => {
                if let Err(error) = self.resume().await {
                    tracing::warn!(?error, "suspended triggers could not be read; trying again");
                }
            }
        }
    }

    async fn pause(&self, stop: &CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.context.sleep(POLL) => {}
        }
    }

    /// One round of claims; gives the number.
    async fn claim(
        &self,
        work: &UnboundedSender<Work>,
        flight: &Flight,
    ) -> Result<usize, StoreError> {
        let due = deliveries::due(&self.store, &self.context).await?;
        if due.is_empty() {
            return Ok(0);
        }
        let due = self.in_good_standing(due).await?;
        let quotas = flight.share(&due);
        if quotas.is_empty() {
            return Ok(0);
        }
        let lease = self.limits.lease();
        let since = self.context.now();
        let claimed = deliveries::claim(&self.store, &self.context, &quotas, lease).await?;
        let count = claimed.len();
        let mut receivers: HashMap<_, Arc<Receiver>> = HashMap::new();
        for claimed in claimed {
            let id = claimed.subscription;
            let receiver = match receivers.get(&id) {
                Some(receiver) => Arc::clone(receiver),
                None => {
                    let Some(due) = due.iter().find(|due| due.subscription.id == id) else {
                        continue;
                    };
                    let receiver = Arc::new(Receiver::open(due, &*self.sealer));
                    receivers.insert(id, Arc::clone(&receiver));
                    receiver
                }
            };
            flight.take(&receiver.host);
            let _ = work.send(Work {
                claimed,
                receiver,
                since,
            });
        }
        Ok(count)
    }

    /// Calls receivers, as many at once as the permits allow, until no more work comes.
    async fn send(
        &self,
        mut work: UnboundedReceiver<Work>,
        done: UnboundedSender<Tried>,
        flight: &Flight,
        until: &Until<'_>,
    ) {
        let mut calls = FuturesUnordered::new();
        let mut more = true;
        while more || !calls.is_empty() {
            tokio::select! {
                next = work.recv(), if more => match next {
                    Some(work) => calls.push(self.call(work, flight, until)),
                    None => more = false,
                },
                Some(tried) = calls.next() => {
                    let _ = done.send(tried);
                }
            }
        }
    }

    async fn call(&self, work: Work, flight: &Flight, until: &Until<'_>) -> Tried {
        let [of_host, of_all] = flight.permits(&work.receiver.host);
        let _permits = (of_host.acquire_owned().await, of_all.acquire_owned().await);
        let stopped = matches!(until, Until::Stopped(stop) if stop.is_cancelled());
        let waited = (self.context.now() - work.since)
            .to_std()
            .unwrap_or_default();
        let lapses = waited + self.limits.timeout >= self.limits.lease();
        if stopped || lapses || (waited > STALE && !self.stands(&work.receiver.owner).await) {
            return work.released();
        }
        self.attempt(&work).await
    }

    /// Suspends the subscriptions of owners who lost their standing, and leaves them out.
    async fn in_good_standing(&self, due: Vec<Due>) -> Result<Vec<Due>, StoreError> {
        let mut good: HashMap<String, bool> = HashMap::new();
        for owner in due.iter().map(|due| &due.subscription.owner) {
            if good.contains_key(owner) {
                continue;
            }
            let standing = self.owners.standing(owner).await;
            match &standing {
                Ok(Standing::Good) => {}
                Ok(Standing::Lost(reason)) => self.change(owner, Some(reason)).await?,
                Err(error) => {
                    tracing::warn!(%error, "deliveries wait until their owner's standing is known");
                }
            }
            good.insert(owner.clone(), standing == Ok(Standing::Good));
        }
        let stands = |due: &Due| good.get(&due.subscription.owner) == Some(&true);
        Ok(due.into_iter().filter(stands).collect())
    }

    async fn stands(&self, owner: &str) -> bool {
        self.owners.standing(owner).await == Ok(Standing::Good)
    }

    /// Wakes the subscriptions of owners who regained their standing.
    async fn resume(&self) -> Result<(), StoreError> {
        for owner in triggers::suspended_owners(self.store.reader()).await? {
            if self.stands(&owner).await {
                self.change(&owner, None).await?;
            }
        }
        Ok(())
    }

    /// Suspends an owner's subscriptions for `reason`, or wakes them.
    async fn change(&self, owner: &str, reason: Option<&str>) -> Result<(), StoreError> {
        let tx = self.store.begin().await?;
        let (action, changed) = match reason {
            Some(reason) => (
                "triggers.suspended",
                triggers::suspend(&tx, owner, reason).await?,
            ),
            None => ("triggers.resumed", triggers::resume(&tx, owner).await?),
        };
        if changed == 0 {
            return Ok(());
        }
        let entry = Entry {
            action,
            subject: format!("owner/{owner}"),
            after: Some(serde_json::json!({ "subscriptions": changed })),
            reason: reason.map(str::to_owned),
            ..Entry::default()
        };
        audit::record(&tx, &self.context, &Caller::service("deliveries"), entry).await?;
        tx.commit().await
    }
}
