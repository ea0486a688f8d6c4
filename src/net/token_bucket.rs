//! How fast we may ask: a token bucket (governor's GCRA) on the context's clock, shared by everybody who calls the same
//! host under the same quota. Waiters pass one at a time in the order they came. When the host throttles us all the same,
//! [`TokenBucket::pause`] holds everybody back: each further request would count against the same quota.

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use crate::domain::context::Context;

type Limiter = RateLimiter<NotKeyed, InMemoryState, ContextClock, NoOpMiddleware<Duration>>;

/// A token bucket. Share it behind an `Arc`.
pub struct TokenBucket {
    gate: Option<Gate>,
}

struct Gate {
    context: Context,
    limiter: Option<Limiter>,
    turn: tokio::sync::Mutex<()>,
    paused_until: Mutex<DateTime<Utc>>,
}

impl TokenBucket {
    /// Lets `per_minute` requests through in any minute, at most `burst` of them at once. To keep that promise for every
    /// window of a minute, it refills at `per_minute - burst`; a burst of half the quota or more is cut to half of it.
    /// Zero requests per minute lift the limit ([`Self::pause`] still works).
    #[must_use]
    pub fn new(context: Context, per_minute: u32, burst: u32) -> Self {
        let burst = burst.clamp(1, (per_minute / 2).max(1));
        let refill = NonZeroU32::new(per_minute.saturating_sub(burst).max(1));
        let limiter = match (per_minute, NonZeroU32::new(burst), refill) {
            (1.., Some(burst), Some(refill)) => Some(RateLimiter::direct_with_clock(
                Quota::per_minute(refill).allow_burst(burst),
                ContextClock::new(context.clone()),
            )),
            _ => None,
        };
        let gate = Gate {
            context,
            limiter,
            turn: tokio::sync::Mutex::default(),
            paused_until: Mutex::new(DateTime::<Utc>::MIN_UTC),
        };
        Self { gate: Some(gate) }
    }

    /// No limit, and no pauses either.
    #[must_use]
    pub const fn unlimited() -> Self {
        Self { gate: None }
    }

    /// Waits until one more request may be sent.
    pub async fn acquire(&self) {
        let Some(gate) = &self.gate else { return };
        if gate.limiter.is_none() && gate.pause_left().is_none() {
            return;
        }
        let _turn = gate.turn.lock().await;
        while let Some(wait) = gate.wait() {
            gate.context.sleep(wait).await;
        }
    }

    /// Lets nobody through before `wait` has passed.
    pub fn pause(&self, wait: Duration) {
        let Some(gate) = &self.gate else { return };
        let wait = TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX);
        let until = gate.context.now().checked_add_signed(wait);
        let mut paused = gate
            .paused_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *paused = (*paused).max(until.unwrap_or(DateTime::<Utc>::MAX_UTC));
    }
}

impl Gate {
    /// How long the one whose turn it is still has to wait; takes the token when that is not at all.
    fn wait(&self) -> Option<Duration> {
        if let Some(left) = self.pause_left() {
            return Some(left);
        }
        let limiter = self.limiter.as_ref()?;
        match limiter.check() {
            Ok(()) => None,
            Err(refused) => {
                let wait = refused.wait_time_from(limiter.clock().now());
                // The context tells whole microseconds: a wait that ends within one would end too early.
                let microseconds = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX);
                Some(Duration::from_micros(microseconds.saturating_add(1)))
            }
        }
    }

    fn pause_left(&self) -> Option<Duration> {
        let until = *self
            .paused_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let left = (until - self.context.now()).to_std().ok()?;
        (!left.is_zero()).then_some(left)
    }
}

impl std::fmt::Debug for TokenBucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenBucket")
            .field(
                "limited",
                &self
                    .gate
                    .as_ref()
                    .is_some_and(|gate| gate.limiter.is_some()),
            )
            .finish()
    }
}

/// The context's wall clock as governor wants it: never going back. When the system's clock is set back, time stands still
/// for a moment here and then goes on; without that, every waiter would sleep through the whole correction.
struct ContextClock {
    context: Context,
    seen: Mutex<Seen>,
}

struct Seen {
    wall: DateTime<Utc>,
    elapsed: Duration,
}

impl ContextClock {
    fn new(context: Context) -> Self {
        let seen = Mutex::new(Seen {
            wall: context.now(),
            elapsed: Duration::ZERO,
        });
        Self { context, seen }
    }
}

impl Clock for ContextClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let wall = self.context.now();
        let passed = (wall - seen.wall).to_std().unwrap_or_default();
        seen.elapsed += passed;
        seen.wall = wall;
        seen.elapsed
    }
}
