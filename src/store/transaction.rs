//! One writing transaction: what a flow commits, it commits here.

use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, SqliteTransactionMode,
    Statement, TransactionOptions, TransactionTrait,
};
use tokio::sync::Notify;

use super::error::StoreError;
use super::held_call::HeldCall;
use super::signals::{Signal, Signals};

/// The channel of LISTEN/NOTIFY.
pub(super) const NOTIFY_CHANNEL: &str = "provider_bridge";

/// Called after each commit; tests and benchmarks use it to die at a chosen one.
pub(super) type CommitObserver = Arc<dyn Fn() + Send + Sync>;

/// What follows a commit.
#[derive(Clone, Default)]
pub(super) struct AfterCommit {
    pub(super) signals: Signals,
    pub(super) observer: Option<CommitObserver>,
    /// Woken by each.
    pub(super) committed: Arc<Notify>,
}

impl AfterCommit {
    fn happen(&self, signals: Vec<Signal>) {
        if let Some(observer) = &self.observer {
            observer();
        }
        self.committed.notify_one();
        self.send(signals);
    }

    fn send(&self, signals: Vec<Signal>) {
        for signal in signals {
            self.signals.send(signal);
        }
    }
}

/// A writing transaction. Dropped without [`WriteTx::commit`], it is rolled back. It derefs to the connection, so that
/// functions of the store take `&*tx` or any other connection.
pub struct WriteTx {
    tx: DatabaseTransaction,
    pending: Mutex<Vec<Signal>>,
    after_commit: AfterCommit,
    /// The call this is a part of, if its answer commits with it.
    part_of: Option<Arc<HeldCall>>,
}

impl WriteTx {
    /// Begins one. On SQLite it is IMMEDIATE: a deferred one that upgrades to a write fails at once, whatever the busy
    /// time-out says.
    pub(super) async fn begin(
        connection: &DatabaseConnection,
        after_commit: AfterCommit,
    ) -> Result<Self, StoreError> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        let tx = connection.begin_with_options(options).await?;
        Ok(Self {
            tx,
            pending: Mutex::default(),
            after_commit,
            part_of: None,
        })
    }

    /// Begins a part of this one: a savepoint, which goes back alone when it is dropped.
    pub(super) async fn part(&self, of: Arc<HeldCall>) -> Result<Self, StoreError> {
        Ok(Self {
            tx: self.tx.begin().await?,
            pending: Mutex::default(),
            after_commit: self.after_commit.clone(),
            part_of: Some(of),
        })
    }

    /// Sends `signal` once this transaction has committed.
    pub fn signal(&self, signal: Signal) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if !pending.contains(&signal) {
            pending.push(signal);
        }
    }

    /// Commits, then sends the signals: locally at once, to other instances with the commit itself. A part of a
    /// [`HeldCall`] leaves both to the whole.
    ///
    /// # Errors
    /// When the database refuses; then nothing was written.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        let pending = self.take_pending();
        if let Some(call) = self.part_of {
            self.tx.commit().await?;
            call.end_part(pending).await;
            return Ok(());
        }
        self.tell_others(&pending).await?;
        self.tx.commit().await?;
        self.after_commit.happen(pending);
        Ok(())
    }

    /// Commits, and begins the next one on the same connection in the same step. Other writers wait meanwhile, so whoever
    /// asks for it often must end with a [`WriteTx::commit`] soon. For transactions that are part of nothing.
    ///
    /// # Errors
    /// When the database refuses. Then it may have been the beginning that failed, and what was written is there; the
    /// signals are sent all the same, because who looks in vain loses nothing.
    pub(super) async fn commit_and_begin(mut self) -> Result<Self, StoreError> {
        let pending = self.take_pending();
        self.tell_others(&pending).await?;
        let step = match self.tx.get_database_backend() {
            DbBackend::Sqlite => "COMMIT; BEGIN IMMEDIATE",
            _ => "COMMIT; BEGIN",
        };
        if let Err(error) = self.tx.execute_unprepared(step).await {
            self.after_commit.send(pending);
            return Err(error.into());
        }
        self.after_commit.happen(pending);
        Ok(self)
    }

    fn take_pending(&mut self) -> Vec<Signal> {
        let pending = self.pending.get_mut();
        std::mem::take(pending.unwrap_or_else(PoisonError::into_inner))
    }

    /// Has the signals sent to other instances with the commit.
    async fn tell_others(&self, pending: &[Signal]) -> Result<(), StoreError> {
        if self.tx.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        for signal in pending {
            let payload = serde_json::to_string(signal).unwrap_or_default();
            let notify = Statement::from_sql_and_values(
                DbBackend::Postgres,
                "select pg_notify($1, $2)",
                [NOTIFY_CHANNEL.into(), payload.into()],
            );
            self.tx.execute_raw(notify).await?;
        }
        Ok(())
    }
}

impl Deref for WriteTx {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        &self.tx
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::ConnectionTrait;

    use crate::store::{DatabaseLocation, DatabaseSettings, Signal, Store};

    #[tokio::test]
    async fn a_step_that_failed_sends_its_signals_and_leaves_nothing_half_written() {
        let folder = tempfile::tempdir().unwrap();
        let settings = DatabaseSettings {
            location: DatabaseLocation::Sqlite(folder.path().join("x.sqlite")),
            max_connections: 1,
        };
        let store = Store::open(&settings).await.unwrap();
        let mut heard = store.signals().subscribe();
        let tx = store.begin().await.unwrap();
        for statement in [
            "create table parent (id integer primary key)",
            "create table child (parent integer references parent (id) deferrable initially deferred)",
            "insert into child values (1)",
        ] {
            tx.execute_unprepared(statement).await.unwrap();
        }
        tx.signal(Signal::Jobs);
        assert!(tx.commit_and_begin().await.is_err());
        assert_eq!(heard.try_recv().unwrap(), Signal::Jobs);

        let tx = store.begin().await.unwrap();
        let again = "create table parent (id integer primary key)";
        tx.execute_unprepared(again).await.unwrap();
        let tx = tx.commit_and_begin().await.unwrap();
        let there = "insert into parent values (1)";
        tx.execute_unprepared(there).await.unwrap();
        tx.commit().await.unwrap();
    }
}
