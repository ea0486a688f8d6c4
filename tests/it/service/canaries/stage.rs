//! The service with the canaries in it, and all it says.

use std::collections::BTreeMap;

use provider_bridge::app::build::App;
use provider_bridge::app::clock::system_context;
use provider_bridge::app::open::operator;
use provider_bridge::app::running::Running;
use provider_bridge::domain::caller::Role;
use provider_bridge::domain::ids::ProviderId;
use provider_bridge::simulator::{
    self, PARTNER_CENTER_CLIENT_ID, PARTNER_CENTER_CLIENT_SECRET, PARTNER_TENANT_ID,
};
use provider_bridge::store::entities::trigger_subscription;
use provider_bridge::store::secrets;
use reqwest::{Client, Method, RequestBuilder};
use sea_orm::EntityTrait;
use secrecy::ExposeSecret;
use serde_json::json;

use super::echo::Echo;
use super::stored;
use crate::service::scene::{Scene, run_until_idle};
use crate::support::http::loopback_client;
use crate::support::log::Log;

const HOST: &str = "127.0.0.1:8080";
const COOKIE: &str = "__Host-provider-bridge";
const FORM: &str = "application/x-www-form-urlencoded";
pub const CLIENT_SECRET: &str = "canary-client-secret-1f6b";
pub const WEBHOOK_SECRET: &str = "canary-webhook-secret-8c21";
pub const WRONG_SECRET: &str = "canary-wrong-secret-77aa";
const CALLBACK: &str = "canary-callback-4e90";
const BEARER: &str = "canary.bearer.aa51";
pub const ISSUED: &str = "canary-issued-token-0d13";

/// A service, a second instance that does its work by hand, and all it said.
pub struct Stage {
    pub running: Running,
    pub beside: App,
    pub key: String,
    pub client: Client,
    /// The secrets, by what they are.
    pub canaries: BTreeMap<String, String>,
    /// What was said, by who said it.
    pub said: Vec<(String, String)>,
}

