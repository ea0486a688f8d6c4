//! A fresh, migrated PostgreSQL database for one test. The cluster is the one that `TEST_POSTGRES_URL` names (`tests/run`
//! starts one for all tests, each of which is a process of its own), else one that this process starts. The schema is
//! laid once, in a template named after the migrations' text, and copied for each test, which takes about 12 ms.

mod cluster;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::OnceLock;

use provider_bridge::store::{DatabaseLocation, DatabaseSettings, Store};
use sqlx::{Connection, Executor, PgConnection};
use url::Url;

use cluster::Cluster;

/// Any number will do, as long as only this template is built under it.
const TEMPLATE_LOCK: i64 = 7_215_062;

/// A database of its own; dropping it removes it, also when its test has failed.
pub struct Database {
    name: String,
}

impl Database {
    /// Copies the template.
    pub async fn create() -> Self {
        let mut admin = PgConnection::connect(server().as_str())
            .await
            .expect("PostgreSQL for tests");
        let template = template(&mut admin).await;
        let name = format!("pb_test_{:016x}", rand::random::<u64>());
        let strategy = if copies_files(&mut admin).await {
            "strategy file_copy"
        } else {
            ""
        };
        run(
            &mut admin,
            format!("create database {name} template {template} {strategy}"),
        )
        .await;
        Self { name }
    }

    /// Where it is.
    pub fn location(&self) -> DatabaseLocation {
        DatabaseLocation::Postgres(url_of(&self.name).to_string().into())
    }
}

impl Drop for Database {
    /// A thread of its own: the test's runtime may be the one that is unwinding.
    fn drop(&mut self) {
        let name = self.name.clone();
        let remove = async move {
            let mut admin = PgConnection::connect(server().as_str()).await?;
            admin
                .execute(sqlx::AssertSqlSafe(format!(
                    "drop database {name} with (force)"
                )))
                .await
        };
        let removed = std::thread::spawn(|| {
            actix_web::rt::Runtime::new()?
                .block_on(remove)
                .map_err(std::io::Error::other)
        });
        if let Ok(Err(error)) = removed.join() {
            eprintln!("{} stays behind: {error}", self.name);
        }
    }
}

/// The URL of the server's first database.
fn server() -> &'static Url {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    static SERVER: OnceLock<Url> = OnceLock::new();
    SERVER.get_or_init(|| {
        let given = std::env::var("TEST_POSTGRES_URL")
            .ok()
            .filter(|url| !url.is_empty());
        let url = given.unwrap_or_else(|| {
            let start = || Cluster::start().expect("PostgreSQL for tests (Debian: postgresql)");
            CLUSTER.get_or_init(start).url()
        });
        url.parse().expect("TEST_POSTGRES_URL must be a URL")
    })
}

fn url_of(database: &str) -> Url {
    let mut url = server().clone();
    url.set_path(database);
    url
}

/// The name of the template, built unless another process has.
async fn template(admin: &mut PgConnection) -> String {
    let name = format!("pb_template_{:016x}", migrations_hash());
    if !is_template(admin, &name).await {
        run(admin, format!("select pg_advisory_lock({TEMPLATE_LOCK})")).await;
        if !is_template(admin, &name).await {
            build_template(admin, &name).await;
        }
        run(admin, format!("select pg_advisory_unlock({TEMPLATE_LOCK})")).await;
    }
    name
}

async fn build_template(admin: &mut PgConnection, name: &str) {
    run(
        admin,
        format!("drop database if exists {name} with (force)"),
    )
    .await;
    run(admin, format!("create database {name} template template0")).await;
    let location = DatabaseLocation::Postgres(url_of(name).to_string().into());
    let store = Store::open(&DatabaseSettings {
        location,
        max_connections: 1,
    })
    .await
    .unwrap();
    store.migrate().await.unwrap();
    // A database with a connection to it cannot be copied.
    store.close().await;
    run(
        admin,
        format!("alter database {name} is_template true allow_connections false"),
    )
    .await;
}

async fn is_template(admin: &mut PgConnection, name: &str) -> bool {
    let query = "select exists (select from pg_database where datname = $1 and datistemplate)";
    sqlx::query_scalar(query)
        .bind(name)
        .fetch_one(admin)
        .await
        .unwrap()
}

/// Since version 15; far quicker than copying through the log when nothing is synced.
async fn copies_files(admin: &mut PgConnection) -> bool {
    let query = "select current_setting('server_version_num')::int >= 150000";
    sqlx::query_scalar(query).fetch_one(admin).await.unwrap()
}

async fn run(admin: &mut PgConnection, statement: String) {
    let done = admin.execute(sqlx::AssertSqlSafe(statement.clone())).await;
    done.unwrap_or_else(|error| panic!("{statement}: {error}"));
}

/// A cluster may outlive a change of the migrations; its old template must not be taken then.
fn migrations_hash() -> u64 {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/migrations");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let mut hasher = DefaultHasher::new();
    for path in paths {
        std::fs::read(path).unwrap().hash(&mut hasher);
    }
    hasher.finish()
}
