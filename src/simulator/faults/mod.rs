//! Faults that can be switched on and off while the simulator runs: everything that was seen or documented to go wrong at
//! Entra, Partner Center and Dataverse.
//!
//! A fault waits for requests of its upstream (and operation, where it names one), counts those it could hit, lets pass
//! those before `fromRequest`, then hits `times` of them or all that come within `forSeconds`.

mod after;
mod before;
mod catalogue;
mod kind;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::exchange::{Call, Upstream};

pub(super) use after::change;
pub(super) use before::replace;
pub(super) use catalogue::one_of_each;
pub use kind::{FaultKind, LinkForm, RetryAfter, ThrottleBody, TokenPlace};

/// A fault to switch on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fault {
    /// Whose answers go wrong.
    pub upstream: Upstream,
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: FaultKind,
    /// Only requests of this operation, as the statistics name it.
    #[serde(default)]
    pub operation: Option<String>,
    /// The first request that is hit, counted from 1 when the fault is switched on.
    #[serde(default = "first")]
    pub from_request: u64,
    /// So many requests are hit; all when it is absent.
    #[serde(default)]
    pub times: Option<u64>,
    /// Ends after so many seconds.
    #[serde(default)]
    pub for_seconds: Option<u32>,
}

const fn first() -> u64 {
    1
}

impl Fault {
    /// A fault that hits every request of an upstream.
    #[must_use]
    pub const fn new(upstream: Upstream, kind: FaultKind) -> Self {
        Self {
            upstream,
            kind,
            operation: None,
            from_request: 1,
            times: None,
            for_seconds: None,
        }
    }

    /// Hits so many requests only.
    #[must_use]
    pub const fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Lets the requests before the `nth` pass.
    #[must_use]
    pub const fn from(mut self, nth: u64) -> Self {
        self.from_request = nth;
        self
    }

    /// Hits one operation only.
    #[must_use]
    pub fn on(mut self, operation: &str) -> Self {
        self.operation = Some(operation.to_owned());
        self
    }
}

/// A fault that is switched on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ActiveFault {
    /// Names it when it is switched off.
    pub id: u64,
    /// The fault.
    #[serde(flatten)]
    pub fault: Fault,
    /// Requests it could have hit so far.
    pub seen: u64,
    /// Requests it has hit.
    pub hit: u64,
    /// When it ends.
    pub until: Option<DateTime<Utc>>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Lets requests pass without a lock while there is no fault, which is nearly always.
    any: AtomicBool,
    next: AtomicU64,
    active: Mutex<Vec<ActiveFault>>,
}

/// The switchboard. Cheap to clone; all clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Inner>);

/// What a fault must know of a request to see whether it could hit it.
pub(super) struct Target<'c> {
    pub upstream: Upstream,
    pub operation: &'static str,
    pub call: &'c Call,
    /// Number of the page that is asked for.
    pub page: u32,
    pub now: DateTime<Utc>,
}

impl Faults {
    /// Switches a fault on; the id switches it off again.
    pub fn add(&self, fault: Fault, now: DateTime<Utc>) -> u64 {
        let until = fault
            .for_seconds
            .map(|seconds| now + TimeDelta::seconds(i64::from(seconds)));
        let id = self.0.next.fetch_add(1, Ordering::Relaxed) + 1;
        self.active().push(ActiveFault {
            id,
            fault,
            seen: 0,
            hit: 0,
            until,
        });
        self.0.any.store(true, Ordering::Release);
        id
    }

    /// Switches a fault off; says whether it was on.
    pub fn remove(&self, id: u64) -> bool {
        let mut active = self.active();
        let before = active.len();
        active.retain(|fault| fault.id != id);
        self.0.any.store(!active.is_empty(), Ordering::Release);
        active.len() < before
    }

    /// Switches every fault off.
    pub fn clear(&self) {
        self.active().clear();
        self.0.any.store(false, Ordering::Release);
    }

    /// The faults that are on, used up ones too.
    #[must_use]
    pub fn list(&self) -> Vec<ActiveFault> {
        self.active().clone()
    }

    /// The faults that hit this request.
    pub(super) fn hitting(&self, target: &Target<'_>) -> Vec<FaultKind> {
        if !self.0.any.load(Ordering::Acquire) {
            return Vec::new();
        }
        let mut hits = Vec::new();
        for active in self.active().iter_mut() {
            let fault = &active.fault;
            let concerned = fault.upstream == target.upstream
                && fault
                    .operation
                    .as_deref()
                    .is_none_or(|operation| operation == target.operation)
                && active.until.is_none_or(|until| target.now < until)
                && fault.kind.concerns(target);
            if !concerned {
                continue;
            }
            active.seen += 1;
            if active.seen >= fault.from_request
                && fault.times.is_none_or(|times| active.hit < times)
            {
                active.hit += 1;
                hits.push(fault.kind.clone());
            }
        }
        hits
    }

    fn active(&self) -> std::sync::MutexGuard<'_, Vec<ActiveFault>> {
        self.0.active.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
