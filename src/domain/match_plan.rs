//! A saved plan of auto-match (B4): what would be mapped and why, applied and undone as one batch. What it says is checked
//! again when it is applied: a plan is never a licence to map on old evidence.

use chrono::{DateTime, Utc};

use super::ids::{AccountId, MatchPlanId, ProviderAccountId};
use super::mapping::Reason;

/// What became of one mapping of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PlanItemState {
    /// Would be made.
    Planned,
    /// Is being made.
    Applying,
    /// Was made.
    Applied,
    /// Was not made, because something had changed since the plan was made.
    Changed,
    /// Is being taken back.
    Undoing,
    /// Was taken back.
    Undone,
    /// Was not taken back, because somebody has changed the mapping since.
    Kept,
}

impl PlanItemState {
    /// All states.
    pub const ALL: [Self; 7] = [
        Self::Planned,
        Self::Applying,
        Self::Applied,
        Self::Changed,
        Self::Undoing,
        Self::Undone,
        Self::Kept,
    ];

    /// The name in the API and the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Applying => "applying",
            Self::Applied => "applied",
            Self::Changed => "changed",
            Self::Undoing => "undoing",
            Self::Undone => "undone",
            Self::Kept => "kept",
        }
    }

    /// Reads [`Self::name`] back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// A plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchPlan {
    /// Our id; that of the Job that made it.
    pub id: MatchPlanId,
    /// When it was begun.
    pub created_at: DateTime<Utc>,
    /// Who asked for it.
    pub created_by: String,
    /// When it was complete; only then it can be applied.
    pub made_at: Option<DateTime<Utc>>,
    /// Who applied it last, and when.
    pub applied: Option<(String, DateTime<Utc>)>,
    /// Who undid it last, and when.
    pub undone: Option<(String, DateTime<Utc>)>,
}

/// One mapping of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanItem {
    /// The Provider Account.
    pub provider_account_id: ProviderAccountId,
    /// Its name.
    pub name: String,
    /// The Account it would be mapped to.
    pub account_id: AccountId,
    /// Name of that Account.
    pub account_name: String,
    /// Between 0 and 1.
    pub confidence: f64,
    /// Evidence for and against.
    pub reasons: Vec<Reason>,
    /// Version of the mapping that was looked at.
    pub mapping_version: i64,
    /// What became of it.
    pub state: PlanItemState,
    /// Why it was not applied, or not undone.
    pub detail: Option<String>,
    /// Version of the mapping that was made.
    pub applied_version: Option<i64>,
}
