//! Time, chance and ids, handed in from outside (decision 13), so that tests move the clock by hand and nothing sleeps.
//! The one real clock and the one real source of chance live in `app`; everything else asks a [`Context`].

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use uuid::Uuid;

/// A boxed future that a [`Clock`] completes when its time has come.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Tells the time and wakes sleepers.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> DateTime<Utc>;
    /// Completes once `duration` has passed on this clock.
    fn sleep(&self, duration: Duration) -> Sleep;
}

/// A source of chance. In production it is the operating system's; in tests it is seeded.
pub trait Chance: Send + Sync {
    /// Fills the whole slice with unpredictable bytes.
    fn fill(&self, bytes: &mut [u8]);
}

/// What a flow needs of the world that is neither its input nor its data. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    clock: Arc<dyn Clock>,
    chance: Arc<dyn Chance>,
}

impl Context {
    /// Bundles a clock and a source of chance.
    pub fn new(clock: Arc<dyn Clock>, chance: Arc<dyn Chance>) -> Self {
        Self { clock, chance }
    }

    /// The present instant, cut to microseconds: the finest that both SQL engines keep, so that what was written reads
    /// back equal.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now().trunc_subsecs(6)
    }

    /// Waits on the injected clock.
    pub async fn sleep(&self, duration: Duration) {
        self.clock.sleep(duration).await;
    }

    /// A new UUID version 7 (RFC 9562), made of this context's time and chance.
    #[must_use]
    pub fn new_uuid(&self) -> Uuid {
        let mut random = [0_u8; 10];
        self.chance.fill(&mut random);
        let milliseconds = u64::try_from(self.clock.now().timestamp_millis()).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid()
    }

    /// 256 unpredictable bits, for keys and tokens.
    #[must_use]
    pub fn secret_bytes(&self) -> [u8; 32] {
        self.bytes()
    }

    /// `N` unpredictable bytes.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0_u8; N];
        self.chance.fill(&mut bytes);
        bytes
    }

    /// Between half of `duration` and the whole of it, evenly: the jitter that keeps many waiters from waking at once.
    #[must_use]
    pub fn jitter(&self, duration: Duration) -> Duration {
        let share = f64::from(u16::from_be_bytes(self.bytes::<2>())) / f64::from(u16::MAX);
        duration.mul_f64(0.5 + share / 2.0)
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").finish_non_exhaustive()
    }
}
