//! A person at the API of the real service: a synced world, its HTTP door, a key, and the Jobs driven by hand.

use provider_bridge::app::open::operator;
use provider_bridge::app::running::Running;
use provider_bridge::domain::caller::Role;
use provider_bridge::domain::setting::AutoMatchMode;
use provider_bridge::flows::Flows;
use provider_bridge::flows::settings::SettingsChange;
use provider_bridge::jobs::Runner;
use provider_bridge::simulator;
use provider_bridge::store::Engine;
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::scene::{Receiver, Scene, hours_later, run_until_idle};
use crate::support::app::Answer;

pub struct Desk {
    pub simulator: simulator::Running,
    pub flows: Flows,
    pub runner: Runner,
    running: Running,
    key: SecretString,
    client: reqwest::Client,
    _scene: Scene,
    _receiver: Receiver,
}

impl Desk {
    /// So many customers, synced, and nothing mapped by itself.
    pub async fn on(engine: Engine, customers: usize) -> Self {
        let simulator = super::scene::simulator(customers).await;
        let receiver = Receiver::start();
        let mut scene = Scene::new(engine, &simulator).await;
        let bind = "PROVIDER_BRIDGE__SERVER__BIND".to_owned();
        scene.settings.insert(bind, "127.0.0.1:0".to_owned());
        scene.begin(&receiver).await;
        let app = scene.app(hours_later(1)).await;
        let off = SettingsChange {
            auto_match: Some(AutoMatchMode::Off),
            ..SettingsChange::default()
        };
        app.flows.change_settings(&operator(), &off).await.unwrap();
        run_until_idle(&app).await;
        let roles = [Role::Admin].into_iter().collect();
        let (_, key) = app.keys.create(&operator(), "Grace", roles).await.unwrap();
        let (flows, runner) = (app.flows.clone(), app.runner.clone());
        let running = app.start(false).await.unwrap();
        #[expect(
            clippy::disallowed_methods,
            reason = "a test calls its own server, not the outside world"
        )]
        let client = reqwest::Client::new();
        Self {
            simulator,
            flows,
            runner,
            running,
            key,
            client,
            _scene: scene,
            _receiver: receiver,
        }
    }

    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let url = format!("{}{path}", self.running.base_url());
        let request = self.client.request(method, url);
        let request = request.header("x-api-key", self.key.expose_secret());
        Answer::of(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await
    }

    pub async fn get(&self, path: &str) -> Value {
        let answer = self.call(Method::GET, path, None).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.body
    }

    /// Asks for a Job, runs it, and gives it as it ended.
    pub async fn job(&self, path: &str, body: Option<Value>) -> Value {
        let answer = self.call(Method::POST, path, body).await;
        assert_eq!(answer.status, 202, "{path}: {}", answer.text);
        self.runner.run_due().await;
        let id = answer.body["jobId"].as_str().unwrap();
        let job = self.get(&format!("/v1/jobs/{id}")).await;
        assert_eq!(job["state"], "succeeded", "{job}");
        job
    }

    pub async fn stop(self) {
        self.running.stop().await;
    }
}
