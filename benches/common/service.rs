//! The stand-ins and the service, started as programs, and the service's API.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::{Running, program, start};

/// How many customers to measure with: `CUSTOMERS`, or so many.
pub fn customers(otherwise: usize) -> usize {
    let asked = std::env::var("CUSTOMERS").ok();
    asked
        .and_then(|text| text.parse().ok())
        .unwrap_or(otherwise)
}

/// The most memory a process has had, in MB.
pub fn peak_memory(process: &Running) -> u64 {
    let status =
        std::fs::read_to_string(format!("/proc/{}/status", process.0.id())).unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap_or_default();
    let kilobytes = line
        .split_whitespace()
        .next()
        .and_then(|number| number.parse::<u64>().ok());
    kilobytes.unwrap_or_default() / 1024
}

fn client() -> reqwest::Client {
    #[expect(
        clippy::disallowed_methods,
        reason = "the yardstick is a client without our guards"
    )]
    reqwest::Client::builder()
        .pool_max_idle_per_host(64)
        .build()
        .expect("a client")
}

/// Starts the stand-ins; gives the settings they print.
pub fn simulator(customers: usize) -> (Running, Vec<(String, String)>) {
    let mut settings = Vec::new();
    let mut command = program();
    command.args([
        "simulator",
        "--port",
        "0",
        "--customers",
        &customers.to_string(),
        "--seed",
        "3",
    ]);
    let (running, ()) = start(&mut command, false, |line| {
        let (key, value) = line.split_once('=')?;
        settings.push((key.to_owned(), value.to_owned()));
        key.ends_with("ALLOW_PLAIN_LOOPBACK").then_some(())
    });
    (running, settings)
}

fn value_of(settings: &[(String, String)], key: &str) -> String {
    settings
        .iter()
        .find(|(name, _)| name.ends_with(key))
        .map(|(_, value)| value.clone())
        .expect("a setting")
}

fn configured(settings: &[(String, String)], folder: &Path, port: u16) -> Command {
    let mut command = program();
    command.envs(settings.iter().cloned());
    command.env("PROVIDER_BRIDGE__DATABASE__DATA_DIRECTORY", folder);
    command.env("PROVIDER_BRIDGE__SERVER__BIND", format!("127.0.0.1:{port}"));
    command.env("PROVIDER_BRIDGE__LOG__FILTER", "warn");
    command
}

/// Starts the service on a database of its own; gives an admin's API key and its port.
pub fn service(settings: &[(String, String)], folder: &Path) -> (Running, String, u16) {
    let free =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let port = free.expect("a port").port();
    let mut make_key = configured(settings, folder, port);
    make_key.args([
        "api-keys",
        "create",
        "--name",
        "bench",
        "--role",
        "admin",
        "--role",
        "provisioning",
    ]);
    let key = make_key.output().expect("a key");
    let key = String::from_utf8_lossy(&key.stdout).trim().to_owned();
    (serve(settings, folder, port), key, port)
}

/// Starts the service on a database that is there, and waits until it listens.
pub fn serve(settings: &[(String, String)], folder: &Path, port: u16) -> Running {
    let mut serve = configured(settings, folder, port);
    let (running, ()) = start(serve.arg("serve"), true, |line| {
        line.starts_with("listening").then_some(())
    });
    running
}

pub async fn pause() {
    #[expect(
        clippy::disallowed_methods,
        reason = "a measurement waits in real time"
    )]
    tokio::time::sleep(Duration::from_millis(20)).await;
}

/// The service's API.
pub struct Api {
    client: reqwest::Client,
    key: String,
    base: String,
}

impl Api {
    /// The API of the service at this port.
    pub fn new(key: String, port: u16) -> Self {
        Self {
            client: client(),
            key,
            base: format!("http://127.0.0.1:{port}"),
        }
    }

    /// Waits until the service is ready.
    pub async fn wait_ready(&self) {
        let ready = || {
            self.client
                .get(format!("{}/health/ready", self.base))
                .send()
        };
        while !ready()
            .await
            .is_ok_and(|answer| answer.status().is_success())
        {
            pause().await;
        }
    }

