//! What can go wrong in the store.

use sea_orm::{DbErr, SqlErr};

/// A failure of the store. `Display` is for the log, not for callers.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or could not be reached.
    #[error("the database failed")]
    Database(#[from] DbErr),
    /// A row that this program could not have written.
    #[error("{table}.{column} of row {id} holds `{value}`, which is impossible")]
    Impossible {
        /// Table of the row.
        table: &'static str,
        /// Column that cannot be read.
        column: &'static str,
        /// Primary key of the row.
        id: String,
        /// What it holds, cut to 80 characters.
        value: String,
    },
    /// The lease of the Job was lost: another instance works on it now, or it was cancelled.
    #[error("the lease of job {0} was lost")]
    LeaseLost(crate::domain::ids::JobId),
    /// The named lease was lost: another instance has it now.
    #[error("the lease `{0}` was lost")]
    NamedLeaseLost(&'static str),
    /// Another call with the same idempotency key was there first.
    #[error("the call was made before")]
    Repeated,
    /// The schema is not the one this program was built for.
    #[error("{0}")]
    Schema(String),
    /// The database file is in use, or cannot be opened.
    #[error("{0}")]
    Unavailable(String),
}

impl StoreError {
    /// Whether a unique index refused the write.
    #[must_use]
    pub fn is_unique_violation(&self) -> bool {
        matches!(self, Self::Database(error)
            if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))))
    }

    /// An impossible value, cut to a length that fits a log line.
    pub fn impossible(
        table: &'static str,
        column: &'static str,
        id: impl ToString,
        value: impl ToString,
    ) -> Self {
        Self::Impossible {
            table,
            column,
            id: id.to_string(),
            value: value.to_string().chars().take(80).collect(),
        }
    }
}
