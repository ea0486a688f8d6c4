//! What every answer carries, and what no answer may.

use std::sync::atomic::Ordering;
use std::time::Duration;

use provider_bridge::domain::caller::Role;
use reqwest::Method;
use uuid::Uuid;

use crate::support::app::{Answer, Settings, TestApp};
use crate::support::outside::account;

crate::on_both_engines! {
    async fn every_answer_has_an_id_of_its_own_and_closed_doors_for_browsers(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let mut ids = std::collections::BTreeSet::new();
        for path in ["/health/live", "/health/ready", "/metrics", "/v1/providers", "/nothing", "/docs", "/openapi.json"] {
            let answer = Answer::of(app.request(Method::GET, path)).await;
            assert!(ids.insert(answer.header("x-request-id").to_owned()), "{path}");
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
            assert_eq!(answer.header("referrer-policy"), "no-referrer");
            assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
            assert!(answer.header("strict-transport-security").starts_with("max-age="));
            let kept = answer.header("cache-control");
            assert_eq!(kept.starts_with("no-"), path != "/docs", "{path}: {kept}");
            assert_eq!(answer.header("server"), "");
        }
    }

    async fn head_is_get_without_the_body(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let key = app.key(&[Role::Reader]).await;
        for path in ["/health/live", "/v1/providers", "/docs", "/openapi.json", "/assets/page.css", "/nothing"] {
            let ask = |method| Answer::of(app.request(method, path).header("x-api-key", &key));
            let (get, head) = (ask(Method::GET).await, ask(Method::HEAD).await);
            assert_eq!(head.status, get.status, "{path}");
            assert_eq!(head.text, "", "{path}");
            assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
            assert_eq!(head.header("content-length"), get.header("content-length"), "{path}");
        }
        let closed = Answer::of(app.request(Method::HEAD, "/v1/providers")).await;
        assert_eq!(closed.status, 401);
    }

    async fn a_panic_of_a_handler_is_a_problem_and_the_process_lives(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let key = app.key(&[Role::Reader]).await;
        app.crm.put(account(1, "Contoso Ltd"));
        let path = format!("/v1/accounts/{}", Uuid::from_u128(1));
        assert_eq!(app.get(&key, &path).await.status, 200);
        app.crm.panics.store(true, Ordering::SeqCst);
        let mut ids = std::collections::BTreeSet::new();
        for _ in 0..3 {
            let broken = app.get(&key, &path).await;
            assert_eq!((broken.status, broken.code()), (500, "internal"), "{broken:?}");
            assert_eq!(broken.header("content-type"), "application/problem+json");
            assert_eq!(broken.body["requestId"], broken.header("x-request-id"));
            assert!(ids.insert(broken.header("x-request-id").to_owned()));
            assert!(!broken.text.contains("canary"), "{broken:?}");
            assert_eq!(app.get(&key, "/v1/providers").await.status, 200, "other calls go through");
        }
        app.crm.panics.store(false, Ordering::SeqCst);
        assert_eq!(app.get(&key, &path).await.status, 200);
    }

    async fn a_caller_that_asks_too_often_is_told_when_to_come_back(store: TestStore) {
        let settings = Settings { requests_per_minute: 3, ..Settings::default() };
        let app = TestApp::start_with(store.clone(), settings).await;
        let (key, other) = (app.key(&[Role::Reader]).await, app.key(&[Role::Reader]).await);
        for _ in 0..3 {
            assert_eq!(app.get(&key, "/v1/providers").await.status, 200);
        }
        let refused = app.get(&key, "/v1/providers").await;
        assert_eq!((refused.status, refused.code()), (429, "too-many-requests"));
        assert_eq!(refused.header("retry-after"), "20");
        assert_eq!(app.get(&other, "/v1/providers").await.status, 200);
        app.clock.advance(Duration::from_secs(20));
        assert_eq!(app.get(&key, "/v1/providers").await.status, 200);
    }

    async fn a_key_is_taken_from_memory_for_a_minute_and_no_longer(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let key = app.key(&[Role::Reader]).await;
        assert_eq!(app.get(&key, "/v1/providers").await.status, 200);
        let id = app.keys.list(&TestApp::operator()).await.unwrap()[0].id;
        // Another instance revokes it, and its signal is lost.
        let tx = store.begin().await.unwrap();
        provider_bridge::store::api_keys::revoke(&tx, id, app.context.now()).await.unwrap();
        tx.commit().await.unwrap();
        app.clock.advance(Duration::from_secs(59));
        assert_eq!(app.get(&key, "/v1/providers").await.status, 200);
        app.clock.advance(Duration::from_secs(1));
        assert_eq!(app.get(&key, "/v1/providers").await.status, 401);
    }
}
