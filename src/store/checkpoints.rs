//! Checkpoints of SQLite: what was committed goes from its log into its file.
//!
//! What surprises: SQLite makes one within a commit, at every thousandth page, and every writer waits for it. Here a loop
//! makes them on another connection, beside who writes. A commit makes one only when the log got much longer than that,
//! which it does when commits follow one another without end, or when the loop does not run.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::error::StoreError;
use super::{Engine, Store};
use crate::domain::context::Context;

/// Pages of the log from which on a commit makes a checkpoint itself.
pub(super) const LONGEST_LOG: &str = "8000";
/// Pages from which on one is worth its two waits for the disk.
const WORTH_IT: i32 = 1000;
/// After a commit, the next look at the log is so far away.
const PAUSE: Duration = Duration::from_millis(50);

impl Store {
    /// Makes checkpoints while it is polled. On PostgreSQL, which makes its own, it returns at once.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn make_checkpoints(&self, context: &Context) -> Result<(), StoreError> {
        if self.engine() != Engine::Sqlite {
            return Ok(());
        }
        loop {
            self.committed().await;
            context.sleep(PAUSE).await;
            if self.pages_in_log().await? >= WORTH_IT {
                let checkpoint = "PRAGMA wal_checkpoint(PASSIVE)";
                self.reader().execute_unprepared(checkpoint).await?;
            }
        }
    }

    /// Pages that are in the log and not yet in the file.
    async fn pages_in_log(&self) -> Result<i32, StoreError> {
        let look =
            Statement::from_string(DbBackend::Sqlite, "PRAGMA wal_checkpoint(NOOP)".to_owned());
        let Some(row) = self.reader().query_one_raw(look).await? else {
            return Ok(0);
        };
        let (log, moved): (i32, i32) = (row.try_get("", "log")?, row.try_get("", "checkpointed")?);
        Ok(log - moved)
    }
}
