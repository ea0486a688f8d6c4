//! The log of calls: one line a call, who and what and how long, and nothing of what the call carried.

use std::sync::atomic::Ordering;

use provider_bridge::domain::caller::Role;
use provider_bridge::store::Engine;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::app::{Answer, PAGE_HOST, TestApp};
use crate::support::log::Log;
use crate::support::outside::CALLBACK_HOST;
use crate::support::stores::TestStore;

const CANARY: &str = "canary-5d1c";

/// Calls that carry the canary wherever a call can carry something.
async fn carry(app: &TestApp, key: &str) -> Vec<Answer> {
    let request = |method, path: String| {
        app.request(method, &path)
            .header("proxy-authorization", format!("Bearer {CANARY}"))
            .header("cookie", format!("__Host-provider-bridge={CANARY}"))
            .header("x-forwarded-for", CANARY)
            .header("referer", format!("https://flow.test/?sig={CANARY}"))
            .header("idempotency-key", CANARY)
            .header("user-agent", CANARY)
    };
    let callback = json!({
        "callbackUrl": format!("https://{CALLBACK_HOST}/workflows/1?sig={CANARY}"),
        "label": CANARY,
    });
    let provider = json!({
        "kind": "partner-center", "name": CANARY, "partnerTenant": "contoso.com", "clientId": CANARY,
        "clientSecret": CANARY,
    });
    let calls = [
        request(Method::GET, format!("/v1/providers?sig={CANARY}")).header("x-api-key", key),
        request(Method::GET, "/v1/providers".to_owned()).header("x-api-key", CANARY),
        request(
            Method::GET,
            format!("/v1/jobs/{}?token={CANARY}", Uuid::from_u128(1)),
        )
        .header("authorization", format!("Bearer {CANARY}")),
        request(Method::GET, format!("/v1/accounts/{CANARY}")).header("x-api-key", key),
        request(Method::GET, format!("/nowhere/{CANARY}")),
        request(
            Method::DELETE,
            format!("/v1/trigger-subscriptions/{CANARY}"),
        ),
        request(Method::POST, "/v1/triggers/new-provider-account".to_owned())
            .header("x-api-key", key)
            .json(&callback),
        request(Method::POST, "/v1/providers".to_owned())
            .header("x-api-key", key)
            .json(&provider),
        request(Method::POST, "/v1/providers".to_owned())
            .header("x-api-key", key)
            .body(format!("{{\"{CANARY}")),
        request(Method::GET, format!("/sign-in/{CANARY}")).header("host", PAGE_HOST),
        request(Method::POST, "/sign-in".to_owned())
            .header("host", PAGE_HOST)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("link={CANARY}")),
    ];
    let mut answers = Vec::new();
    for call in calls {
        answers.push(Answer::of(call).await);
    }
    answers
}

/// Logs are global to a process, and this test is one of its own.
#[actix_web::test]
async fn every_call_is_one_line_and_nothing_it_carried_is_in_the_log() {
    let log = Log::default();
    tracing_subscriber::fmt()
        .with_env_filter("provider_bridge=trace,access=trace,http=trace")
        .with_writer(log.clone())
        .json()
        .flatten_event(true)
        .init();
    let app = TestApp::start(TestStore::create(Engine::Sqlite).await.clone()).await;
    let key = app.key(&[Role::Admin]).await;
    let mut answers = carry(&app, &key).await;
    app.crm.panics.store(true, Ordering::SeqCst);
    answers.push(
        app.get(&key, &format!("/v1/accounts/{}", Uuid::from_u128(1)))
            .await,
    );
    let named = app
        .request(Method::GET, "/v1/settings")
        .header("x-api-key", &key)
        .header("x-ms-client-request-id", "flow-run-17");
    answers.push(Answer::of(named).await);

    let text = log.text();
    assert!(!text.contains(CANARY), "{text}");
    assert!(!text.contains(&key), "{text}");
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &Value| line["target"] == "access")
        .collect();
    assert_eq!(lines.len(), answers.len(), "{text}");
    for (line, answer) in lines.iter().zip(&answers) {
        assert_eq!(line["request_id"], answer.header("x-request-id"), "{line}");
        assert_eq!(line["status"], answer.status, "{line}");
        assert!(line["milliseconds"].as_f64().unwrap() >= 0.0);
    }
    let said = |index: usize| (&lines[index]["operation"], &lines[index]["method"]);
    assert_eq!(said(0), (&json!("ListProviders"), &json!("GET")));
    assert_eq!(said(4), (&json!("none"), &json!("GET")));
    assert_eq!(said(5), (&json!("Unsubscribe"), &json!("DELETE")));
    assert_eq!(
        said(6),
        (&json!("WhenProviderAccountIsCreated"), &json!("POST"))
    );
    assert!(lines[0]["caller"].as_str().unwrap().starts_with("key:"));
    assert_eq!(lines[1]["caller"], Value::Null, "a wrong key names nobody");
    assert_eq!(lines.last().unwrap()["correlation_id"], "flow-run-17");
    assert_eq!(
        lines[lines.len() - 2]["status"],
        500,
        "a panic is a line too"
    );
}
