//! Trying again: exponentially longer waits with jitter, at least as long as the other side asked for, bounded by tries and
//! by total time. Both clock and chance are the context's, so a test moves through an hour of waits by hand; that is why
//! only the series of delays comes from `backon` and neither its sleeping nor its jitter.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

use crate::domain::context::Context;
use crate::domain::ports::crm::CrmError;
use crate::domain::ports::provider::{FailureKind, ProviderError};

/// How often and how long to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The most attempts, the first included. Zero counts as one.
    pub tries: usize,
    /// The wait after the first failure; it doubles with each further one.
    pub first_delay: Duration,
    /// The longest wait of our own choice. A longer one that was asked for is honoured.
    pub max_delay: Duration,
    /// When waiting would go beyond this since the first attempt began, the error is given back instead.
    pub total: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            tries: 5,
            first_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(30),
            total: Duration::from_secs(180),
        }
    }
}

/// What an error says of trying again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advice {
    /// It will not get better by itself.
    GiveUp,
    /// Try again, after a wait of our choice.
    Again,
    /// Try again, but not before this has passed.
    AgainAfter(Duration),
}

/// An error that can advise.
pub trait Advise {
    /// Whether the same call may succeed, and when.
    fn advice(&self) -> Advice;
}

impl Advise for ProviderError {
    fn advice(&self) -> Advice {
        of_kind(self.kind, self.retry_after)
    }
}

impl Advise for CrmError {
    fn advice(&self) -> Advice {
        of_kind(self.kind, self.retry_after)
    }
}

fn of_kind(kind: FailureKind, retry_after: Option<Duration>) -> Advice {
    match (kind, retry_after) {
        (FailureKind::Throttled | FailureKind::Transient, Some(wait)) => Advice::AgainAfter(wait),
        (FailureKind::Throttled | FailureKind::Transient, None) => Advice::Again,
        _ => Advice::GiveUp,
    }
}

/// The waits of `policy`: the error that ends the series is the caller's answer.
#[derive(Debug)]
pub struct Waits {
    delays: backon::ExponentialBackoff,
    deadline: chrono::DateTime<chrono::Utc>,
}

impl Waits {
    /// Begins a series now.
    #[must_use]
    pub fn begin(policy: &RetryPolicy, context: &Context) -> Self {
        let delays = ExponentialBuilder::new()
            .with_min_delay(policy.first_delay)
            .with_max_delay(policy.max_delay)
            .with_max_times(policy.tries.saturating_sub(1))
            // The jitter is ours; the seed only keeps the builder from asking the system for one.
            .with_jitter_seed(0)
            .build();
        let now = context.now();
        let deadline = chrono::TimeDelta::from_std(policy.total)
            .ok()
            .and_then(|total| now.checked_add_signed(total))
            .unwrap_or(chrono::DateTime::<chrono::Utc>::MAX_UTC);
        Self { delays, deadline }
    }

    /// The next wait after an error with this advice; `None` when it is time to give up.
    pub fn next(&mut self, advice: Advice, context: &Context) -> Option<Duration> {
        let asked = match advice {
            Advice::GiveUp => return None,
            Advice::Again => Duration::ZERO,
            Advice::AgainAfter(wait) => wait,
        };
        let wait = context.jitter(self.delays.next()?).max(asked);
        let left = (self.deadline - context.now()).to_std().unwrap_or_default();
        (wait <= left).then_some(wait)
    }
}

/// Calls `attempt` until it succeeds, its error advises against it, or the policy is exhausted; the last error is the
/// answer. `attempt` is told its number, from 0.
///
/// # Errors
/// The last error of `attempt`.
pub async fn retry<T, E, F>(
    context: &Context,
    policy: &RetryPolicy,
    mut attempt: impl FnMut(usize) -> F,
) -> Result<T, E>
where
    E: Advise + std::fmt::Display,
    F: Future<Output = Result<T, E>>,
{
    let mut waits = Waits::begin(policy, context);
    let mut number = 0;
    loop {
        let error = match attempt(number).await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let Some(wait) = waits.next(error.advice(), context) else {
            return Err(error);
        };
        number += 1;
        tracing::debug!(%error, attempt = number, wait_ms = wait.as_millis(), "will try again");
        context.sleep(wait).await;
    }
}