impl Stage {
    pub async fn on(scene: &Scene) -> Self {
        let app = App::build(scene.config(), system_context()).await.unwrap();
        let roles = [Role::Admin].into_iter().collect();
        let (_, key) = app.keys.create(&operator(), "Flows", roles).await.unwrap();
        let beside = App::build_beside(scene.config(), system_context())
            .await
            .unwrap();
        let running = app.start(false).await.unwrap();
        #[expect(clippy::disallowed_methods, reason = "a test calls its own server")]
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let key = key.expose_secret().to_owned();
        let ring = &scene.settings["PROVIDER_BRIDGE__KEYS__RING"];
        let mut canaries = BTreeMap::from([
            (
                "sealing key".to_owned(),
                ring.split_once(':').unwrap().1.to_owned(),
            ),
            ("API key".to_owned(), key.clone()),
            (
                "Dataverse's client secret".to_owned(),
                simulator::DATAVERSE_CLIENT_SECRET.to_owned(),
            ),
            (
                "a provider's client secret".to_owned(),
                PARTNER_CENTER_CLIENT_SECRET.to_owned(),
            ),
        ]);
        for canary in [
            CLIENT_SECRET,
            WEBHOOK_SECRET,
            WRONG_SECRET,
            CALLBACK,
            BEARER,
            ISSUED,
        ] {
            canaries.insert(canary.to_owned(), canary.to_owned());
        }
        let said = vec![(
            "Debug of the settings".to_owned(),
            format!("{:?}", scene.config()),
        )];
        Self {
            running,
            beside,
            key,
            client,
            canaries,
            said,
        }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.running.base_url()))
    }

    /// Sends and writes down what was said, but for cookies; gives body and Location.
    pub async fn ask(&mut self, what: &str, request: RequestBuilder) -> (u16, String, String) {
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let header = |name: &str| {
            answer
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap().to_owned())
        };
        let location = header("location").unwrap_or_default();
        if let Some(cookie) = header("set-cookie") {
            let value = cookie
                .split(['=', ';'])
                .nth(1)
                .unwrap_or_default()
                .to_owned();
            if value.len() > 20 {
                self.canaries.insert("session".to_owned(), value);
            }
        }
        let text = answer.text().await.unwrap();
        self.said.push((what.to_owned(), text.clone()));
        (status, text, location)
    }

    pub async fn api(
        &mut self,
        method: Method,
        path: &str,
        body: serde_json::Value,
    ) -> (u16, serde_json::Value) {
        let request = self
            .request(method, path)
            .header("x-api-key", &self.key)
            .json(&body);
        let (status, text, _) = self.ask(path, request).await;
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    pub async fn connect(&mut self, name: &str, client_secret: &str) -> ProviderId {
        let body = json!({
            "kind": "partner-center", "name": name, "partnerTenant": PARTNER_TENANT_ID,
            "clientId": PARTNER_CENTER_CLIENT_ID, "clientSecret": client_secret,
        });
        let (status, made) = self.api(Method::POST, "/v1/providers", body).await;
        assert_eq!(status, 201, "{made}");
        made["providerId"].as_str().unwrap().parse().unwrap()
    }

    /// Verifies and syncs a provider, verifies the CRM, and lets all the work be done.
    pub async fn work(&mut self, provider: ProviderId) {
        for operation in ["verify-connectivity", "sync-provider-accounts"] {
            let path = format!("/v1/providers/{provider}/{operation}");
            self.api(Method::POST, &path, json!({})).await;
        }
        let verified = self.beside.flows.verify_crm(&operator()).await.unwrap();
        self.said
            .push(("verifying the CRM".to_owned(), format!("{verified:?}")));
        run_until_idle(&self.beside).await;
    }

    /// A browser that signs in by a link; gives the CSRF secret of its forms.
    pub async fn sign_in(&mut self) -> String {
        let roles = [Role::Admin].into_iter().collect();
        let link = self
            .beside
            .sessions
            .create_link(&operator(), "Ada", roles)
            .await
            .unwrap();
        let link = link.expose_secret().to_owned();
        self.canaries
            .insert("sign-in link".to_owned(), link.clone());
        self.post("/sign-in", &[("link", &link)]).await;
        let home = self.page("/").await;
        let (_, after) = home
            .split_once("name=\"csrf\" value=\"")
            .expect("signed in");
        after.split('"').next().unwrap().to_owned()
    }

    pub fn cookie(&self) -> String {
        format!(
            "{COOKIE}={}",
            self.canaries.get("session").cloned().unwrap_or_default()
        )
    }

    pub async fn page(&mut self, path: &str) -> String {
        let request = self
            .request(Method::GET, path)
            .header("host", HOST)
            .header("cookie", self.cookie());
        self.ask(path, request).await.1
    }

    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> String {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        let request = self
            .request(Method::POST, path)
            .header("host", HOST)
            .header("cookie", self.cookie());
        let request = request.header("content-type", FORM).body(body.finish());
        self.ask(path, request).await.2
    }

    /// One consent through the browser. What came back in it is secret too.
    pub async fn consent(&mut self, provider: ProviderId, csrf: &str, step: &str) {
        let path = format!("/providers/{provider}/consent");
        let begun = self.post(&path, &[("csrf", csrf), ("step", step)]).await;
        let mut begun: url::Url = begun.parse().unwrap();
        begun
            .query_pairs_mut()
            .append_pair("simulated_account", "admin@partner.example");
        let entra = loopback_client();
        let answer = entra
            .send(entra.request(Method::GET, begun).unwrap())
            .await
            .unwrap();
        let back: url::Url = answer.headers["location"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        for (name, value) in back
            .query_pairs()
            .filter(|(name, _)| ["code", "state"].contains(&&**name))
        {
            self.canaries
                .insert(format!("{name} of {step} consent"), value.into_owned());
        }
        let path = format!("{}?{}", back.path(), back.query().unwrap());
        self.page(&path).await;
    }

    /// What is sealed is secret: everything that can be opened.
    pub async fn open_sealed(&mut self, provider: ProviderId) {
        let flows = self.beside.flows.clone();
        let row = provider.as_uuid();
        for purpose in [
            secrets::PROVIDER_REFRESH_TOKEN,
            secrets::PROVIDER_ACCESS_TOKEN,
        ] {
            let found = secrets::find(flows.store.reader(), purpose, row).await;
            let Some((sealed, _)) = found.unwrap() else {
                panic!("there is no {purpose}: {:#?}", self.said);
            };
            let mut opened = flows
                .sealer
                .open(row, &sealed)
                .unwrap()
                .expose_secret()
                .to_owned();
            if let Ok(shared) = serde_json::from_str::<serde_json::Value>(&opened) {
                opened = shared["token"].as_str().unwrap().to_owned();
            }
            self.canaries.insert(purpose.to_owned(), opened);
        }
        let rows = trigger_subscription::Entity::find()
            .all(flows.store.reader())
            .await
            .unwrap();
        assert!(!rows.is_empty());
        for row in rows {
            let sealed = provider_bridge::domain::ports::sealer::Sealed {
                key_id: row.signing_key_id,
                bytes: row.signing_sealed,
            };
            let opened = flows
                .sealer
                .open(row.id, &sealed)
                .unwrap()
                .expose_secret()
                .to_owned();
            self.canaries
                .insert(format!("signing secret {}", row.id), opened);
        }
    }

    pub async fn subscribe(&mut self, receiver: &Echo) {
        let callback = format!("{}/flow?sig={CALLBACK}", receiver.url);
        let request = self.request(Method::POST, "/v1/triggers/new-provider-account");
        let request = request
            .header("x-api-key", &self.key)
            .json(&json!({ "callbackUrl": callback }));
        // Its answer shows what is shown once.
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 201);
        let location = answer.headers()["location"].to_str().unwrap().to_owned();
        let token = location.rsplit('/').next().unwrap().to_owned();
        self.canaries.insert("unsubscribe token".to_owned(), token);
        let refused =
            json!({ "callbackUrl": format!("https://elsewhere.example/?sig={CALLBACK}") });
        let (status, _) = self
            .api(
                Method::POST,
                "/v1/triggers/provider-account-mapped",
                refused,
            )
            .await;
        assert_eq!(status, 422);
    }

    /// Strangers, with what they may have stolen, and what they carry wherever they can.
    pub async fn strangers(&mut self) {
        for path in ["/v1/providers", "/v1/nothing", "/health/ready"] {
            for (header, value) in [
                ("authorization", format!("Bearer {BEARER}")),
                ("x-api-key", WRONG_SECRET.to_owned()),
                ("cookie", format!("{COOKIE}={WRONG_SECRET}")),
            ] {
                let request = self.request(
                    Method::GET,
                    &format!("{path}?token={WRONG_SECRET}&code={WRONG_SECRET}"),
                );
                self.ask("a stranger", request.header(header, value)).await;
            }
        }
        let path = format!("/v1/trigger-subscriptions/{WRONG_SECRET}");
        let request = self.request(Method::DELETE, &path);
        self.ask("a stranger", request).await;
        for body in [
            json!({ "kind": "partner-center", "clientSecret": CLIENT_SECRET }),
            json!({ "kind": "partner-center", "name": "x", "partnerTenant": "contoso.com", "clientId": "c", "clientSecret": CLIENT_SECRET.repeat(20) }),
            json!({ "kind": "partner-center", "name": "x", "partnerTenant": "contoso.com", "clientId": "c", "clientSecret": [CLIENT_SECRET] }),
            json!({ "clientSecret": { "value": CLIENT_SECRET } }),
        ] {
            let (status, answer) = self.api(Method::POST, "/v1/providers", body).await;
            assert!((400..500).contains(&status), "{answer}");
        }
        let answer = format!(
            "/consent/callback?code={WRONG_SECRET}&state={WRONG_SECRET}&error_description={WRONG_SECRET}"
        );
        self.page(&answer).await;
        let posted = [
            ("csrf", WRONG_SECRET),
            ("name", "x"),
            ("tenant", "y"),
            ("client_id", "z"),
            ("client_secret", CLIENT_SECRET),
        ];
        self.post("/connect-provider", &posted).await;
    }

    pub async fn webhooks(&mut self) {
        let body = json!({ "MessageName": "Update", "PrimaryEntityName": "account", "PrimaryEntityId": "7a1de0c4-11aa-4b61-b6a0-90f3c1d27e01" });
        for secret in [WEBHOOK_SECRET, WRONG_SECRET] {
            for (path, header) in [
                ("/webhooks/dataverse".to_owned(), true),
                (format!("/webhooks/dataverse?code={secret}"), false),
                (format!("/webhooks/dataverse?secret={secret}"), false),
            ] {
                for body in [body.to_string(), secret.to_owned()] {
                    let mut request = self
                        .request(Method::POST, &path)
                        .header("x-ms-dynamics-organization", "127.0.0.1");
                    if header {
                        request = request.header("X-Webhook-Secret", secret);
                    }
                    self.ask("a webhook", request.body(body)).await;
                }
            }
        }
    }

    pub async fn assert_silent(&self, log: &Log, scene: &Scene) {
        let lines = log.text();
        let mut said = self.said.clone();
        said.push(("the log".to_owned(), lines));
        said.extend(stored::everything(&scene.settings["PROVIDER_BRIDGE__DATABASE__URL"]).await);
        for (what, canary) in &self.canaries {
            assert!(canary.len() > 10, "{what} is too short to be looked for");
            for (who, text) in &said {
                let found = text.find(canary.as_str());
                let Some(at) = found else { continue };
                let from = text[..at]
                    .char_indices()
                    .rev()
                    .take(300)
                    .last()
                    .map_or(at, |(index, _)| index);
                panic!("{what} is told by {who}: {}", &text[from..at]);
            }
        }
    }
}
