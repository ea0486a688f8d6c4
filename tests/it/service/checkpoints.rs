//! What is committed gets from SQLite's log into its file beside who writes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use provider_bridge::store::{DatabaseLocation, DatabaseSettings, Store};
use sea_orm::ConnectionTrait;

use crate::support::context::context;

const PAGE: u64 = 4096;

async fn store(file: PathBuf) -> Store {
    let settings = DatabaseSettings {
        location: DatabaseLocation::Sqlite(file),
        max_connections: 2,
    };
    let store = Store::open(&settings).await.unwrap();
    let tx = store.begin().await.unwrap();
    tx.execute_unprepared("create table filler (body blob)")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    store
}

/// Commits so many times, a hundred pages each.
async fn commit(store: &Store, times: usize) {
    for _ in 0..times {
        let tx = store.begin().await.unwrap();
        let bytes = 100 * PAGE;
        let insert = format!("insert into filler values (zeroblob({bytes}))");
        tx.execute_unprepared(&insert).await.unwrap();
        tx.commit().await.unwrap();
    }
}

fn pages(file: &Path) -> u64 {
    file.metadata().unwrap().len() / PAGE
}

#[actix_web::test]
async fn the_log_gets_into_the_file_while_a_writer_is_at_work() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.sqlite");
    let store = store(file.clone()).await;
    let (context, clock) = context();
    clock.advance_by_itself();
    commit(&store, 12).await;
    assert!(pages(&file) < 100, "{} pages: commits did it", pages(&file));

    let writing = store.begin().await.unwrap();
    let begun = "insert into filler values (zeroblob(5000))";
    writing.execute_unprepared(begun).await.unwrap();
    let into_the_file = async {
        while pages(&file) < 1200 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        ended = store.make_checkpoints(&context) => panic!("{ended:?}"),
        done = tokio::time::timeout(Duration::from_secs(20), into_the_file) => done.unwrap(),
    }
    writing.commit().await.unwrap();
}

#[actix_web::test]
async fn a_log_that_nobody_empties_is_emptied_by_commits() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.sqlite");
    let store = store(file.clone()).await;
    commit(&store, 100).await;
    assert!(pages(&file) > 7500, "{} pages", pages(&file));
}