    pub async fn call(&self, method: reqwest::Method, path: &str, body: Option<Value>) -> Value {
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.base))
            .header("X-Api-Key", &self.key);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("an answer");
        assert!(
            answer.status().is_success(),
            "{path}: {}",
            answer.text().await.unwrap_or_default()
        );
        answer.json().await.unwrap_or_default()
    }

    pub async fn connect(&self) -> String {
        use provider_bridge::simulator as stand_ins;
        let body = json!({
            "kind": "partner-center",
            "name": "Bench",
            "partnerTenant": stand_ins::PARTNER_TENANT_ID,
            "clientId": stand_ins::PARTNER_CENTER_CLIENT_ID,
            "clientSecret": stand_ins::PARTNER_CENTER_CLIENT_SECRET,
        });
        let provider = self
            .call(reqwest::Method::POST, "/v1/providers", Some(body))
            .await;
        provider
            .get("providerId")
            .and_then(Value::as_str)
            .expect("an id")
            .to_owned()
    }

    /// Asks for a sync and waits for its end; seconds.
    pub async fn sync(&self, provider: &str) -> f64 {
        self.job(&format!("/v1/providers/{provider}/sync-provider-accounts"))
            .await
            .0
    }

    /// Asks for a job and waits for its end; seconds, and the job.
    pub async fn job(&self, path: &str) -> (f64, Value) {
        let started = Instant::now();
        let job = self.call(reqwest::Method::POST, path, None).await;
        let id = job
            .get("jobId")
            .and_then(Value::as_str)
            .expect("a job")
            .to_owned();
        loop {
            let job = self
                .call(reqwest::Method::GET, &format!("/v1/jobs/{id}"), None)
                .await;
            let state = job.get("state").and_then(Value::as_str).unwrap_or_default();
            if state == "succeeded" {
                return (started.elapsed().as_secs_f64(), job);
            }
            let ended = ["failed", "cancelled", "not-applicable"].contains(&state);
            assert!(!ended, "the sync ended badly: {job}");
            pause().await;
        }
    }
}

async fn bare_token(base: &str) -> String {
    use provider_bridge::simulator as stand_ins;
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", stand_ins::PARTNER_CENTER_CLIENT_ID),
        ("client_secret", stand_ins::PARTNER_CENTER_CLIENT_SECRET),
        ("scope", &format!("{base}/.default")),
    ];
    let url = format!("{base}/{}/oauth2/v2.0/token", stand_ins::PARTNER_TENANT_ID);
    let answer: Value = client()
        .post(url)
        .form(&form)
        .send()
        .await
        .expect("sent")
        .json()
        .await
        .expect("JSON");
    answer
        .get("access_token")
        .and_then(Value::as_str)
        .expect("a token")
        .to_owned()
}

/// The yardstick: fetches, parses and forgets.
pub struct Bare {
    client: reqwest::Client,
    token: String,
    base: String,
}

impl Bare {
    /// One that asks the stand-ins of these settings.
    pub async fn new(settings: &[(String, String)]) -> Self {
        let base = value_of(settings, "PARTNER_CENTER__BASE_URL");
        Self {
            client: client(),
            token: bare_token(&base).await,
            base,
        }
    }

    pub async fn get(&self, path: &str, continuation: Option<&str>) -> Value {
        let mut request = self
            .client
            .get(format!("{}{path}", self.base))
            .bearer_auth(&self.token);
        if let Some(token) = continuation {
            request = request.header("MS-ContinuationToken", token);
        }
        request
            .send()
            .await
            .expect("sent")
            .json()
            .await
            .expect("JSON")
    }

    /// The whole listing; seconds, and the ids.
    pub async fn list(&self) -> (f64, Vec<String>) {
        let started = Instant::now();
        let mut ids = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let path = if token.is_some() {
                "/v1/customers?size=500&seekOperation=Next"
            } else {
                "/v1/customers?size=500"
            };
            let page = self.get(path, token.as_deref()).await;
            let items = page.get("items").and_then(Value::as_array).expect("items");
            ids.extend(
                items
                    .iter()
                    .filter_map(|item| item.get("id")?.as_str().map(str::to_owned)),
            );
            token = page
                .get("continuationToken")
                .and_then(Value::as_str)
                .map(str::to_owned);
            if token.is_none() {
                return (started.elapsed().as_secs_f64(), ids);
            }
        }
    }
}
