//! Jobs asked for over HTTP, and the Location that is polled without a credential (decisions 10, 11).

use std::time::Duration;

use provider_bridge::domain::caller::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::{Answer, GATEWAY_HOST, PUBLIC_URL, TestApp};

async fn provider(app: &TestApp, admin: &str) -> String {
    let body = json!({
        "kind": "partner-center",
        "name": "Europe",
        "partnerTenant": "contoso.com",
        "clientId": "c",
        "clientSecret": "s3cret-canary",
    });
    let answer = app.send(Method::POST, admin, "/v1/providers", &body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert!(!answer.text.contains("s3cret-canary"));
    let id = answer.body["providerId"].as_str().unwrap().to_owned();
    assert_eq!(
        answer.header("location"),
        format!("{PUBLIC_URL}/v1/providers/{id}")
    );
    id
}

fn path_of(location: &str) -> &str {
    location.strip_prefix(PUBLIC_URL).unwrap()
}

crate::on_both_engines! {
    async fn a_location_answers_202_without_a_credential_until_its_owner_is_gone(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let admin = app.key(&[Role::Admin]).await;
        let id = provider(&app, &admin).await;
        let owner = app.key(&[Role::Provisioning]).await;
        let owner_id = app.keys.list(&TestApp::operator()).await.unwrap()[0].id;
        let sync = format!("/v1/providers/{id}/sync-provider-accounts");
        let asked = app.send(Method::POST, &owner, &sync, &Value::Null).await;
        assert_eq!((asked.status, asked.body["state"].as_str()), (202, Some("waiting")));
        let again = app.send(Method::POST, &owner, &sync, &Value::Null).await;
        assert_eq!(again.body["jobId"], asked.body["jobId"], "an unfinished job is the answer");

        let location = path_of(asked.header("location")).to_owned();
        let polled = Answer::of(app.request(Method::GET, &location)).await;
        assert_eq!((polled.status, polled.header("retry-after")), (202, "5"));
        assert_eq!(polled.body["jobId"], asked.body["jobId"]);
        let job = location.split('?').next().unwrap();
        assert_eq!(app.get(&owner, job).await.status, 200, "asked with a key it is simply shown");

        let token = location.split("token=").nth(1).unwrap();
        let other = Answer::of(app.request(Method::GET, &format!("/v1/jobs/{id}?token={token}"))).await;
        assert_eq!(other.status, 401, "it shows its own job only");
        for (method, path) in [
            (Method::GET, format!("/v1/providers?token={token}")),
            (Method::POST, format!("{job}?token={token}")),
            (Method::GET, format!("{job}?token={token}x")),
            (Method::GET, job.to_owned()),
        ] {
            assert_eq!(Answer::of(app.request(method, &path)).await.status, 401, "{path}");
        }

        app.keys.revoke(&TestApp::operator(), owner_id).await.unwrap();
        assert_eq!(Answer::of(app.request(Method::GET, &location)).await.status, 401);
    }

    async fn a_location_expires_and_follows_only_a_known_gateway(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let key = app.key(&[Role::Admin]).await;
        let ask = |prefix: String| {
            let request = app.request(Method::POST, "/v1/auto-match").header("x-api-key", &key);
            Answer::of(request.header("x-forwarded-prefix", prefix).header("host", "evil.example"))
        };
        let known = ask(format!("https://{GATEWAY_HOST}/bridge")).await;
        assert!(known.header("location").starts_with(&format!("https://{GATEWAY_HOST}/bridge/v1/jobs/")));
        let unknown = ask("https://evil.example/bridge".to_owned()).await;
        let location = path_of(unknown.header("location")).to_owned();
        app.clock.advance(Duration::from_secs(30 * 86_400));
        assert_eq!(Answer::of(app.request(Method::GET, &location)).await.status, 401);
    }
}
