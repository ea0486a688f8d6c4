//! What a panic tells, and where: a handler and a Job that really panic, with a secret in the message, in a process whose
//! standard error is read. The process is this test's own executable, told to play the other part.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use provider_bridge::app::build::App;
use provider_bridge::app::clock::system_context;
use provider_bridge::app::open::operator;
use provider_bridge::app::running::Running;
use provider_bridge::app::{panics, telemetry};
use provider_bridge::domain::caller::Role;
use provider_bridge::domain::ports::provider::{ProviderClient, ProviderError, Providers};
use provider_bridge::domain::provider::Provider;
use provider_bridge::jobs::{Runner, RunnerSettings};
use provider_bridge::store::{Engine, jobs};
use reqwest::Method;
use secrecy::ExposeSecret;
use tokio_util::sync::CancellationToken;

use super::stage::CLIENT_SECRET;
use crate::service::scene::{Receiver, Scene, simulator_by};
use crate::support::http::loopback_client;

/// Says which part to play.
const PART: &str = "PANIC_IN_THIS_PROCESS";

/// Opens a secret and stumbles over it.
struct Stumbling;

#[async_trait]
impl Providers for Stumbling {
    async fn client(&self, _: &Provider) -> Result<Arc<dyn ProviderClient>, ProviderError> {
        panic!("no client can be made with {CLIENT_SECRET:?}")
    }
}

/// Panics in a handler and in Jobs of a real service.
async fn stumble() {
    let simulator = simulator_by(system_context(), 3).await;
    let scene = Scene::new(Engine::Sqlite, &simulator).await;
    let provider = scene.begin(&Receiver::start()).await;
    let config = scene.config();
    telemetry::start_logging(&config.log).unwrap();
    panics::tell_without_data();
    let mut app = App::build(config, system_context()).await.unwrap();
    app.flows.providers = Arc::new(Stumbling);
    let roles = [Role::Admin].into_iter().collect();
    let (_, key) = app.keys.create(&operator(), "Flows", roles).await.unwrap();
    let runner = Runner::new(app.flows.clone(), RunnerSettings::default());
    let running = app.start(false).await.unwrap();

    let path = format!("/v1/providers/{provider}/verify-connectivity");
    let url = format!("{}{path}", running.base_url()).parse().unwrap();
    let client = loopback_client();
    let request = client.request(Method::POST, url).unwrap();
    let request = request.header("x-api-key", key.expose_secret());
    let answer = client.send(request).await.unwrap();
    println!(
        "{} {}",
        answer.status,
        String::from_utf8_lossy(&answer.body)
    );
    // The scene asked for a sync of the provider: its Job panics, and the runner goes on with the others.
    let stop = CancellationToken::new();
    futures_util::join!(runner.run(&stop), async {
        all_tried(&running).await;
        stop.cancel();
    });
}

/// Until every Job has been taken up.
async fn all_tried(running: &Running) {
    for _ in 0..1000 {
        let jobs = jobs::latest(running.flows.store.reader(), 20).await;
        if jobs.unwrap().iter().all(|job| job.attempts > 0) {
            return;
        }
        system_context().sleep(Duration::from_millis(10)).await;
    }
    panic!("the runner stopped at a panic")
}

#[actix_web::test]
async fn a_panic_tells_its_place_and_no_secret() {
    if std::env::var_os(PART).is_some() {
        return stumble().await;
    }
    let name = "service::canaries::panics::a_panic_tells_its_place_and_no_secret";
    let output = Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(PART, "1")
        .env("RUST_BACKTRACE", "1")
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("500 Internal Server Error"), "{said}");
    assert!(said.contains("a handler panicked"), "{said}");
    assert!(said.contains("a job panicked"), "{said}");
    let places = said.matches("canaries/panics.rs:").count();
    assert!(places >= 2, "{places} places in {said}");
    assert!(!said.contains(CLIENT_SECRET), "{said}");
}
