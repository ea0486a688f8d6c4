//! The record of one sync of Provider Accounts (B1): what was seen, what changed, and whether the listing was complete.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::ids::{JobId, ProviderId, SyncRunId};

/// How a run ended. Only a complete listing may mark accounts as missing (decision 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunOutcome {
    /// Still going, or cut short by a crash.
    Running,
    /// The whole listing was read.
    Complete,
    /// The listing broke off; what was seen is kept.
    Incomplete,
}

impl RunOutcome {
    /// The name in the API and the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Complete => "complete",
            Self::Incomplete => "incomplete",
        }
    }

    /// Reads [`Self::name`] back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Running, Self::Complete, Self::Incomplete]
            .into_iter()
            .find(|outcome| outcome.name() == name)
    }
}

/// Counts of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunCounts {
    /// Customers the provider listed.
    pub listed: i64,
    /// Seen for the first time.
    pub new: i64,
    /// Known, and something differed.
    pub changed: i64,
    /// Known, and nothing differed.
    pub unchanged: i64,
    /// Customers of the listing that could not be read, and those whose details were asked for in vain; the latter are
    /// counted as new, changed or unchanged too.
    pub failed: i64,
    /// Known, but not in a complete listing.
    pub missing: i64,
    /// Customers whose details were fetched.
    pub details: i64,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncRun {
    /// Our id.
    pub id: SyncRunId,
    /// The provider.
    pub provider_id: ProviderId,
    /// The Job that did it.
    pub job_id: JobId,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// How it ended.
    pub outcome: RunOutcome,
    /// What was counted.
    pub counts: RunCounts,
    /// Why it is incomplete, and the first few failures, in words for people.
    pub notes: Vec<String>,
    /// Correlation ids of the provider's calls that failed, for its support.
    pub correlation_ids: Vec<String>,
}
