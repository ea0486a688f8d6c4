//! So many requests a minute and caller, by our own clock. The limiter is a single atomic number (GCRA), so that a call
//! takes no lock.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use moka::sync::Cache;

use crate::domain::context::Context;

/// Callers whose limiter is remembered; who is forgotten starts with a full allowance.
const REMEMBERED_CALLERS: u64 = 10_000;

#[derive(Clone)]
struct ContextClock(Context);

impl Clock for ContextClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        let since_epoch = self.0.now().timestamp_micros();
        Duration::from_micros(u64::try_from(since_epoch).unwrap_or_default())
    }
}

type Limiter = RateLimiter<NotKeyed, InMemoryState, ContextClock, NoOpMiddleware<Duration>>;

/// The limit of every caller.
pub struct RateLimit {
    quota: Option<Quota>,
    clock: ContextClock,
    callers: Cache<String, Arc<Limiter>>,
}

impl RateLimit {
    /// `per_minute` requests a caller, all at once if they like; 0 is no limit.
    #[must_use]
    pub fn new(per_minute: u32, context: Context) -> Self {
        Self {
            quota: NonZeroU32::new(per_minute).map(Quota::per_minute),
            clock: ContextClock(context),
            callers: Cache::new(REMEMBERED_CALLERS),
        }
    }

    /// Counts one request of `owner`.
    ///
    /// # Errors
    /// How long to wait, when the allowance is used up.
    pub fn check(&self, owner: &str) -> Result<(), Duration> {
        let Some(quota) = self.quota else {
            return Ok(());
        };
        let limiter = self.callers.get(owner).unwrap_or_else(|| {
            self.callers.get_with(owner.to_owned(), || {
                Arc::new(RateLimiter::direct_with_clock(quota, self.clock.clone()))
            })
        });
        limiter
            .check()
            .map_err(|until| until.wait_time_from(self.clock.now()))
    }
}
