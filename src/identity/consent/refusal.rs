//! Why a consent was refused. The reason is one of a closed list and may stand in a URL; the text is for people, says what to
//! do, and holds nothing secret.

use crate::domain::consent::Trouble;
use crate::domain::ports::provider::{FailureKind, ProviderError};
use crate::identity::error::AccessError;
use crate::net::app_token::TokenError;
use crate::store::StoreError;

/// In one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// No sign-in was begun with this state.
    UnknownState,
    /// It was begun in another browser.
    ForeignState,
    /// It came back before.
    Replayed,
    /// It took too long.
    Expired,
    /// The sign-in service refused.
    Refused,
    /// The answer was of no use.
    BadAnswer,
    /// The `id_token` does not hold.
    BadIdentity,
    /// Another tenant than the one expected.
    WrongTenant,
    /// A real call was refused for lack of rights.
    NoRights,
    /// No second factor.
    NoSecondFactor,
    /// A setting or secret of ours.
    Settings,
    /// The provider or the sign-in service could not be asked.
    NotReachable,
    /// The caller may not.
    Forbidden,
    /// There is no such provider.
    NotFound,
    /// The database failed.
    Database,
}

impl Reason {
    /// The word in a URL.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnknownState => "unknown-state",
            Self::ForeignState => "foreign-state",
            Self::Replayed => "replayed",
            Self::Expired => "expired",
            Self::Refused => "refused",
            Self::BadAnswer => "bad-answer",
            Self::BadIdentity => "bad-identity",
            Self::WrongTenant => "wrong-tenant",
            Self::NoRights => "no-rights",
            Self::NoSecondFactor => "no-second-factor",
            Self::Settings => "settings",
            Self::NotReachable => "not-reachable",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not-found",
            Self::Database => "database",
        }
    }
}

/// A consent that was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct ConsentRefusal {
    /// In one word.
    pub reason: Reason,
    /// Who can mend it.
    pub trouble: Trouble,
    /// What failed, why, and what to do.
    pub text: String,
}

impl ConsentRefusal {
    pub(super) fn again(reason: Reason, text: impl Into<String>) -> Self {
        Self {
            reason,
            trouble: Trouble::ReConsent,
            text: text.into(),
        }
    }

    pub(super) fn operator(reason: Reason, text: impl Into<String>) -> Self {
        Self {
            reason,
            trouble: Trouble::Operator,
            text: text.into(),
        }
    }

    /// Of a real call that failed.
    pub(super) fn of_probe(error: &ProviderError) -> Self {
        let reason = match error.kind {
            FailureKind::Permission => Reason::NoRights,
            FailureKind::Consent => Reason::NoSecondFactor,
            FailureKind::Throttled | FailureKind::Transient | FailureKind::Protocol => {
                Reason::NotReachable
            }
            _ => Reason::Settings,
        };
        Self {
            reason,
            trouble: Trouble::of(error.kind),
            text: error.message.clone(),
        }
    }
}

impl From<TokenError> for ConsentRefusal {
    fn from(error: TokenError) -> Self {
        let reason = match error.kind {
            FailureKind::Throttled | FailureKind::Transient => Reason::NotReachable,
            FailureKind::Protocol => Reason::BadAnswer,
            _ => Reason::Refused,
        };
        Self {
            reason,
            trouble: Trouble::of(error.kind),
            text: error.message,
        }
    }
}

impl From<AccessError> for ConsentRefusal {
    fn from(error: AccessError) -> Self {
        let text = error.to_string();
        let reason = match error {
            AccessError::Forbidden(_) => Reason::Forbidden,
            AccessError::NotFound { .. } => Reason::NotFound,
            AccessError::Invalid(_) => Reason::Settings,
            AccessError::Store(error) => return error.into(),
        };
        Self::operator(reason, text)
    }
}

impl From<StoreError> for ConsentRefusal {
    fn from(error: StoreError) -> Self {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "a consent met a failure of the database"
        );
        Self {
            reason: Reason::Database,
            trouble: Trouble::Transient,
            text: "the database is not available; try again".to_owned(),
        }
    }
}
