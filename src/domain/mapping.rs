//! The link Provider Account -> CRM Account and its three states (B4), and the rule of who may replace whose (B7).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::ids::AccountId;

/// Who made a mapping. A person's is never touched by anything automatic (B7); a merge in the CRM carries it along (B10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MappedBy {
    /// A person, or a flow on a person's behalf.
    Person,
    /// Auto-match.
    AutoMatch,
}

impl MappedBy {
    /// The name in the API and the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::AutoMatch => "auto-match",
        }
    }

    /// Reads [`Self::name`] back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Person, Self::AutoMatch]
            .into_iter()
            .find(|by| by.name() == name)
    }
}

/// The state of a Provider Account's mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mapping {
    /// No Account yet.
    Unmapped {
        /// Since when.
        since: DateTime<Utc>,
    },
    /// Linked to one Account.
    Mapped {
        /// The Account.
        account_id: AccountId,
        /// Its name when the mapping was made, for people to read; never used to find it.
        account_name: String,
        /// Who made it.
        by: MappedBy,
        /// When.
        at: DateTime<Utc>,
    },
    /// An operator said: never map this one.
    Excluded {
        /// When.
        at: DateTime<Utc>,
        /// Why, in the operator's words.
        reason: String,
    },
}

/// The three states without their data, for filters and counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MappingState {
    /// No Account yet.
    Unmapped,
    /// Linked to one Account.
    Mapped,
    /// Never to be mapped.
    Excluded,
}

impl MappingState {
    /// All states.
    pub const ALL: [Self; 3] = [Self::Unmapped, Self::Mapped, Self::Excluded];

    /// The name in the API and the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unmapped => "unmapped",
            Self::Mapped => "mapped",
            Self::Excluded => "excluded",
        }
    }

    /// Reads [`Self::name`] back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

impl Mapping {
    /// The state without its data.
    #[must_use]
    pub const fn state(&self) -> MappingState {
        match self {
            Self::Unmapped { .. } => MappingState::Unmapped,
            Self::Mapped { .. } => MappingState::Mapped,
            Self::Excluded { .. } => MappingState::Excluded,
        }
    }

    /// The Account, when mapped.
    #[must_use]
    pub const fn account_id(&self) -> Option<AccountId> {
        match self {
            Self::Mapped { account_id, .. } => Some(*account_id),
            Self::Unmapped { .. } | Self::Excluded { .. } => None,
        }
    }

    /// Since when it is so.
    #[must_use]
    pub const fn changed_at(&self) -> DateTime<Utc> {
        match self {
            Self::Unmapped { since } => *since,
            Self::Mapped { at, .. } | Self::Excluded { at, .. } => *at,
        }
    }

    /// Whether auto-match may set this mapping: only where nobody decided anything (B7).
    #[must_use]
    pub const fn open_to_auto_match(&self) -> bool {
        matches!(self, Self::Unmapped { .. })
    }
}

/// One piece of evidence in plain words. In the store older ones are bare texts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "WrittenReason")]
pub struct Reason {
    /// What speaks for or against.
    pub text: String,
    /// Points of log-odds: below zero it speaks against. None for what is no matter of weight, such as a rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenReason {
    Text(String),
    Weighed { text: String, weight: Option<f64> },
}

impl From<WrittenReason> for Reason {
    fn from(written: WrittenReason) -> Self {
        match written {
            WrittenReason::Text(text) => Self { text, weight: None },
            WrittenReason::Weighed { text, weight } => Self { text, weight },
        }
    }
}

impl From<String> for Reason {
    fn from(text: String) -> Self {
        Self { text, weight: None }
    }
}

impl From<&str> for Reason {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

/// What an automatic mapping rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MatchEvidence {
    /// Between 0 and 1.
    pub confidence: f64,
    /// Evidence for and against, the strongest first.
    pub reasons: Vec<Reason>,
}

/// A ranked candidate Account for an unmapped Provider Account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Suggestion {
    /// The candidate.
    pub account_id: AccountId,
    /// Between 0 and 1.
    pub confidence: f64,
    /// Evidence for and against, the strongest first.
    pub reasons: Vec<Reason>,
}
