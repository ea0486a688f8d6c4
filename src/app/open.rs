//! Opening what every command needs: the database, the key ring, the HTTP client.

use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use chrono::TimeDelta;

use super::clock::system_context;
use super::output::note;
use crate::config::{Config, EnvironmentKind};
use crate::domain::caller::{Actor, ActorKind, Caller, Channel, Role};
use crate::domain::context::Context;
use crate::identity::key_ring::KeyRing;
use crate::net::client::{ClientSettings, HttpClient};
use crate::store::{DatabaseLocation, DatabaseSettings, Engine, SchemaState, Store, StoreError};

/// Who works at the command line: whoever has the database may do everything.
#[must_use]
pub fn operator() -> Caller {
    Caller {
        actor: Actor {
            kind: ActorKind::Service,
            id: "command-line".to_owned(),
            name: "Command line".to_owned(),
        },
        roles: Role::ALL.into_iter().collect(),
        channel: Channel::Cli,
        correlation_id: None,
    }
}

/// Where the configured database is.
#[must_use]
pub fn database_settings(config: &Config) -> DatabaseSettings {
    let location = match config.database.sqlite_file() {
        Some(file) => DatabaseLocation::Sqlite(file),
        None => DatabaseLocation::Postgres(config.database.url().clone()),
    };
    DatabaseSettings {
        location,
        max_connections: config.database.max_connections,
    }
}

/// A database server that is not there yet is waited for at start, so long in all and with such pauses.
const START_WITHIN: TimeDelta = TimeDelta::seconds(10);
const PAUSE: Duration = Duration::from_secs(1);

/// Opens the database as it is. A server that cannot be reached is tried again for a while, and said so.
///
/// # Errors
/// When it cannot be opened or reached.
pub async fn open_store(config: &Config) -> anyhow::Result<Store> {
    let settings = database_settings(config);
    if let DatabaseLocation::Sqlite(file) = &settings.location {
        let data = &config.database.data_directory;
        make_folder(file.parent().filter(|folder| folder.starts_with(data)))?;
    }
    let context = system_context();
    let until = context.now() + START_WITHIN;
    let mut told = false;
    loop {
        match Store::open(&settings).await {
            Ok(store) => return Ok(store),
            Err(error @ StoreError::Unreachable(_)) if context.now() < until => {
                if !told {
                    note(format!(
                        "{error}; trying for {} seconds",
                        START_WITHIN.num_seconds()
                    ));
                    told = true;
                }
                context.sleep(PAUSE).await;
            }
            Err(error) => return Err(error).context("the database cannot be opened"),
        }
    }
}

/// Makes a folder of ours, for its owner alone.
fn make_folder(folder: Option<&Path>) -> anyhow::Result<()> {
    let Some(folder) = folder.filter(|folder| !folder.as_os_str().is_empty()) else {
        return Ok(());
    };
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("the folder {} cannot be made", folder.display()))
}

/// Opens the database and makes sure that its schema is ours: SQLite is migrated, PostgreSQL must have been.
///
/// # Errors
/// When it cannot be opened, or its schema is older (PostgreSQL) or newer.
pub async fn open_current_store(config: &Config) -> anyhow::Result<Store> {
    let store = open_store(config).await?;
    match (store.schema().await?, store.engine()) {
        (SchemaState::Current, _) => {}
        (SchemaState::Older(steps), Engine::Postgres) => bail!(
            "the database lacks {} migrations ({}); run `provider-bridge migrate` once, then start again",
            steps.len(),
            steps.join(", ")
        ),
        (SchemaState::Older(_) | SchemaState::Newer(_), _) => store.migrate().await?,
    }
    Ok(store)
}

/// The key ring of the settings.
///
/// # Errors
/// When a key is malformed, or production has none.
pub fn open_key_ring(config: &Config, context: &Context) -> anyhow::Result<KeyRing> {
    let production = config.environment.kind == EnvironmentKind::Production;
    let directory = &config.database.data_directory;
    if config.keys.ring.is_empty() && !production {
        make_folder(Some(directory))?;
    }
    Ok(KeyRing::open(
        &config.keys.ring,
        production,
        directory,
        context,
    )?)
}

/// The guarded HTTP client for the upstream services.
///
/// # Errors
/// When the file of further trusted roots cannot be read.
pub fn open_http_client(config: &Config) -> anyhow::Result<HttpClient> {
    let settings = &config.http_client;
    let trusted_root_pem = match settings.trusted_roots() {
        None => None,
        Some(file) => Some(std::fs::read_to_string(file).with_context(|| {
            format!(
                "http_client.trusted_roots: {} cannot be read",
                file.display()
            )
        })?),
    };
    Ok(HttpClient::new(&ClientSettings {
        timeout: std::time::Duration::from_secs(settings.timeout_seconds.max(1)),
        trusted_root_pem,
        allow_plain_loopback: settings.allow_plain_loopback,
        ..ClientSettings::default()
    })?)
}
