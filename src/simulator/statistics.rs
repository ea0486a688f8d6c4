//! What was asked of the stand-ins: counters for each operation, and the latest requests one by one.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::exchange::Upstream;

/// So many requests are remembered one by one.
const REMEMBERED: usize = 1000;

/// One request that was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// When it came, by the simulator's clock.
    pub at: DateTime<Utc>,
    /// Which stand-in.
    pub upstream: Upstream,
    /// What it wanted, e.g. `list-customers`.
    pub operation: &'static str,
    /// Method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Status of the answer; `None` when it was withheld.
    pub status: Option<u16>,
    /// `MS-RequestId` or `client-request-id`.
    pub request_id: Option<String>,
    /// `MS-CorrelationId`.
    pub correlation_id: Option<String>,
    /// `If-Match`.
    pub if_match: Option<String>,
    /// `If-None-Match`.
    pub if_none_match: Option<String>,
}

/// Requests of one operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Count {
    /// All of them.
    pub requests: u64,
    /// Those that were answered with 400 or more, or not at all.
    pub failed: u64,
}

#[derive(Default)]
struct Inner {
    counts: BTreeMap<(Upstream, &'static str), Count>,
    latest: VecDeque<Seen>,
    watcher: Option<Arc<dyn Fn() + Send + Sync>>,
}

/// The statistics. Cheap to clone; all clones are the same.
#[derive(Clone, Default)]
pub struct Statistics(Arc<Mutex<Inner>>);

impl std::fmt::Debug for Statistics {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.with(|inner| {
            formatter
                .debug_tuple("Statistics")
                .field(&inner.counts)
                .finish()
        })
    }
}

impl Statistics {
    /// Calls `watcher` for every request from now on, when its answer is decided and has not left yet. For tests that kill
    /// the caller at a chosen one.
    pub fn watch(&self, watcher: Arc<dyn Fn() + Send + Sync>) {
        self.with(|inner| inner.watcher = Some(watcher));
    }

    /// Counts of one stand-in, all operations together.
    #[must_use]
    pub fn requests(&self, upstream: Upstream) -> u64 {
        self.with(|inner| {
            inner
                .counts
                .iter()
                .filter(|((of, _), _)| *of == upstream)
                .map(|(_, count)| count.requests)
                .sum()
        })
    }

    /// Counts of one operation.
    #[must_use]
    pub fn operation(&self, upstream: Upstream, operation: &str) -> Count {
        self.with(|inner| {
            inner
                .counts
                .iter()
                .find(|((of, name), _)| *of == upstream && *name == operation)
                .map(|(_, count)| *count)
                .unwrap_or_default()
        })
    }

    /// Every count.
    #[must_use]
    pub fn counts(&self) -> Vec<(Upstream, &'static str, Count)> {
        self.with(|inner| {
            inner
                .counts
                .iter()
                .map(|((of, name), count)| (*of, *name, *count))
                .collect()
        })
    }

    /// The latest requests, the oldest first.
    #[must_use]
    pub fn latest(&self) -> Vec<Seen> {
        self.with(|inner| inner.latest.iter().cloned().collect())
    }

    /// Begins anew.
    pub fn reset(&self) {
        self.with(|inner| {
            inner.counts.clear();
            inner.latest.clear();
        });
    }

    pub(super) fn record(&self, seen: Seen) {
        let watcher = self.with(|inner| {
            let count = inner
                .counts
                .entry((seen.upstream, seen.operation))
                .or_default();
            count.requests += 1;
            count.failed += u64::from(seen.status.is_none_or(|status| status >= 400));
            if inner.latest.len() == REMEMBERED {
                inner.latest.pop_front();
            }
            inner.latest.push_back(seen);
            inner.watcher.clone()
        });
        if let Some(watcher) = watcher {
            watcher();
        }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
