//! `If-Match` (RFC 9110, 13.1.1), and changes that are to be refused or kept.

use provider_bridge::domain::caller::Role;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::app::{Answer, TestApp};
use crate::support::outside::{CALLBACK_HOST, account};

crate::on_both_engines! {
    async fn a_list_matches_by_any_strong_tag_and_a_weak_one_never(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let key = app.key(&[Role::Billing]).await;
        let id = app.provider_accounts(&["Contoso"]).await.remove(0);
        let path = format!("/v1/provider-accounts/{id}/exclusion");
        let now = app.get(&key, &format!("/v1/provider-accounts/{id}/mapping")).await.header("etag").to_owned();
        let exclude = |tags: String, reason: &'static str| {
            let request = app.request(Method::POST, &path).header("x-api-key", &key).header("if-match", tags);
            Answer::of(request.json(&json!({ "reason": reason })))
        };
        for stale in [format!("W/{now}"), "\"77\", \"78\"".to_owned(), format!("W/{now}, \"77\""), "\"abc\"".to_owned()] {
            let refused = exclude(stale.clone(), "a").await;
            assert_eq!((refused.status, refused.code()), (412, "precondition-failed"), "{stale}");
        }
        let none = exclude("three".to_owned(), "a").await;
        assert_eq!((none.status, none.code()), (400, "invalid-request"));
        let listed = exclude(format!("W/\"1\", \"77\", {now}"), "a").await;
        assert_eq!((listed.status, &listed.body["reason"]), (200, &json!("a")));
    }

    async fn excluding_again_keeps_the_new_reason(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let key = app.key(&[Role::Billing]).await;
        let id = app.provider_accounts(&["Contoso"]).await.remove(0);
        let path = format!("/v1/provider-accounts/{id}/exclusion");
        let exclude = |reason: &'static str| {
            let body = json!({ "reason": reason });
            let (app, key, path) = (&app, &key, &path);
            async move { app.send(Method::POST, key, path, &body).await }
        };
        let first = exclude("a test tenant").await;
        let second = exclude("left us").await;
        assert_eq!((second.status, &second.body["reason"]), (200, &json!("left us")));
        assert_ne!(second.header("etag"), first.header("etag"));
        assert_eq!(exclude("left us").await.header("etag"), second.header("etag"), "the same again changes nothing");
    }

    async fn a_body_that_is_a_list_maps_nothing(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let key = app.key(&[Role::Billing]).await;
        let id = app.provider_accounts(&["Contoso"]).await.remove(0);
        app.crm.put(account(1, "Contoso Ltd"));
        let path = format!("/v1/provider-accounts/{id}/mapping");
        let by_position = json!([Uuid::from_u128(1), "why", null]);
        let refused = app.send(Method::PUT, &key, &path, &by_position).await;
        assert_eq!((refused.status, refused.code()), (400, "invalid-request"));
        assert_eq!(app.get(&key, &path).await.body["state"], "unmapped");
    }

    async fn unmapping_asks_for_an_auto_match(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let key = app.key(&[Role::Billing]).await;
        let id = app.provider_accounts(&["Contoso"]).await.remove(0);
        app.crm.put(account(1, "Contoso Ltd"));
        let path = format!("/v1/provider-accounts/{id}/mapping");
        app.send(Method::PUT, &key, &path, &json!({ "accountId": Uuid::from_u128(1) })).await;
        let operator = TestApp::operator();
        let unfinished = || app.flows.list_jobs(&operator, 10);
        assert!(unfinished().await.unwrap().is_empty());
        let taken = app.send(Method::DELETE, &key, &path, &Value::Null).await;
        assert_eq!(taken.status, 200);
        let jobs = unfinished().await.unwrap();
        assert_eq!(jobs.iter().map(|job| job.work.kind()).collect::<Vec<_>>(), ["auto-match"]);
    }

    async fn a_test_event_to_a_suspended_subscription_is_refused_with_the_reason(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let (admin, key) = (app.key(&[Role::Admin]).await, app.key(&[Role::Reader]).await);
        let body = json!({ "callbackUrl": format!("https://{CALLBACK_HOST}/hook") });
        let made = app.send(Method::POST, &key, "/v1/triggers/new-provider-account", &body).await;
        let id = made.body["subscriptionId"].as_str().unwrap();
        let listed = app.get(&admin, "/v1/trigger-subscriptions").await;
        let owner = listed.body["value"][0]["owner"].as_str().unwrap();
        let tx = store.begin().await.unwrap();
        provider_bridge::store::triggers::suspend(&tx, owner, "the key was revoked").await.unwrap();
        tx.commit().await.unwrap();
        let path = format!("/v1/trigger-subscriptions/{id}/test");
        let refused = app.send(Method::POST, &admin, &path, &Value::Null).await;
        assert_eq!((refused.status, refused.code()), (409, "conflict"), "{refused:?}");
        assert!(refused.body["detail"].as_str().unwrap().contains("the key was revoked"));
        assert_eq!(refused.body["current"]["state"], "suspended");
    }

    async fn a_refusal_never_offers_the_role_of_the_service_itself(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let (admin, reader) = (app.key(&[Role::Admin]).await, app.key(&[Role::Reader]).await);
        let refused = app.send(Method::POST, &reader, "/v1/auto-match", &Value::Null).await;
        assert_eq!(refused.status, 403);
        assert!(!refused.text.contains("service"), "{}", refused.text);
        let body = json!({ "name": "k", "roles": ["king"] });
        let unknown = app.send(Method::POST, &admin, "/v1/api-keys", &body).await;
        assert_eq!(unknown.status, 400);
        assert!(!unknown.text.contains("service"), "{}", unknown.text);
    }
}
