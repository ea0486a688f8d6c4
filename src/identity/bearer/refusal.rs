//! Why a bearer token was not taken. The text goes to the caller: it says what is wrong with the token and who mends it, and
//! quotes nothing of it.

use std::time::Duration;

use crate::store::StoreError;

/// A token that opens nothing.
#[derive(Debug, thiserror::Error)]
pub enum BearerRefusal {
    /// This deployment takes API keys only.
    #[error(
        "this deployment takes no bearer tokens; call with an API key, or set callers.audiences"
    )]
    NotTaken,
    /// It proves nothing (401).
    #[error("the bearer token is not valid: {0}")]
    Invalid(&'static str),
    /// It proves who calls, but nothing is allowed to them (403).
    #[error("{0}")]
    Forbidden(String),
    /// The issuer's keys are not at hand and it does not answer (503).
    #[error("the keys of the token's issuer cannot be fetched at the moment")]
    KeysUnavailable {
        /// When it is asked again at the earliest.
        retry_after: Duration,
    },
    /// The store failed.
    #[error("the database is not available")]
    Store(#[from] StoreError),
}

impl BearerRefusal {
    pub(super) const fn invalid(why: &'static str) -> Self {
        Self::Invalid(why)
    }
}
