//! Whether the database is there, asked before the pool of connections is made. The pool tries in silence until its time is
//! up and then knows no cause; one connection tells it at once.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};

use super::error::StoreError;

/// A server that does not answer a connection for so long is not there.
const PATIENCE: Duration = Duration::from_secs(5);
/// Starting up or shutting down, and no connection left: what a server says that may soon take us.
/// (PostgreSQL, appendix A "Error Codes".)
const PASSING: [&str; 4] = ["57P01", "57P02", "57P03", "53300"];

/// Makes the file of a SQLite database, for its owner alone: the write-ahead log and the shared memory beside it get the
/// same permissions. A file that is there is not touched: closing it would end SQLite's own locks on it.
pub(super) fn make_file(path: &Path) -> Result<(), StoreError> {
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match made {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(StoreError::Unavailable(format!(
            "the database {} cannot be made: {error}; its folder must exist and be writable",
            path.display()
        ))),
    }
}

/// Makes one connection to PostgreSQL, and ends it.
///
/// # Errors
/// [`StoreError::Unreachable`] when trying again may help, [`StoreError::Unavailable`] when it does not; both with the cause.
pub(super) async fn reach(url: &SecretString) -> Result<(), StoreError> {
    let options: PgConnectOptions = url.expose_secret().parse().map_err(|error: sqlx::Error| {
        StoreError::Unavailable(format!("database.url cannot be read: {error}"))
    })?;
    let server = format!(
        "PostgreSQL at {}:{} (database {}, user {})",
        options.get_host(),
        options.get_port(),
        options.get_database().unwrap_or("by default"),
        options.get_username()
    );
    let connected = tokio::time::timeout(PATIENCE, PgConnection::connect_with(&options)).await;
    match connected {
        Ok(Ok(connection)) => {
            // It is no longer needed; that it cannot say goodbye is no failure.
            drop(connection.close().await);
            Ok(())
        }
        Ok(Err(error)) => Err(judge(&server, &error)),
        Err(_) => Err(StoreError::Unreachable(format!(
            "{server} does not answer within {} seconds",
            PATIENCE.as_secs()
        ))),
    }
}

fn judge(server: &str, error: &sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::Io(cause) => {
            StoreError::Unreachable(format!("{server} cannot be reached: {cause}"))
        }
        sqlx::Error::Database(cause) => {
            let text = format!("{server} refuses: {}", cause.message());
            if cause.code().is_some_and(|code| PASSING.contains(&&*code)) {
                return StoreError::Unreachable(text);
            }
            StoreError::Unavailable(format!("{text}; mend database.url"))
        }
        other => StoreError::Unavailable(format!("{server}: {other}")),
    }
}
