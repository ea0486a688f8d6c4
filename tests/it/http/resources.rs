//! The resources through their life: what is given back is what was put in.

use provider_bridge::domain::caller::Role;
use reqwest::Method;
use serde_json::json;

use crate::support::app::{Answer, TestApp};

crate::on_both_engines! {
    async fn a_provider_is_connected_read_and_changed_under_its_etag(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let key = app.key(&[Role::Admin]).await;
        let body = json!({
            "kind": "partner-center",
            "name": "Europe",
            "partnerTenant": "Contoso.com",
            "clientId": "c",
            "clientSecret": "s",
            "schedule": { "cron": "0 4 * * *", "timeZone": "Europe/Berlin" },
        });
        let made = app.send(Method::POST, &key, "/v1/providers", &body).await;
        assert_eq!((made.status, made.header("etag")), (201, "\"1\""));
        let path = format!("/v1/providers/{}", made.body["providerId"].as_str().unwrap());
        let read = app.get(&key, &path).await;
        assert_eq!((read.status, &read.body), (200, &made.body));
        assert_eq!(app.get(&key, "/v1/providers").await.body["value"][0], made.body);

        let twice = app.send(Method::POST, &key, "/v1/providers", &body).await;
        assert_eq!((twice.status, twice.code()), (409, "conflict"));
        assert_eq!(twice.body["current"]["name"], "Europe");

        let change = |etag: &'static str| {
            let request = app.request(Method::PATCH, &path).header("x-api-key", &key);
            Answer::of(request.header("if-match", etag).json(&json!({ "enabled": false })))
        };
        let changed = change("\"1\"").await;
        assert_eq!((changed.status, changed.header("etag")), (200, "\"2\""));
        assert_eq!(changed.body["enabled"], false);
        let stale = change("\"1\"").await;
        assert_eq!((stale.status, stale.code()), (412, "precondition-failed"));
        assert_eq!(change("*").await.status, 200);

        let report = app.send(Method::POST, &key, &format!("{path}/verify-connectivity"), &json!({})).await;
        assert_eq!((report.status, report.body["passed"].as_bool()), (200, Some(false)));
        let sync = app.send(Method::POST, &key, &format!("{path}/sync-provider-accounts"), &json!({})).await;
        assert_eq!((sync.status, sync.code()), (422, "rule-violated"), "it is disabled");
    }

    async fn a_key_made_over_http_works_shows_its_text_once_and_can_be_revoked(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let admin = app.key(&[Role::Admin]).await;
        let body = json!({ "name": "flows", "roles": ["reader", "provisioning"] });
        let made = app.send(Method::POST, &admin, "/v1/api-keys", &body).await;
        assert_eq!(made.status, 201);
        let text = made.body["apiKey"].as_str().unwrap().to_owned();
        assert_eq!(app.get(&text, "/v1/providers").await.status, 200);
        let list = app.get(&admin, "/v1/api-keys").await;
        assert!(!list.text.contains(&text));
        assert_eq!(list.body["value"].as_array().unwrap().len(), 2);
        let path = format!("/v1/api-keys/{}", made.body["details"]["apiKeyId"].as_str().unwrap());
        for _ in 0..2 {
            assert_eq!(app.send(Method::DELETE, &admin, &path, &json!({})).await.status, 204);
        }
        assert_eq!(app.get(&text, "/v1/providers").await.status, 401);
    }
}
