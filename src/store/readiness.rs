//! Whether the database can do its work now. Answering is not enough: on a full disk, or on a standby, it still reads. So a
//! look at it writes something that takes new pages and takes it away again, now and then.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ActiveValue::Set, EntityTrait};

use super::database::{Engine, Store};
use super::entities::setting;
use super::error::StoreError;
use crate::domain::context::Context;

/// Whoever asks for readiness does not wait longer; the database gets the same time for each of its two tasks.
const WITHIN: Duration = Duration::from_secs(2);
/// For so long a write that succeeded speaks for the next.
const TRUSTED: TimeDelta = TimeDelta::seconds(5);
/// More than fits into the pages a row or an index may have left.
const PROBE_BYTES: usize = 16_384;

/// When a probe was last written; none when the last one failed.
pub(super) type LastWrite = Arc<Mutex<Option<DateTime<Utc>>>>;

impl Store {
    /// Ok when the database answers and takes writes.
    ///
    /// # Errors
    /// When it does not, or not in two seconds.
    pub async fn check(&self, context: &Context) -> Result<(), StoreError> {
        let silent = |_| StoreError::Unavailable("the database does not answer".to_owned());
        tokio::time::timeout(WITHIN, self.ping())
            .await
            .map_err(silent)??;
        let now = context.now();
        let trusted = self.last_write().is_some_and(|at| now - at < TRUSTED);
        if trusted {
            return Ok(());
        }
        let written = tokio::time::timeout(WITHIN, self.write_probe(context)).await;
        *self.last_write() = matches!(written, Ok(Ok(()))).then_some(now);
        match written {
            Ok(outcome) => outcome,
            // SQLite has one writer, and it is at work: nothing is wrong.
            Err(_) if self.engine() == Engine::Sqlite => Ok(()),
            Err(late) => Err(silent(late)),
        }
    }

    fn last_write(&self) -> std::sync::MutexGuard<'_, Option<DateTime<Utc>>> {
        self.last_probe()
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a row that nobody sees, and removes it.
    async fn write_probe(&self, context: &Context) -> Result<(), StoreError> {
        let key = format!("probe/{}", context.new_uuid());
        let tx = self.begin_apart().await?;
        let row = setting::ActiveModel {
            key: Set(key.clone()),
            value: Set("x".repeat(PROBE_BYTES).into()),
            updated_at: Set(context.now()),
        };
        setting::Entity::insert(row)
            .exec_without_returning(&*tx)
            .await?;
        setting::Entity::delete_by_id(key).exec(&*tx).await?;
        tx.commit().await
    }
}
