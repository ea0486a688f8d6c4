//! Why identity refused or failed.

use crate::domain::caller::MissingRole;
use crate::store::StoreError;

/// A refusal or failure of this room. The text is fit for callers, but for [`Self::Store`], whose cause is for the log.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The caller has none of the roles that allow this (G5).
    #[error(transparent)]
    Forbidden(#[from] MissingRole),
    /// The input breaks a rule.
    #[error("{0}")]
    Invalid(String),
    /// There is no such thing.
    #[error("there is no {what} {id}")]
    NotFound {
        /// What was looked for.
        what: &'static str,
        /// The id asked for.
        id: String,
    },
    /// The store failed.
    #[error("the database is not available")]
    Store(#[from] StoreError),
}
