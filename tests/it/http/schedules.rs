//! A provider's schedule over HTTP: shown, changed, taken away; and what a null may not mean (A1, D5).

use provider_bridge::domain::caller::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::{Answer, TestApp};

crate::on_both_engines! {
    async fn a_schedule_is_shown_changed_and_taken_away(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let key = app.key(&[Role::Admin]).await;
        let body = json!({
            "kind": "partner-center",
            "name": "Europe",
            "partnerTenant": "contoso.com",
            "clientId": "c",
            "clientSecret": "s",
            "schedule": { "cron": "0 4 * * *", "timeZone": "Europe/Berlin" },
        });
        let made = app.send(Method::POST, &key, "/v1/providers", &body).await;
        let shown = &made.body["schedule"];
        assert_eq!((&shown["cron"], &shown["timeZone"], &shown["enabled"]),
            (&json!("0 4 * * *"), &json!("Europe/Berlin"), &json!(true)), "{made:?}");
        assert!(shown["nextRunAt"].is_string());
        let path = format!("/v1/providers/{}", made.body["providerId"].as_str().unwrap());
        assert_eq!(app.get(&key, &path).await.body, made.body);
        assert_eq!(app.get(&key, "/v1/providers").await.body["value"][0], made.body);

        let patch = |body: Value| {
            let (app, key, path) = (&app, &key, &path);
            async move { app.send(Method::PATCH, key, path, &body).await }
        };
        let off = patch(json!({ "schedule": { "cron": "30 2 * * 1", "timeZone": "UTC", "enabled": false } })).await;
        assert_eq!((off.status, &off.body["schedule"]),
            (200, &json!({ "cron": "30 2 * * 1", "timeZone": "UTC", "enabled": false })));
        let gone = patch(json!({ "schedule": null })).await;
        assert_eq!((gone.status, gone.body.get("schedule"), gone.header("etag")), (200, None, "\"3\""));
        assert_eq!(patch(json!({ "schedule": null })).await.header("etag"), "\"3\"", "there is none to take away");
        for cron in ["* * * * * *", "0 0 4 * * * 2027", "@hourly", "* * * *"] {
            let refused = patch(json!({ "schedule": { "cron": cron, "timeZone": "UTC" } })).await;
            assert_eq!((refused.status, refused.code()), (422, "rule-violated"), "{cron}");
            assert!(refused.body["detail"].as_str().unwrap().contains("five fields"), "{refused:?}");
        }
    }

    async fn a_null_is_no_change_and_a_taken_name_is_shown_as_it_is_spelt(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let key = app.key(&[Role::Admin]).await;
        let body = |name: &str| json!({
            "kind": "partner-center",
            "name": name,
            "partnerTenant": "contoso.com",
            "clientId": "c",
            "clientSecret": "s",
        });
        let made = app.send(Method::POST, &key, "/v1/providers", &body("Europe")).await;
        let path = format!("/v1/providers/{}", made.body["providerId"].as_str().unwrap());
        let refuse = |answer: Answer, field: &str| {
            assert_eq!((answer.status, answer.code()), (400, "invalid-request"), "{field}: {answer:?}");
            let detail = answer.body["detail"].as_str().unwrap();
            assert!(detail.contains(&format!("`{field}` must be")) && detail.contains("not null"), "{detail}");
        };
        for field in ["name", "enabled", "partnerTenant", "clientId", "clientSecret"] {
            refuse(app.send(Method::PATCH, &key, &path, &json!({ field: null })).await, field);
        }
        for field in ["autoMatch", "uniqueMapping", "detailsRefreshDays"] {
            refuse(app.send(Method::PATCH, &key, "/v1/settings", &json!({ field: null })).await, field);
        }
        let taken = app.send(Method::POST, &key, "/v1/providers", &body("EUROPE")).await;
        assert_eq!((taken.status, &taken.body["current"]["name"]), (409, &json!("Europe")));
        assert_eq!(taken.body["current"]["providerId"], made.body["providerId"]);
        let tenant = app.send(Method::PATCH, &key, &path, &json!({ "partnerTenant": "x" })).await;
        assert!(tenant.body["detail"].as_str().unwrap().starts_with("`partnerTenant` must"), "{tenant:?}");
    }

    async fn lists_are_filtered_by_provider(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let key = app.key(&[Role::Reader]).await;
        app.provider_accounts(&["Contoso"]).await;
        let all = app.get(&key, "/v1/provider-accounts").await;
        let provider = all.body["value"][0]["providerId"].as_str().unwrap();
        let count = |answer: Answer| answer.body["value"].as_array().unwrap().len();
        for list in ["provider-accounts", "sync-runs"] {
            let none = "0197a1b2-0000-7000-8000-00000000ffff";
            assert_eq!(count(app.get(&key, &format!("/v1/{list}?provider={none}")).await), 0);
        }
        assert_eq!(count(app.get(&key, &format!("/v1/provider-accounts?provider={provider}")).await), 1);
    }
}
