//! A plain client for the simulator: no retries, no redirects, tokens fetched when asked.

use std::sync::Arc;

use provider_bridge::domain::context::Clock;
use provider_bridge::simulator::{
    self, Fault, Running, Simulator, SimulatorOptions, Upstream, World, WorldSpec,
};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, StatusCode};
use serde_json::Value;

use crate::support::context::{ManualClock, context};

/// An answer, read to its end.
pub struct Got {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Got {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} in {}", self.text))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// `error.code` of Dataverse or `code` of Partner Center.
    pub fn code(&self) -> String {
        let body = self.json();
        let code = body.pointer("/error/code").or_else(|| body.get("code"));
        code.and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

/// A running simulator with a client that is signed in to both APIs.
pub struct Stand {
    pub running: Running,
    pub clock: Arc<ManualClock>,
    pub http: Client,
    pub provider_token: String,
    pub crm_token: String,
}

impl Stand {
    /// A small world over plain HTTP.
    pub async fn new() -> Self {
        Self::of(&WorldSpec::new(60, 7), |_| {}).await
    }

    pub async fn of(spec: &WorldSpec, change: impl FnOnce(&mut SimulatorOptions)) -> Self {
        let (context, clock) = context();
        let mut options = SimulatorOptions::new(context);
        change(&mut options);
        let running = Simulator::start(World::generate(spec), options)
            .await
            .unwrap();
        let http = client(&running);
        let mut stand = Self {
            running,
            clock,
            http,
            provider_token: String::new(),
            crm_token: String::new(),
        };
        stand.sign_in().await;
        stand
    }

    /// Fetches new tokens.
    pub async fn sign_in(&mut self) {
        let provider = self
            .token(
                simulator::PARTNER_TENANT_ID,
                simulator::PARTNER_CENTER_CLIENT_ID,
                simulator::PARTNER_CENTER_CLIENT_SECRET,
            )
            .await;
        self.provider_token = provider.json()["access_token"].as_str().unwrap().to_owned();
        let crm = self
            .token(
                simulator::ENTRA_TENANT_ID,
                simulator::DATAVERSE_CLIENT_ID,
                simulator::DATAVERSE_CLIENT_SECRET,
            )
            .await;
        self.crm_token = crm.json()["access_token"].as_str().unwrap().to_owned();
    }

    pub async fn token(&self, tenant: &str, client: &str, secret: &str) -> Got {
        let scope = format!("{}/.default", self.running.base_url());
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client),
            ("client_secret", secret),
            ("scope", &scope),
        ];
        self.form(&format!("/{tenant}/oauth2/v2.0/token"), &form)
            .await
    }

    pub async fn form(&self, path: &str, form: &[(&str, &str)]) -> Got {
        let url = format!("{}{path}", self.running.base_url());
        got(self.http.post(url).form(form)).await
    }

    /// Reads from Partner Center.
    pub async fn provider(&self, path: &str, headers: &[(&str, &str)]) -> Got {
        let token = self.provider_token.clone();
        self.send(Method::GET, path, headers, &token, None).await
    }

    /// Reads from Dataverse; `path` is below the service root, or a whole link.
    pub async fn crm(&self, path: &str, headers: &[(&str, &str)]) -> Got {
        self.crm_send(Method::GET, path, headers, None).await
    }

    /// Asks Dataverse for anything.
    pub async fn crm_send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Got {
        let token = self.crm_token.clone();
        let path = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("/api/data/v9.2/{path}")
        };
        self.send(method, &path, headers, &token, body).await
    }

    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        token: &str,
        body: Option<String>,
    ) -> Got {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}{path}", self.running.base_url())
        };
        let mut request = self.http.request(method, url).bearer_auth(token);
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            request = request.header(name, HeaderValue::from_str(value).unwrap());
        }
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body);
        }
        got(request).await
    }

    /// Calls the control API.
    pub async fn control(&self, method: Method, path: &str, body: Option<Value>) -> Got {
        let url = format!("{}/_simulator/{path}", self.running.base_url());
        let mut request = self.http.request(method, url);
        if let Some(body) = body {
            request = request.json(&body);
        }
        got(request).await
    }

    /// Switches a fault on.
    pub fn add(&self, fault: Fault) {
        self.running.faults().add(fault, self.clock.now());
    }

    pub fn requests(&self, upstream: Upstream) -> u64 {
        self.running.statistics().requests(upstream)
    }
}

pub async fn got(request: reqwest::RequestBuilder) -> Got {
    let answer = request.send().await.unwrap();
    Got {
        status: answer.status(),
        headers: answer.headers().clone(),
        text: answer.text().await.unwrap(),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the simulator is tested from outside the product"
)]
fn client(running: &Running) -> Client {
    let builder = Client::builder().redirect(reqwest::redirect::Policy::none());
    match running.certificate_pem() {
        Some(pem) => {
            let root = reqwest::Certificate::from_pem(pem.as_bytes()).unwrap();
            builder.tls_certs_only([root]).build().unwrap()
        }
        None => builder.build().unwrap(),
    }
}
