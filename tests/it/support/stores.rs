//! A migrated, empty store for a test, on either engine. [`on_both_engines!`](crate::on_both_engines) makes two tests of one
//! body, either written inside it:
//!
//! ```ignore
//! on_both_engines! {
//!     /// Why it matters, where the name does not say it.
//!     async fn a_mapping_is_kept_once(store: TestStore) {
//!         let tx = store.begin().await.unwrap();
//!         …
//!     }
//! }
//! ```
//!
//! or named in it, `on_both_engines! { a_mapping_is_kept_once, another }`, and written beside it. The tests are called
//! `a_mapping_is_kept_once::on_sqlite` and `a_mapping_is_kept_once::on_postgres`. A body takes a [`TestStore`], or the
//! [`Engine`] when it needs more than one.

use std::ops::Deref;

use provider_bridge::store::{DatabaseLocation, DatabaseSettings, Engine, SchemaState, Store};
use tempfile::TempDir;

use super::postgres;

/// A database that is removed when this is dropped, also after a panic.
pub struct TestDatabase {
    settings: DatabaseSettings,
    _place: Place,
}

#[expect(dead_code, reason = "kept for what dropping them removes")]
enum Place {
    Sqlite(TempDir),
    Postgres(postgres::Database),
}

impl TestDatabase {
    /// Makes one with today's schema and no rows.
    pub async fn create(engine: Engine) -> Self {
        let (location, place) = match engine {
            Engine::Sqlite => {
                let folder = tempfile::tempdir().unwrap();
                (
                    DatabaseLocation::Sqlite(folder.path().join("test.sqlite")),
                    Place::Sqlite(folder),
                )
            }
            Engine::Postgres => {
                let database = postgres::Database::create().await;
                (database.location(), Place::Postgres(database))
            }
        };
        let database = Self {
            settings: DatabaseSettings {
                location,
                max_connections: 5,
            },
            _place: place,
        };
        if engine == Engine::Sqlite {
            let store = database.open().await;
            store.migrate().await.unwrap();
            store.close().await;
        }
        database
    }

    /// How to open it.
    pub fn settings(&self) -> &DatabaseSettings {
        &self.settings
    }

    /// Opens it as one more instance of the service would.
    pub async fn open(&self) -> Store {
        Store::open(&self.settings).await.unwrap()
    }
}

/// An open store on a database of its own. Derefs to [`Store`].
pub struct TestStore {
    store: Store,
    /// To open a second instance on the same data.
    pub database: TestDatabase,
}

impl TestStore {
    pub async fn create(engine: Engine) -> Self {
        let database = TestDatabase::create(engine).await;
        Self {
            store: database.open().await,
            database,
        }
    }
}

impl Deref for TestStore {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

/// What a test body on both engines may ask for.
pub trait OnEngine {
    async fn on(engine: Engine) -> Self;
}

impl OnEngine for Engine {
    async fn on(engine: Engine) -> Self {
        engine
    }
}

impl OnEngine for TestStore {
    async fn on(engine: Engine) -> Self {
        Self::create(engine).await
    }
}

/// Runs a body; which thing to make for it follows from its type.
pub async fn run_on<S: OnEngine>(engine: Engine, body: impl AsyncFnOnce(S)) {
    body(S::on(engine).await).await;
}

/// Makes two tests of each body, one an engine.
#[macro_export]
macro_rules! on_both_engines {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            use provider_bridge::store::Engine;
            use $crate::support::stores::run_on;

            #[actix_web::test]
            async fn on_sqlite() {
                run_on(Engine::Sqlite, super::$name).await;
            }

            #[actix_web::test]
            async fn on_postgres() {
                run_on(Engine::Postgres, super::$name).await;
            }
        }
    )+};
    ($($(#[$about:meta])* async fn $name:ident($store:ident: TestStore) $body:block)+) => {$(
        $(#[$about])*
        async fn $name($store: $crate::support::stores::TestStore) $body

        $crate::on_both_engines! { $name }
    )+};
}

on_both_engines! {
    async fn a_fresh_store_has_the_present_schema_and_takes_a_transaction(store: TestStore) {
        assert_eq!(store.schema().await.unwrap(), SchemaState::Current);
        let tx = store.begin().await.unwrap();
        tx.commit().await.unwrap();
        store.database.open().await.ping().await.unwrap();
    }
}

#[actix_web::test]
async fn databases_are_apart_and_gone_when_dropped() {
    let one = TestDatabase::create(Engine::Postgres).await;
    let other = TestDatabase::create(Engine::Postgres).await;
    let settings = one.settings().clone();
    drop(one);
    assert!(Store::open(&settings).await.is_err());
    other.open().await.ping().await.unwrap();

    let file = TestDatabase::create(Engine::Sqlite).await;
    let DatabaseLocation::Sqlite(path) = file.settings().location.clone() else {
        panic!("not a file")
    };
    assert!(path.exists());
    drop(file);
    assert!(!path.exists());
}
