//! Jobs: durable background work (D5, decision 3). A Job's input is ids; it reloads what it works on.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ids::{JobId, MatchPlanId, ProviderAccountId, ProviderId};

/// Tries before a Job is given up (D5).
pub const MAX_ATTEMPTS: i32 = 5;

/// What a Job does.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "input")]
pub enum JobWork {
    /// List the customers of a provider and keep its Provider Accounts up to date; then auto-match.
    SyncProviderAccounts {
        /// The provider.
        provider_id: ProviderId,
    },
    /// Read the subscriptions of all of a provider's customers.
    SyncSubscriptions {
        /// The provider.
        provider_id: ProviderId,
    },
    /// Pull the changes of Accounts and Contacts from the CRM.
    SyncCrmDirectory,
    /// Auto-match whatever is unmapped.
    AutoMatch,
    /// Save what an auto-match would map (B4).
    PlanAutoMatch,
    /// Make the mappings that were chosen of a plan.
    ApplyMatchPlan {
        /// The plan.
        plan_id: MatchPlanId,
    },
    /// Take back the mappings that were chosen of a plan.
    UndoMatchPlan {
        /// The plan.
        plan_id: MatchPlanId,
    },
    /// Look again at everything that is mapped (B9, B12).
    CheckMappings,
    /// Go on with the creation of an Account that stopped in the middle (B8).
    CreateAccount {
        /// For this Provider Account.
        provider_account_id: ProviderAccountId,
    },
    /// Open the exceptions that time makes (D6).
    WatchExceptions,
    /// Remove what has outlived its retention.
    Sweep,
}

impl JobWork {
    /// The name in the API and the store.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::SyncProviderAccounts { .. } => "sync-provider-accounts",
            Self::SyncSubscriptions { .. } => "sync-subscriptions",
            Self::SyncCrmDirectory => "sync-crm-directory",
            Self::AutoMatch => "auto-match",
            Self::PlanAutoMatch => "plan-auto-match",
            Self::ApplyMatchPlan { .. } => "apply-match-plan",
            Self::UndoMatchPlan { .. } => "undo-match-plan",
            Self::CheckMappings => "check-mappings",
            Self::CreateAccount { .. } => "create-account",
            Self::WatchExceptions => "watch-exceptions",
            Self::Sweep => "sweep",
        }
    }

    /// The provider it is for.
    #[must_use]
    pub const fn provider_id(&self) -> Option<ProviderId> {
        match self {
            Self::SyncProviderAccounts { provider_id }
            | Self::SyncSubscriptions { provider_id } => Some(*provider_id),
            _ => None,
        }
    }

    /// At most one Job with the same key is unfinished; asking for a second returns the first.
    #[must_use]
    pub fn concurrency_key(&self) -> String {
        match self {
            Self::SyncProviderAccounts { provider_id } => format!("provider:{provider_id}"),
            Self::SyncSubscriptions { provider_id } => format!("subscriptions:{provider_id}"),
            Self::SyncCrmDirectory => "crm-directory".to_owned(),
            Self::AutoMatch => "auto-match".to_owned(),
            Self::PlanAutoMatch => "plan-auto-match".to_owned(),
            Self::ApplyMatchPlan { plan_id } | Self::UndoMatchPlan { plan_id } => {
                format!("match-plan:{plan_id}")
            }
            Self::CheckMappings => "check-mappings".to_owned(),
            Self::CreateAccount {
                provider_account_id,
            } => format!("create-account:{provider_account_id}"),
            Self::WatchExceptions => "watch-exceptions".to_owned(),
            Self::Sweep => "sweep".to_owned(),
        }
    }

    /// Whether being asked for while it runs makes it run once more: what it is asked about may have come after it passed.
    #[must_use]
    pub const fn follows_itself(&self) -> bool {
        match self {
            Self::AutoMatch
            | Self::SyncCrmDirectory
            | Self::ApplyMatchPlan { .. }
            | Self::UndoMatchPlan { .. }
            | Self::CheckMappings
            | Self::CreateAccount { .. } => true,
            Self::SyncProviderAccounts { .. }
            | Self::SyncSubscriptions { .. }
            | Self::PlanAutoMatch
            | Self::WatchExceptions
            | Self::Sweep => false,
        }
    }
}

/// Where a Job stands (D5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobState {
    /// In the queue.
    Waiting,
    /// Being worked on.
    InProgress,
    /// Failed, to be tried again.
    Retry,
    /// Done.
    Succeeded,
    /// Given up.
    Failed,
    /// Nothing to do any more.
    NotApplicable,
    /// Stopped by a person.
    Cancelled,
}

impl JobState {
    /// All states.
    pub const ALL: [Self; 7] = [
        Self::Waiting,
        Self::InProgress,
        Self::Retry,
        Self::Succeeded,
        Self::Failed,
        Self::NotApplicable,
        Self::Cancelled,
    ];

    /// The name in the API and the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::InProgress => "in-progress",
            Self::Retry => "retry",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::NotApplicable => "not-applicable",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads [`Self::name`] back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether nothing more will happen to it.
    #[must_use]
    pub const fn finished(self) -> bool {
        matches!(
            self,
            Self::Succeeded | Self::Failed | Self::NotApplicable | Self::Cancelled
        )
    }
}

/// The right to work on a Job: its id and the fencing token of the claim. Every commit of the Job checks it, so that an
/// instance that lost its lease writes nothing more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobLease {
    /// The Job.
    pub job_id: JobId,
    /// Grows by one with each claim.
    pub fence: i64,
}

/// A Job as we keep it.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Our id.
    pub id: JobId,
    /// What it does.
    pub work: JobWork,
    /// Where it stands.
    pub state: JobState,
    /// Tries begun so far.
    pub attempts: i32,
    /// Pieces done.
    pub progress_done: i64,
    /// Pieces in all; `None` while unknown.
    pub progress_total: Option<i64>,
    /// The result, once succeeded.
    pub result: Option<serde_json::Value>,
    /// Why the last try failed, in words for people.
    pub error: Option<String>,
    /// Who asked for it, for people to read.
    pub requested_by: String,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When the latest try began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// Not before this instant.
    pub run_at: DateTime<Utc>,
    /// The Job that asked for this one.
    pub parent_id: Option<JobId>,
    /// The id under which the side that asked for it knows it; a child has that of its parent.
    pub correlation_id: Option<String>,
}

impl Job {
    /// The id that goes with every call to a provider: that of whoever asked, where it is one that providers take.
    #[must_use]
    pub fn correlation(&self) -> Uuid {
        let given = self.correlation_id.as_deref();
        given
            .and_then(|text| text.trim().parse().ok())
            .unwrap_or_else(|| self.id.as_uuid())
    }
}
