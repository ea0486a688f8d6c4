//! Opening the database, on either engine, and knowing whether its schema is ours.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend};
use sea_orm_migration::MigratorTrait;
use secrecy::{ExposeSecret, SecretString};
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};

use super::checkpoints::LONGEST_LOG;
use super::error::StoreError;
use super::held_call::{HeldCall, RunningCalls};
use super::migrations::Migrator;
use super::reach::{make_file, reach};
use super::readiness::LastWrite;
use super::signals::{Signal, Signals};
use super::transaction::{AfterCommit, NOTIFY_CHANNEL, WriteTx};

/// Any number will do, as long as only our migrations use it.
const MIGRATION_LOCK: i64 = 7_215_061;
/// A call waits so long for a connection to PostgreSQL, also while there is no server; then it is told to come back.
const POSTGRES_PATIENCE: Duration = Duration::from_secs(5);
/// A connection that was idle for so long may have lost its server, and is asked before it is used.
const IDLE: Duration = Duration::from_secs(1);

/// Where the data is.
#[derive(Debug, Clone)]
pub enum DatabaseLocation {
    /// A file; made when absent.
    Sqlite(PathBuf),
    /// A PostgreSQL URL. It may hold a password, so it is a secret.
    Postgres(SecretString),
}

/// How to open the database.
#[derive(Debug, Clone)]
pub struct DatabaseSettings {
    /// Where the data is.
    pub location: DatabaseLocation,
    /// Connections at most (PostgreSQL), or readers at most (SQLite, which has one writer beside them).
    pub max_connections: u32,
}

/// Which engine it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// One process, one file.
    Sqlite,
    /// Many instances.
    Postgres,
}

/// How the schema of a database compares with this program's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaState {
    /// Equal.
    Current,
    /// These migrations are still to be applied (all of them in an empty database).
    Older(Vec<String>),
    /// A newer program was here: these migrations are unknown to this one.
    Newer(Vec<String>),
}

/// The open database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    reader: DatabaseConnection,
    writer: DatabaseConnection,
    engine: Engine,
    after_commit: AfterCommit,
    running_calls: RunningCalls,
    last_probe: LastWrite,
}

impl Store {
    /// Opens the database; does not migrate it.
    ///
    /// # Errors
    /// When it cannot be opened or reached.
    pub async fn open(settings: &DatabaseSettings) -> Result<Self, StoreError> {
        let (reader, writer, engine) = match &settings.location {
            DatabaseLocation::Sqlite(path) => {
                let writer = sqlite(path, 1).await?;
                (
                    sqlite(path, settings.max_connections).await?,
                    writer,
                    Engine::Sqlite,
                )
            }
            DatabaseLocation::Postgres(url) => {
                let pool = postgres(url, settings.max_connections).await?;
                (pool.clone(), pool, Engine::Postgres)
            }
        };
        Ok(Self {
            reader,
            writer,
            engine,
            after_commit: AfterCommit::default(),
            running_calls: RunningCalls::default(),
            last_probe: LastWrite::default(),
        })
    }

    /// Calls `observer` after each commit. For tests and benchmarks that die at a chosen one.
    #[must_use]
    pub fn observed(mut self, observer: Arc<dyn Fn() + Send + Sync>) -> Self {
        self.after_commit.observer = Some(observer);
        self
    }

    /// Which engine it is.
    #[must_use]
    pub const fn engine(&self) -> Engine {
        self.engine
    }

    /// For reads outside a transaction.
    #[must_use]
    pub const fn reader(&self) -> &DatabaseConnection {
        &self.reader
    }

    /// Begins a writing transaction; within the work of a [`HeldCall`] a part of the one it holds.
    ///
    /// # Errors
    /// When the database cannot be reached, or SQLite's writer stayed busy.
    pub async fn begin(&self) -> Result<WriteTx, StoreError> {
        match HeldCall::current() {
            Some(call) => call.begin_part().await,
            None => self.begin_apart().await,
        }
    }

    /// Begins a transaction that is part of nothing.
    pub(super) async fn begin_apart(&self) -> Result<WriteTx, StoreError> {
        WriteTx::begin(&self.writer, self.after_commit.clone()).await
    }

    pub(super) const fn running_calls(&self) -> &RunningCalls {
        &self.running_calls
    }

    pub(super) const fn last_probe(&self) -> &LastWrite {
        &self.last_probe
    }

    /// The switchboard of this instance.
    #[must_use]
    pub const fn signals(&self) -> &Signals {
        &self.after_commit.signals
    }

    /// Waits until something was committed here since this was last asked.
    pub(super) async fn committed(&self) {
        self.after_commit.committed.notified().await;
    }

    /// How the schema compares with this program's.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn schema(&self) -> Result<SchemaState, StoreError> {
        let known: Vec<String> = Migrator::migrations()
            .iter()
            .map(|step| step.name().to_owned())
            .collect();
        let applied: Vec<String> = match Migrator::get_migration_models(&self.reader).await {
            Ok(rows) => rows.into_iter().map(|row| row.version).collect(),
            Err(error) if is_missing_table(&error) => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        let unknown: Vec<String> = applied
            .iter()
            .filter(|name| !known.contains(name))
            .cloned()
            .collect();
        if !unknown.is_empty() {
            return Ok(SchemaState::Newer(unknown));
        }
        let missing: Vec<String> = known
            .into_iter()
            .filter(|name| !applied.contains(name))
            .collect();
        Ok(if missing.is_empty() {
            SchemaState::Current
        } else {
            SchemaState::Older(missing)
        })
    }

