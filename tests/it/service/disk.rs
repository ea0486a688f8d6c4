//! A full disk under SQLite: whoever asks is told, nothing is half written, and with room again it goes on by itself.
//!
//! The file is forbidden to grow, which SQLite reports as it does a full disk. What has room in a page that is there already
//! still succeeds, as it would there too; so the tests write what needs pages of its own.

use std::time::Duration;

use provider_bridge::app::open::operator;
use provider_bridge::domain::caller::Role;
use provider_bridge::domain::job::JobState;
use provider_bridge::store::entities::{audit, setting, trigger_subscription};
use provider_bridge::store::{Engine, Store, StoreError, WriteTx};
use reqwest::Method;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter,
};
use serde_json::json;

use super::outcome::Outcome;
use super::scene::{Receiver, Scene, hours_later, run_until_idle, simulator};
use crate::support::app::{Answer, TestApp};
use crate::support::outside::CALLBACK_HOST;
use crate::support::stores::TestStore;

const FILLER: &str = "filler";

async fn pragma(tx: &WriteTx, name: &str) -> i64 {
    let statement =
        sea_orm::Statement::from_string(tx.get_database_backend(), format!("pragma {name}"));
    let row = tx.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

/// Lets the file grow by so many pages and no further. It holds for the one writing connection, until that is replaced.
async fn limit(store: &Store, pages: i64) {
    let tx = store.begin().await.unwrap();
    let most = pragma(&tx, "page_count").await + pages;
    assert_eq!(pragma(&tx, &format!("max_page_count={most}")).await, most);
    tx.commit().await.unwrap();
}

async fn insert(tx: &WriteTx, key: String, bytes: usize) -> Result<(), StoreError> {
    let row = setting::ActiveModel {
        key: Set(key),
        value: Set("f".repeat(bytes).into()),
        updated_at: Set(chrono::DateTime::UNIX_EPOCH),
    };
    setting::Entity::insert(row)
        .exec_without_returning(&**tx)
        .await?;
    Ok(())
}

/// Uses up every free page of the file.
async fn fill(store: &Store) {
    for number in 0.. {
        let tx = store.begin().await.unwrap();
        let free = pragma(&tx, "freelist_count").await;
        if free == 0 {
            return;
        }
        insert(&tx, format!("{FILLER}/{number}"), 4096)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }
}

/// Makes room again.
async fn free(store: &Store) {
    let tx = store.begin().await.unwrap();
    pragma(&tx, "max_page_count=1000000").await;
    let filler = setting::Entity::delete_many().filter(setting::Column::Key.starts_with(FILLER));
    filler.exec(&*tx).await.unwrap();
    tx.commit().await.unwrap();
}

/// SQLite rolls back by itself then, which the connection must not be confused by: what is committed later has to be there
/// for others, and after a restart.
#[actix_web::test]
async fn after_a_full_disk_what_is_committed_is_committed() {
    let store = TestStore::create(Engine::Sqlite).await;
    for round in 0..3 {
        fill(&store).await;
        limit(&store, 2).await;
        let tx = store.begin().await.unwrap();
        insert(&tx, format!("small/{round}"), 10).await.unwrap();
        let error = insert(&tx, "large".to_owned(), 100_000).await.unwrap_err();
        assert!(error.is_full(), "{error:?}");
        assert_eq!(
            error.in_public(),
            "the database has no room left; free some on its disk"
        );
        drop(tx);
        // One that is rolled back, and one that is not.
        let tx = store.begin().await.unwrap();
        insert(&tx, format!("dropped/{round}"), 10).await.unwrap();
        drop(tx);
        let tx = store.begin().await.unwrap();
        insert(&tx, format!("kept/{round}"), 10).await.unwrap();
        tx.commit().await.unwrap();
        for place in [&*store, &store.database.open().await] {
            let all = setting::Entity::find().all(place.reader()).await.unwrap();
            let kept: Vec<_> = all
                .iter()
                .map(|row| &row.key)
                .filter(|key| !key.starts_with(FILLER))
                .collect();
            let wanted: Vec<_> = (0..=round).map(|round| format!("kept/{round}")).collect();
            assert_eq!(kept, wanted.iter().collect::<Vec<_>>());
        }
    }
}

async fn counts(store: &Store) -> (u64, u64) {
    let reader = store.reader();
    (
        trigger_subscription::Entity::find()
            .count(reader)
            .await
            .unwrap(),
        audit::Entity::find().count(reader).await.unwrap(),
    )
}

#[actix_web::test]
async fn callers_are_told_of_a_full_disk_and_served_again_when_there_is_room() {
    let store = TestStore::create(Engine::Sqlite).await;
    let app = TestApp::start(store.clone()).await;
    let key = app.key(&[Role::Admin]).await;
    let ready = || async { Answer::of(app.request(Method::GET, "/health/ready")).await };
    assert_eq!(ready().await.status, 200);
    let subscribe = |key_text: &'static str| {
        let url = format!(
            "https://{CALLBACK_HOST}/workflows/1?sig={}",
            "x".repeat(30_000)
        );
        let request = app
            .request(Method::POST, "/v1/triggers/new-provider-account")
            .header("x-api-key", &key)
            .header("idempotency-key", key_text)
            .json(&json!({ "callbackUrl": url }));
        Answer::of(request)
    };
    let before = counts(&store).await;
    for attempt in 0..3 {
        fill(&store).await;
        limit(&store, 0).await;
        let refused = subscribe("k").await;
        assert_eq!(
            (refused.status, refused.code()),
            (503, "unavailable"),
            "{refused:?}"
        );
        assert_eq!(refused.header("content-type"), "application/problem+json");
        assert_eq!(refused.header("retry-after"), "60");
        assert!(
            refused.body["detail"]
                .as_str()
                .unwrap()
                .contains("no room left"),
            "{refused:?}"
        );
        assert_eq!(counts(&store).await, before, "nothing is half written");

        limit(&store, 0).await;
        app.clock.advance(Duration::from_secs(5));
        let unready = ready().await;
        assert_eq!(
            (unready.status, unready.code()),
            (503, "unavailable"),
            "{attempt}"
        );
        assert_eq!(
            Answer::of(app.request(Method::GET, "/health/live"))
                .await
                .status,
            200
        );
        assert_eq!(
            app.get(&key, "/v1/trigger-subscriptions").await.body["value"],
            json!([])
        );
    }
    free(&store).await;
    assert_eq!(ready().await.status, 200, "at once, without a restart");
    let made = subscribe("k").await;
    assert_eq!(
        (made.status, made.header("idempotency-replayed")),
        (201, ""),
        "{made:?}"
    );
    assert_eq!(subscribe("k").await.header("idempotency-replayed"), "true");
    assert_eq!(counts(&store).await, (before.0 + 1, before.1 + 1));
}

