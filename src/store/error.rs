//! What can go wrong in the store.

use sea_orm::{DbErr, RuntimeErr, SqlErr};

const SQLITE_FULL: &str = "13";
const POSTGRES_DISK_FULL: &str = "53100";

/// A failure of the store. `Display` is for the log, not for callers.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or could not be reached.
    #[error("the database failed: {0}")]
    Database(DbErr),
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
    /// The database server cannot be reached now, which a restart of it may well mend.
    #[error("{0}")]
    Unreachable(String),
}

/// Its text holds that of its cause, so the cause is not chained: it would be said twice.
impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        Self::Database(error)
    }
}

impl StoreError {
    /// Whether a unique index refused the write.
    #[must_use]
    pub fn is_unique_violation(&self) -> bool {
        matches!(self, Self::Database(error)
            if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))))
    }

    /// Whether it is the database that cannot, rather than its rows that stand against it.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        matches!(
            self,
            Self::Database(_) | Self::Unavailable(_) | Self::Unreachable(_)
        ) && !self.is_unique_violation()
    }

    /// Whether the database has no room left: its disk is full, or it may not grow.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let Self::Database(error) = self else {
            return false;
        };
        let cause = match error {
            DbErr::Conn(cause) | DbErr::Exec(cause) | DbErr::Query(cause) => cause,
            _ => return false,
        };
        let RuntimeErr::SqlxError(cause) = cause else {
            return false;
        };
        let code = cause.as_database_error().and_then(|error| error.code());
        matches!(code.as_deref(), Some(SQLITE_FULL | POSTGRES_DISK_FULL))
    }

    /// What anybody may know of it.
    #[must_use]
    pub fn in_public(&self) -> &'static str {
        if self.is_full() {
            return "the database has no room left; free some on its disk";
        }
        "the database is not available"
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