    /// Applies what is missing, in one transaction and one process at a time.
    ///
    /// # Errors
    /// When the schema is newer than this program, or a migration fails; then nothing was changed.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        if let SchemaState::Newer(names) = self.schema().await? {
            return Err(StoreError::Schema(format!(
                "the database was migrated by a newer version of this program ({}); run that version",
                names.join(", ")
            )));
        }
        let tx = self.begin().await?;
        if self.engine == Engine::Postgres {
            let lock = format!("select pg_advisory_xact_lock({MIGRATION_LOCK})");
            tx.execute_unprepared(&lock).await?;
        }
        Migrator::up(&*tx, None).await?;
        tx.commit().await
    }

    /// Takes the exclusive right to run jobs and deliveries on a SQLite file, until the returned guard is dropped.
    /// PostgreSQL needs none: leases keep many instances apart.
    ///
    /// # Errors
    /// When another process holds it.
    pub fn exclusive(settings: &DatabaseSettings) -> Result<Option<File>, StoreError> {
        let DatabaseLocation::Sqlite(path) = &settings.location else {
            return Ok(None);
        };
        let lock = path.with_extension("lock");
        let unavailable = || {
            StoreError::Unavailable(format!(
                "cannot lock {}: another process serves this database; stop it, or give this one a data directory of its own",
                lock.display()
            ))
        };
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&lock)
            .map_err(|error| {
                StoreError::Unavailable(format!("{} cannot be made: {error}", lock.display()))
            })?;
        file.try_lock().map_err(|_| unavailable())?;
        Ok(Some(file))
    }

    /// Passes on what other instances signal, for as long as the connection lives. Returns at once on SQLite. The
    /// caller calls again after a failure, and treats that as "look at everything".
    ///
    /// # Errors
    /// When the connection cannot be made or is lost.
    pub async fn listen(&self) -> Result<(), StoreError> {
        if self.engine == Engine::Sqlite {
            return Ok(());
        }
        let lost =
            |error: sqlx::Error| StoreError::Unavailable(format!("listening failed: {error}"));
        let pool = self.reader.get_postgres_connection_pool();
        let mut listener = sqlx::postgres::PgListener::connect_with(pool)
            .await
            .map_err(lost)?;
        listener.listen(NOTIFY_CHANNEL).await.map_err(lost)?;
        loop {
            let Some(notification) = listener.try_recv().await.map_err(lost)? else {
                return Err(StoreError::Unavailable(
                    "the listening connection was cut".to_owned(),
                ));
            };
            if let Ok(signal) = serde_json::from_str::<Signal>(notification.payload()) {
                self.signals().send(signal);
            }
        }
    }

    /// Closes every connection; what is in flight finishes first.
    pub async fn close(self) {
        let _ = self.writer.close().await;
        let _ = self.reader.close().await;
    }

    /// A query that touches nothing, for readiness.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn ping(&self) -> Result<(), StoreError> {
        Ok(self.reader.ping().await?)
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("engine", &self.engine)
            .finish_non_exhaustive()
    }
}

async fn sqlite(path: &Path, connections: u32) -> Result<DatabaseConnection, StoreError> {
    make_file(path)?;
    let file = path.to_owned();
    let mut options = ConnectOptions::new("sqlite::memory:");
    options
        .max_connections(connections.max(1))
        .min_connections(1)
        .sqlx_logging(false);
    options
        .test_before_acquire(false)
        .acquire_timeout(Duration::from_secs(30));
    // After some failures (a full disk is one) SQLite has rolled back by itself, and the connection's own count of its
    // transactions is wrong: whatever it commits from then on would be part of one that never ends.
    options.map_sqlx_sqlite_before_acquire(|connection, _| {
        Box::pin(async move { Ok(!connection.is_in_transaction()) })
    });
    options.map_sqlx_sqlite_opts(move |sqlite| {
        sqlite
            .in_memory(false)
            .shared_cache(false)
            .filename(&file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(10))
            .foreign_keys(true)
            .statement_cache_capacity(200)
            .pragma("cache_size", "-16000")
            .pragma("temp_store", "memory")
            .pragma("wal_autocheckpoint", LONGEST_LOG)
    });
    Ok(Database::connect(options).await?)
}

async fn postgres(url: &SecretString, connections: u32) -> Result<DatabaseConnection, StoreError> {
    reach(url).await?;
    let mut options = ConnectOptions::new(url.expose_secret().to_owned());
    // One more for the listener, which keeps its connection for good.
    options
        .max_connections(connections.max(2) + 1)
        .min_connections(1)
        .sqlx_logging(false);
    options
        .test_before_acquire_if_idle_for(IDLE)
        .acquire_timeout(POSTGRES_PATIENCE);
    Ok(Database::connect(options).await?)
}

/// Before the first migration SeaORM's own table is absent; each engine says so in its own words.
fn is_missing_table(error: &sea_orm::DbErr) -> bool {
    let text = error.to_string();
    text.contains("no such table") || text.contains("does not exist")
}

impl From<Engine> for DbBackend {
    fn from(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => Self::Sqlite,
            Engine::Postgres => Self::Postgres,
        }
    }
}
