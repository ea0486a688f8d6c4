//! Canaries: every kind of secret is one that nothing else is called, everything is driven with them, through every fault
//! and past an upstream that sends back whatever it was sent; and then none of them stands in any log line, answer, page,
//! number, document or in the clear in the database, which is read whole; and nothing of them in what a panic says.

mod echo;
mod panics;
mod stage;
mod stored;

use base64::Engine as _;
use provider_bridge::app::clock::system_context;
use provider_bridge::domain::ids::ProviderId;
use provider_bridge::simulator::{
    self, Fault, FaultKind, PARTNER_CENTER_CLIENT_SECRET, PARTNER_TENANT_ID, Upstream,
};
use provider_bridge::store::Engine;
use reqwest::Method;
use serde_json::json;

use super::scene::{Scene, simulator_by};
use crate::on_both_engines;
use crate::support::log::Log;

use echo::Echo;
use stage::{CLIENT_SECRET, Stage, WEBHOOK_SECRET, WRONG_SECRET};

/// Every fault of Entra and of Partner Center once, while a provider is verified and synced.
async fn faults(stage: &mut Stage, simulator: &simulator::Running, provider: ProviderId) {
    let refused = |code| FaultKind::EntraError {
        error: "invalid_client".to_owned(),
        code,
    };
    for kind in [
        FaultKind::ErrorPage { status: 502 },
        FaultKind::TornBody,
        FaultKind::TruncatedJson,
        FaultKind::ExpiredToken,
        FaultKind::WrongAudience,
        FaultKind::MultiFactorMissing,
        FaultKind::NumbersAsText,
        refused(7_000_215),
        refused(50_173),
    ] {
        for upstream in [
            Upstream::Entra,
            Upstream::PartnerCenter,
            Upstream::Dataverse,
        ] {
            let fault = Fault {
                times: Some(3),
                ..Fault::new(upstream, kind.clone())
            };
            simulator
                .faults()
                .add(fault, stage.beside.flows.context.now());
        }
        let path = format!("/v1/providers/{provider}/verify-connectivity");
        stage.api(Method::POST, &path, json!({})).await;
        simulator.faults().clear();
    }
}

fn settings(sealing: &str) -> [(&'static str, String); 2] {
    [
        ("KEYS__RING", format!("first:{sealing}")),
        ("DATAVERSE__WEBHOOK_SECRETS", WEBHOOK_SECRET.to_owned()),
    ]
}

/// A reseller's day: consent, syncs, faults.
async fn live_through(
    stage: &mut Stage,
    simulator: &simulator::Running,
    echo: &Echo,
) -> [ProviderId; 2] {
    let good = stage.connect("Europe", PARTNER_CENTER_CLIENT_SECRET).await;
    let bad = stage.connect("Asia", CLIENT_SECRET).await;
    stage.subscribe(echo).await;
    let csrf = stage.sign_in().await;
    stage.consent(good, &csrf, "admin").await;
    stage.consent(good, &csrf, "user").await;
    let confirm = format!("/providers/{good}/consent/confirm");
    stage
        .post(&confirm, &[("csrf", &csrf), ("tenant", PARTNER_TENANT_ID)])
        .await;
    for provider in [good, bad] {
        stage.work(provider).await;
    }
    stage.open_sealed(good).await;
    faults(stage, simulator, good).await;
    [good, bad]
}

/// Whatever can be looked at.
async fn look_everywhere(stage: &mut Stage, [good, bad]: [ProviderId; 2]) {
    for path in [
        "/metrics",
        "/openapi.json",
        "/health/ready",
        "/health/live",
        "/docs",
        "/connector/apiDefinition.swagger.json",
    ] {
        let request = stage.request(Method::GET, path);
        stage.ask(path, request).await;
    }
    for path in [
        "/v1/providers",
        "/v1/sync-runs",
        "/v1/trigger-subscriptions",
        "/v1/deliveries?state=dead",
        "/v1/api-keys",
        "/v1/settings",
    ] {
        stage.api(Method::GET, path, json!({})).await;
    }
    for path in [
        "/".to_owned(),
        format!("/providers/{good}"),
        format!("/providers/{bad}"),
    ] {
        stage.page(&path).await;
    }
}

/// The same among upstreams that send everything back.
async fn among_echoes(stage: &mut Stage) {
    let provider = stage.connect("Europe", CLIENT_SECRET).await;
    let csrf = stage.sign_in().await;
    for _ in 0..3 {
        stage.work(provider).await;
        let path = format!("/providers/{provider}/consent");
        let begun = stage
            .post(&path, &[("csrf", &csrf), ("step", "user")])
            .await;
        let begun: url::Url = begun.parse().unwrap();
        let (_, state) = begun
            .query_pairs()
            .find(|(name, _)| name == "state")
            .unwrap();
        let back = format!("/consent/callback?code={WRONG_SECRET}&state={state}");
        stage.page(&back).await;
    }
    stage.page(&format!("/providers/{provider}")).await;
    stage.api(Method::GET, "/v1/sync-runs", json!({})).await;
}

/// Logs are global to a process, and this test is one of its own.
async fn no_secret_is_told_by_anything(engine: Engine) {
    let log = Log::default();
    tracing_subscriber::fmt()
        .with_env_filter("trace")
        .with_writer(log.clone())
        .with_ansi(false)
        .init();
    let simulator = simulator_by(system_context(), 12).await;
    let echo = Echo::start();
    let mut scene = Scene::new(engine, &simulator).await;
    let sealing =
        base64::engine::general_purpose::STANDARD.encode(*b"canary sealing key of 32 bytes..");
    for (key, value) in settings(&sealing) {
        scene
            .settings
            .insert(format!("PROVIDER_BRIDGE__{key}"), value);
    }

    let mut stage = Stage::on(&scene).await;
    let providers = live_through(&mut stage, &simulator, &echo).await;
    stage.strangers().await;
    stage.webhooks().await;
    look_everywhere(&mut stage, providers).await;
    assert!(log.text().len() > 100_000, "everything is logged");
    stage.assert_silent(&log, &scene).await;

    let mut scene = Scene::new(engine, &simulator).await;
    for (key, value) in settings(&sealing).into_iter().chain([
        ("ENTRA__AUTHORITY", echo.url.clone()),
        ("PARTNER_CENTER__BASE_URL", echo.url.clone()),
        ("DATAVERSE__ORG_URL", echo.url.clone()),
    ]) {
        scene
            .settings
            .insert(format!("PROVIDER_BRIDGE__{key}"), value);
    }
    let mut stage = Stage::on(&scene).await;
    among_echoes(&mut stage).await;
    stage.assert_silent(&log, &scene).await;
}

on_both_engines! { no_secret_is_told_by_anything }
