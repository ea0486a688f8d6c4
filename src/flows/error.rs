//! Why a flow was refused or failed. The public text says what failed, why, and what to do next; causes stay inside for
//! the log.

use std::time::Duration;

use crate::domain::caller::MissingRole;
use crate::domain::ports::callback::CallbackRefused;
use crate::domain::ports::crm::CrmError;
use crate::domain::ports::provider::{FailureKind, ProviderError};
use crate::store::StoreError;

/// A flow's failure. `http` turns each into one problem.
#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    /// The caller has none of the roles that allow this (G5).
    #[error(transparent)]
    Forbidden(#[from] MissingRole),
    /// There is no such thing, or the caller may not know of it.
    #[error("there is no {what} {id}")]
    NotFound {
        /// What was looked for, in a word of the glossary.
        what: &'static str,
        /// The id asked for.
        id: String,
    },
    /// The input breaks a rule of the domain.
    #[error("{0}")]
    Invalid(String),
    /// The present state stands against it. `current` is that state, in the shape of the API.
    #[error("{detail}")]
    Conflict {
        /// What stands against it, and what to do.
        detail: String,
        /// The present state.
        current: serde_json::Value,
    },
    /// The caller's copy is stale (`If-Match`, decision 10).
    #[error("{0}")]
    Stale(String),
    /// A provider's API failed.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The CRM failed.
    #[error(transparent)]
    Crm(#[from] CrmError),
    /// The callback URL is refused.
    #[error(transparent)]
    Callback(#[from] CallbackRefused),
    /// The store failed.
    #[error("{}", .0.in_public())]
    Store(#[from] StoreError),
}

impl FlowError {
    /// Nothing with this id.
    pub fn not_found(what: &'static str, id: impl ToString) -> Self {
        Self::NotFound {
            what,
            id: id.to_string(),
        }
    }

    /// Whether the same call may succeed later without anybody doing anything.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self {
            Self::Provider(error) => error.retryable(),
            Self::Crm(error) => matches!(
                error.kind,
                FailureKind::Throttled | FailureKind::Transient | FailureKind::Protocol
            ),
            Self::Store(error) => !matches!(error, StoreError::Impossible { .. }),
            _ => false,
        }
    }

    /// How long the outside asked us to wait.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Provider(error) => error.retry_after,
            Self::Crm(error) => error.retry_after,
            _ => None,
        }
    }
}