#[actix_web::test]
async fn a_sync_that_meets_a_full_disk_says_so_and_goes_on_when_there_is_room() {
    let simulator = simulator(60).await;
    let receiver = Receiver::start();
    let undisturbed = {
        let scene = Scene::new(Engine::Sqlite, &simulator).await;
        scene.begin(&receiver).await;
        let app = scene.app(hours_later(1)).await;
        run_until_idle(&app).await;
        Outcome::of(&app).await
    };
    for pages in [0, 3, 12] {
        // One each: the services begin alike, and may call their events alike.
        let receiver = Receiver::start();
        let scene = Scene::new(Engine::Sqlite, &simulator).await;
        scene.begin(&receiver).await;
        let app = scene.app(hours_later(1)).await;
        limit(&app.flows.store, pages).await;
        app.runner.run_due().await;
        let jobs = app.flows.list_jobs(&operator(), 50).await.unwrap();
        let told: Vec<_> = jobs.iter().filter(|job| job.error.is_some()).collect();
        assert!(!told.is_empty(), "{pages} pages were enough: {jobs:?}");
        for job in told {
            assert_eq!(job.state, JobState::Retry, "{job:?}");
            assert!(
                job.error.as_deref().unwrap().contains("no room left"),
                "{job:?}"
            );
        }
        drop(app);
        let app = scene.app(hours_later(3)).await;
        run_until_idle(&app).await;
        assert_eq!(Outcome::of(&app).await, undisturbed, "{pages} pages");
        let late = Outcome::all_arrived(&app, &receiver.arrived).await;
        assert_eq!(late, 0, "an event arrived twice");
    }
}
