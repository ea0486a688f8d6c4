//! Trigger subscriptions over HTTP (decision 10): subscribe, see one's own, unsubscribe with nothing but the Location.

use provider_bridge::domain::caller::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::{Answer, PUBLIC_URL, TestApp};
use crate::support::outside::CALLBACK_HOST;

const PATH: &str = "/v1/triggers/new-provider-account";

crate::on_both_engines! {
    async fn a_flow_subscribes_with_a_key_and_unsubscribes_without(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let (key, other) = (app.key(&[Role::Reader]).await, app.key(&[Role::Reader]).await);
        let url = format!("https://{CALLBACK_HOST}/workflows/1?sig=canary");
        let subscribe = app
            .request(Method::POST, PATH)
            .header("x-api-key", &key)
            .header("x-ms-workflow-id", "flow-1")
            .json(&json!({ "callbackUrl": url }));
        let made = Answer::of(subscribe).await;
        assert_eq!(made.status, 201, "{made:?}");
        assert!(made.body["signingSecret"].as_str().unwrap().starts_with("whsec_"));
        let location = made.header("location").strip_prefix(PUBLIC_URL).unwrap().to_owned();

        let listed = app.get(&key, "/v1/trigger-subscriptions").await;
        let row = &listed.body["value"][0];
        assert_eq!(row["workflowId"], "flow-1");
        assert_eq!(row["callbackHost"], CALLBACK_HOST);
        assert_eq!(row["state"], "active");
        for secret in ["canary", "whsec_", location.rsplit('/').next().unwrap()] {
            assert!(!listed.text.contains(secret), "{secret} is shown");
        }
        let foreign = app.get(&other, "/v1/trigger-subscriptions").await;
        assert_eq!(foreign.body["value"], json!([]));

        let id = row["subscriptionId"].as_str().unwrap();
        let test = format!("/v1/trigger-subscriptions/{id}/test");
        assert_eq!(app.send(Method::POST, &other, &test, &Value::Null).await.status, 404);
        let sent = app.send(Method::POST, &key, &test, &Value::Null).await;
        assert_eq!((sent.status, &sent.body["state"]), (200, &json!("pending")), "{sent:?}");
        let delivery = format!("/v1/deliveries/{}", sent.body["deliveryId"].as_str().unwrap());
        assert_eq!(app.get(&key, &delivery).await.body, sent.body);
        assert_eq!(app.get(&other, &delivery).await.status, 404);
        assert_eq!(app.get(&key, "/v1/deliveries?state=dead").await.body, json!({ "value": [] }));
        assert_eq!(app.get(&key, "/v1/deliveries?state=pending").await.status, 400);

        let by_public_id = format!("/v1/trigger-subscriptions/{id}");
        for path in [&by_public_id, &format!("/v1/trigger-subscriptions/{}", "x".repeat(3000)), &location, &location] {
            let request = app.request(Method::DELETE, path).header("x-api-key", "pb_revoked");
            assert_eq!(Answer::of(request).await.status, 204, "it is idempotent and needs nothing else");
        }
        assert_eq!(app.get(&key, "/v1/trigger-subscriptions").await.body["value"], json!([]));
        let retired = app.get(&key, "/v1/trigger-subscriptions?withRetired=true").await;
        assert_eq!(retired.body["value"][0]["state"], "retired");
        let late = app.send(Method::POST, &key, &test, &Value::Null).await;
        assert_eq!((late.status, late.code()), (409, "conflict"));
    }

    async fn subscriptions_come_in_pages(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let key = app.key(&[Role::Sales]).await;
        for number in 0..3 {
            let body = json!({ "callbackUrl": format!("https://{CALLBACK_HOST}/{number}"), "label": format!("{number}") });
            assert_eq!(app.send(Method::POST, &key, PATH, &body).await.status, 201);
        }
        let first = app.get(&key, "/v1/trigger-subscriptions?$top=2").await;
        let next = first.body["@odata.nextLink"].as_str().unwrap().strip_prefix(PUBLIC_URL).unwrap();
        let second = app.get(&key, next).await;
        assert_eq!(second.body["value"].as_array().unwrap().len(), 1);
        assert_eq!(second.body["value"][0]["label"], "2");
    }

    async fn a_callback_that_is_not_allowed_is_refused_without_repeating_it(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let key = app.key(&[Role::Reader]).await;
        for url in ["http://169.254.169.254/latest", "https://evil.example/?sig=canary", "", "x"] {
            let refused = app.send(Method::POST, &key, PATH, &json!({ "callbackUrl": url })).await;
            assert_eq!((refused.status, refused.code()), (422, "callback-refused"), "{url}");
            assert!(!refused.text.contains("canary"));
        }
        let number = app.send(Method::POST, &key, PATH, &json!({ "callbackUrl": 1 })).await;
        assert_eq!((number.status, number.code()), (400, "invalid-request"));
    }
}
