//! `Idempotency-Key` when calls meet, and when a process dies in the middle of one (decision 10): one effect, and no key that
//! stays taken.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::join_all;
use provider_bridge::domain::caller::{Caller, Role, Roles};
use provider_bridge::flows::idempotency::{CallKey, FirstCall, Repeat};
use provider_bridge::store::entities::{api_key, audit, idempotency};
use provider_bridge::store::{Engine, Store};
use reqwest::Method;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::json;
use uuid::Uuid;

use super::idempotency::{call, keys, make_key};
use crate::support::app::{Answer, Settings, TestApp};
use crate::support::outside::account;

async fn first_call(app: &TestApp) -> FirstCall {
    let key = CallKey {
        owner: "key:1".to_owned(),
        operation: "POST /v1/api-keys".to_owned(),
        key: "k".to_owned(),
    };
    match app.flows.begin_repeatable(key, vec![1]).await.unwrap() {
        Repeat::First(call) => call,
        Repeat::Running => panic!("it is said to run"),
        Repeat::Again(again) => panic!("it is said to be answered: {again:?}"),
    }
}

async fn make_a_key(app: &TestApp) {
    let operator: Caller = TestApp::operator();
    let made = app.keys.create(&operator, "k", Roles::from([Role::Reader]));
    made.await.unwrap();
}

async fn seen(store: &Store) -> (u64, u64, u64) {
    let reader = store.reader();
    (
        api_key::Entity::find().count(reader).await.unwrap(),
        audit::Entity::find().count(reader).await.unwrap(),
        idempotency::Entity::find().count(reader).await.unwrap(),
    )
}

crate::on_both_engines! {
    async fn while_the_first_call_runs_the_same_again_is_told_so(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let key = app.key(&[Role::Admin]).await;
        let id = app.provider_accounts(&["Contoso"]).await.remove(0);
        app.crm.put(account(1, "Contoso Ltd"));
        let path = format!("/v1/provider-accounts/{id}/mapping");
        let map = || async {
            let body = json!({ "accountId": Uuid::from_u128(1) });
            call(&app, Method::PUT, &path, &key, "k", &body).await
        };
        let busy = app.crm.busy.write().await;
        let second = async {
            while app.crm.asked.load(Ordering::SeqCst) == 0 {
                tokio::task::yield_now().await;
            }
            let told = tokio::time::timeout(Duration::from_secs(10), map()).await.expect("an answer at once");
            assert_eq!((told.status, told.code()), (409, "idempotency-in-progress"));
            // Nothing is locked meanwhile: another call of the same caller goes through.
            assert_eq!(make_key(&app, &key, "k", "flows").await.status, 201);
            drop(busy);
        };
        let (first, ()) = futures_util::join!(map(), second);
        assert_eq!((first.status, first.header("idempotency-replayed")), (200, ""));
        assert_eq!(map().await.header("idempotency-replayed"), "true");
        assert_eq!(app.crm.asked.load(Ordering::SeqCst), 1);
    }

    async fn of_many_calls_at_once_one_is_carried_out(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let admin = app.key(&[Role::Admin]).await;
        for round in 1..=5 {
            let key = format!("k-{round}");
            let answers = join_all((0..8).map(|_| make_key(&app, &admin, &key, "flows"))).await;
            let made = |answer: &&Answer| answer.status == 201 && answer.header("idempotency-replayed").is_empty();
            assert_eq!(answers.iter().filter(made).count(), 1, "{answers:?}");
            for answer in &answers {
                assert!(answer.status == 201 || answer.code() == "idempotency-in-progress", "{answer:?}");
            }
            assert_eq!(keys(&app).await, 1 + round);
        }
    }

    async fn a_process_that_dies_before_the_answer_has_done_nothing(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let dying = first_call(&app).await;
        dying.carry_out(make_a_key(&app)).await;
        assert_eq!(seen(&store).await, (0, 0, 0), "not seen before it is answered");
        drop(dying);
        assert_eq!(seen(&store).await, (0, 0, 0));
        let failing = first_call(&app).await;
        failing.carry_out(make_a_key(&app)).await;
        assert_eq!(failing.failed().await.unwrap(), None);
        assert_eq!(seen(&store).await, (1, 1, 0), "what was done before a failure stays, the key does not");
        // A call that is given up because its sender went away, in the middle of its work.
        let left = first_call(&app).await;
        let work = left.carry_out(async {
            make_a_key(&app).await;
            let _tx = store.begin().await.unwrap();
            std::future::pending::<()>().await;
        });
        let mut work = Box::pin(work);
        for _ in 0..1000 {
            if futures_util::poll!(work.as_mut()).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(work);
        drop(left);
        assert_eq!(seen(&store).await, (1, 1, 0));
        make_a_key(&app).await;
        assert_eq!(seen(&store).await, (2, 2, 0), "the writer is free again");
    }
}

#[actix_web::test]
async fn of_two_instances_that_carry_out_one_call_one_does_and_both_answer() {
    let database = crate::support::stores::TestDatabase::create(Engine::Postgres).await;
    let here = TestApp::start(database.open().await).await;
    let seed = Settings {
        seed: 2,
        ..Settings::default()
    };
    let there = TestApp::start_with(database.open().await, seed).await;
    let key = here.key(&[Role::Admin]).await;
    let id = here.provider_accounts(&["Contoso"]).await.remove(0);
    let path = format!("/v1/provider-accounts/{id}/mapping");
    let map = |app| {
        let (path, key) = (&path, &key);
        let body = json!({ "accountId": Uuid::from_u128(1) });
        async move { call(app, Method::PUT, path, key, "k", &body).await }
    };
    let held = [here.crm.busy.write().await, there.crm.busy.write().await];
    let let_go = async {
        for app in [&here, &there] {
            app.crm.put(account(1, "Contoso Ltd"));
            while app.crm.asked.load(Ordering::SeqCst) == 0 {
                tokio::task::yield_now().await;
            }
        }
        drop(held);
    };
    let (one, other, ()) = futures_util::join!(map(&here), map(&there), let_go);
    assert_eq!((one.status, other.status), (200, 200), "{one:?} {other:?}");
    assert_eq!(one.text, other.text);
    let mut replayed = [&one, &other].map(|answer| answer.header("idempotency-replayed"));
    replayed.sort_unstable();
    assert_eq!(replayed, ["", "true"]);
    let store = database.open().await;
    assert_eq!(seen(&store).await, (1, 2, 1), "one key, one mapping");
    // The same with what would show if it were done twice.
    for round in 1..=5 {
        let name = format!("k-{round}");
        let (one, other) = futures_util::join!(
            make_key(&here, &key, &name, "flows"),
            make_key(&there, &key, &name, "flows")
        );
        assert_eq!((one.status, other.status), (201, 201), "{one:?} {other:?}");
        assert_eq!(one.text, other.text);
        assert_eq!(keys(&here).await, 1 + round);
    }
}
