//! The Subscription Sync Report (D4): one run, and its lines: every field that changed, every subscription that came, went,
//! was attached or held, every failure in the provider's own words.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ids::{
    BillingContractId, JobId, PreviewId, ProductSubscriptionId, ProviderAccountId, ProviderId,
    SubscriptionRunId,
};
use super::sync_run::RunOutcome;

/// What set a run going.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunSource {
    /// A person decided on a preview.
    Manual,
    /// A Job, by schedule or on request.
    Automatic,
    /// A mapping or a contract came, changed or went.
    Attachment,
}

impl RunSource {
    /// All sources.
    pub const ALL: [Self; 3] = [Self::Manual, Self::Automatic, Self::Attachment];

    /// The name in the API and the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Automatic => "automatic",
            Self::Attachment => "attachment",
        }
    }

    /// Reads [`Self::name`] back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }
}

/// Counts of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SubscriptionCounts {
    /// Customers whose subscriptions were read.
    pub customers: i64,
    /// Customers that could not be read.
    pub failed_customers: i64,
    /// Subscriptions the provider listed.
    pub listed: i64,
    /// Seen for the first time.
    pub new: i64,
    /// Known, and something differed.
    pub changed: i64,
    /// Known, and nothing differed.
    pub unchanged: i64,
    /// Known, and no longer listed.
    pub gone: i64,
    /// Put into a contract.
    pub attached: i64,
    /// Without a contract.
    pub held: i64,
    /// Subscriptions that could not be read.
    pub unreadable: i64,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionRun {
    /// Our id.
    pub id: SubscriptionRunId,
    /// What set it going.
    pub source: RunSource,
    /// The provider, for a run over all of its customers.
    pub provider_id: Option<ProviderId>,
    /// The contract, for a run from one.
    pub contract_id: Option<BillingContractId>,
    /// The Job that did it.
    pub job_id: Option<JobId>,
    /// The preview that was decided on.
    pub preview_id: Option<PreviewId>,
    /// Who asked for it, for people to read.
    pub requested_by: String,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// How it ended.
    pub outcome: RunOutcome,
    /// What was counted.
    pub counts: SubscriptionCounts,
    /// Why it is incomplete, in words for people.
    pub note: Option<String>,
}

/// What a line of the report tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LineKind {
    /// A subscription was seen for the first time.
    New,
    /// A field changed.
    Field,
    /// A subscription is no longer listed.
    Gone,
    /// A subscription was put into a contract.
    Attached,
    /// A subscription moved from one contract to another.
    Moved,
    /// A subscription is without a contract.
    Held,
    /// A subscription, or a whole customer, could not be read or written.
    Failed,
}

impl LineKind {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::New,
        Self::Field,
        Self::Gone,
        Self::Attached,
        Self::Moved,
        Self::Held,
        Self::Failed,
    ];

    /// The name in the API and the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Field => "field",
            Self::Gone => "gone",
            Self::Attached => "attached",
            Self::Moved => "moved",
            Self::Held => "held",
            Self::Failed => "failed",
        }
    }

    /// Reads [`Self::name`] back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }
}

/// One line of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportLine {
    /// Its id, by which lines are in order.
    pub id: Uuid,
    /// The run.
    pub run_id: SubscriptionRunId,
    /// When.
    pub at: DateTime<Utc>,
    /// What it tells.
    pub kind: LineKind,
    /// The subscription, where we keep it.
    pub subscription_id: Option<ProductSubscriptionId>,
    /// The customer at the provider.
    pub provider_account_id: ProviderAccountId,
    /// The provider's id of the subscription.
    pub external_id: Option<String>,
    /// Name of the subscription, or of the customer.
    pub name: String,
    /// The field.
    pub field: Option<String>,
    /// Its value before.
    pub old: Option<String>,
    /// Its value after.
    pub new: Option<String>,
    /// The provider's own words, or why it is held.
    pub message: Option<String>,
    /// For the provider's support.
    pub correlation_id: Option<String>,
}
