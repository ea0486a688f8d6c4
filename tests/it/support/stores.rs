//! A migrated, empty store for a test, on either engine; [`on_both_engines!`](crate::on_both_engines) runs a test body on
//! both:
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
//! makes the tests `a_mapping_is_kept_once::on_sqlite` and `a_mapping_is_kept_once::on_postgres`.

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

/// Makes two tests of each body, one an engine.
#[macro_export]
macro_rules! on_both_engines {
    ($($(#[$about:meta])* async fn $name:ident($store:ident: TestStore) $body:block)+) => {$(
        $(#[$about])*
        async fn $name($store: $crate::support::stores::TestStore) $body

        mod $name {
            use provider_bridge::store::Engine;
            use $crate::support::stores::TestStore;

            #[actix_web::test]
            async fn on_sqlite() {
                super::$name(TestStore::create(Engine::Sqlite).await).await;
            }

            #[actix_web::test]
            async fn on_postgres() {
                super::$name(TestStore::create(Engine::Postgres).await).await;
            }
        }
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
