//! Gives events their one order and turns them into deliveries, as soon as they are committed. Many instances may run it:
//! the holder of the lease works, the others find nothing to do and take over when it dies.

use std::sync::Mutex;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::wake::Wake;
use crate::domain::context::Context;
use crate::store::dispatch::{self, Dispatched};
use crate::store::leases::{self, Lease};
use crate::store::{Signal, Store, StoreError};

/// How long a dispatcher that died keeps others waiting.
const LEASE: TimeDelta = TimeDelta::seconds(30);

/// Prolonged when less than this is left.
const PROLONG: TimeDelta = TimeDelta::seconds(10);

/// Events in one transaction at most.
const CHUNK: u32 = 1000;

/// Looks by itself this often, should a signal be missed.
const POLL: Duration = Duration::from_secs(2);

/// The dispatcher of one instance.
pub struct Dispatcher {
    store: Store,
    context: Context,
    holder: Uuid,
    lease: Mutex<Option<(Lease, DateTime<Utc>)>>,
}

impl Dispatcher {
    /// Makes the dispatcher of this instance.
    #[must_use]
    pub fn new(store: Store, context: Context) -> Self {
        Self {
            holder: context.new_uuid(),
            store,
            context,
            lease: Mutex::default(),
        }
    }

    /// Dispatches whatever waits; nothing while another instance has the lease.
    ///
    /// # Errors
    /// When the database refuses. What was dispatched until then stays so.
    pub async fn run_once(&self) -> Result<Dispatched, StoreError> {
        let mut sum = Dispatched::default();
        while dispatch::waiting(&self.store).await? {
            let Some(lease) = self.lease().await? else {
                break;
            };
            match dispatch::dispatch(&self.store, &self.context, lease, CHUNK).await {
                Ok(done) => {
                    sum.events += done.events;
                    sum.deliveries += done.deliveries;
                }
                Err(StoreError::NamedLeaseLost(_)) => {
                    self.keep(None);
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(sum)
    }

    /// Dispatches until told to stop.
    pub async fn run(&self, stop: &CancellationToken) {
        let mut wake = Wake::new(&self.store, Signal::Events);
        while !stop.is_cancelled() {
            if let Err(error) = self.run_once().await {
                tracing::warn!(?error, "events could not be dispatched; trying again");
            }
            wake.next(&self.context, POLL, stop).await;
        }
        let kept = self.kept().take();
        if let Some((lease, _)) = kept
            && let Err(error) = leases::release(&self.store, &self.context, lease).await
        {
            tracing::warn!(?error, "the right to dispatch ends by itself in a moment");
        }
    }

    async fn lease(&self) -> Result<Option<Lease>, StoreError> {
        let now = self.context.now();
        let kept = *self.kept();
        if let Some((lease, until)) = kept
            && until - now > PROLONG
        {
            return Ok(Some(lease));
        }
        let duration = LEASE.to_std().unwrap_or_default();
        let lease = dispatch::lease(&self.store, &self.context, self.holder, duration).await?;
        self.keep(lease.map(|lease| (lease, now + LEASE)));
        Ok(lease)
    }

    fn keep(&self, lease: Option<(Lease, DateTime<Utc>)>) {
        *self.kept() = lease;
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Option<(Lease, DateTime<Utc>)>> {
        self.lease
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
