//! `/metrics` of the real service: what it did shows there, in the text format of Prometheus.

use std::collections::BTreeMap;

use provider_bridge::app::open::operator;
use provider_bridge::domain::caller::Role;
use provider_bridge::store::Engine;
use secrecy::ExposeSecret;

use super::scene::{Receiver, Scene, hours_later, run_until_idle, simulator};
use crate::support::app::Answer;

/// Every number by its name and labels; a line that is neither a comment nor a number fails.
fn read(text: &str) -> BTreeMap<String, f64> {
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        })
        .collect()
}

#[actix_web::test]
async fn what_the_service_did_is_counted() {
    let simulator = simulator(20).await;
    let receiver = Receiver::start();
    let mut scene = Scene::new(Engine::Sqlite, &simulator).await;
    let bind = "PROVIDER_BRIDGE__SERVER__BIND".to_owned();
    scene.settings.insert(bind, "127.0.0.1:0".to_owned());
    // The recorder has to be there before the first number is counted, as it is when the program starts.
    drop(provider_bridge::app::telemetry::metrics_handle());
    scene.begin(&receiver).await;
    let app = scene.app(hours_later(1)).await;
    run_until_idle(&app).await;
    let roles = [Role::Reader].into_iter().collect();
    let (_, key) = app.keys.create(&operator(), "reader", roles).await.unwrap();
    let account = simulator
        .world()
        .read(|world| world.truths().find_map(|(_, account)| account))
        .unwrap();
    let running = app.start(false).await.unwrap();
    let base = running.base_url();
    #[expect(
        clippy::disallowed_methods,
        reason = "a test calls its own server, not the outside world"
    )]
    let client = reqwest::Client::new();
    let get = |path: String| {
        let request = client.get(format!("{base}{path}"));
        Answer::of(request.header("x-api-key", key.expose_secret()))
    };
    for _ in 0..3 {
        assert_eq!(get(format!("/v1/accounts/{account}")).await.status, 200);
    }
    assert_eq!(get("/v1/accounts/no-guid".to_owned()).await.status, 400);
    assert_eq!(get("/nowhere".to_owned()).await.status, 404);
    let told = get("/metrics".to_owned()).await;
    assert_eq!(told.status, 200);
    assert!(
        told.header("content-type")
            .starts_with("text/plain; version=0.0.4")
    );
    let numbers = read(&told.text);
    let wanted = [
        (
            "http_requests_total{operation=\"GetAccount\",class=\"2xx\"}",
            3.0,
        ),
        (
            "http_requests_total{operation=\"GetAccount\",class=\"4xx\"}",
            1.0,
        ),
        ("http_requests_total{operation=\"none\",class=\"4xx\"}", 1.0),
        (
            "http_request_duration_seconds_count{operation=\"GetAccount\",class=\"2xx\"}",
            3.0,
        ),
        (
            "http_request_duration_seconds_bucket{operation=\"GetAccount\",class=\"2xx\",le=\"+Inf\"}",
            3.0,
        ),
        ("crm_lookup_hits_total{kind=\"account\"}", 2.0),
        ("crm_lookup_misses_total{kind=\"account\"}", 1.0),
        ("crm_lookup_loads_total{kind=\"account\"}", 1.0),
        (
            "jobs_total{kind=\"sync-provider-accounts\",state=\"succeeded\"}",
            1.0,
        ),
    ];
    for (name, value) in wanted {
        assert_eq!(numbers.get(name), Some(&value), "{name} in\n{}", told.text);
    }
    let delivered = "provider_bridge_delivery_tries_total{outcome=\"delivered\"}";
    assert!(numbers[delivered] >= 20.0, "{}", told.text);
    for secret in [key.expose_secret(), "contoso", &account.to_string()] {
        assert!(!told.text.contains(secret), "{secret} is no number");
    }
    running.stop().await;
}
