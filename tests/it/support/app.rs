//! The whole service on port 0 over a store of the test's, spoken to through real HTTP. Only what lies outside the house is
//! a stand-in ([`super::outside`]); the clock is the test's.

use std::collections::BTreeSet;
use std::sync::Arc;

use actix_web::dev::ServerHandle;
use actix_web::http::header::HeaderName;
use base64::Engine as _;
use provider_bridge::domain::caller::{Caller, Channel, Role};
use provider_bridge::domain::context::Context;
use provider_bridge::domain::domain_name::DomainName;
use provider_bridge::domain::ids::ProviderId;
use provider_bridge::domain::ports::provider::Providers;
use provider_bridge::domain::provider::{Provider, ProviderKind};
use provider_bridge::domain::provider_account::{ExternalId, ListedCustomer};
use provider_bridge::flows::Flows;
use provider_bridge::flows::matcher::Matcher;
use provider_bridge::http::dataverse::{NoticeDoor, NoticeSettings};
use provider_bridge::http::documents::Documents;
use provider_bridge::http::links::Links;
use provider_bridge::http::pages::PageSettings;
use provider_bridge::http::rate_limit::RateLimit;
use provider_bridge::http::state::ApiState;
use provider_bridge::http::{ServerSettings, document, serve};
use provider_bridge::identity::api_keys::ApiKeys;
use provider_bridge::identity::bearer::{BearerSettings, BearerTokens};
use provider_bridge::identity::consent::{ConsentSettings, Consents};
use provider_bridge::identity::key_ring::KeyRing;
use provider_bridge::identity::sealing::RingSealer;
use provider_bridge::identity::sessions::Sessions;
use provider_bridge::identity::signed_token::SignedTokens;
use provider_bridge::store::Store;
use provider_bridge::store::provider_accounts::sync;
use provider_bridge::store::providers;
use provider_bridge::store::retention::Retention;
use reqwest::{Client, Method, RequestBuilder, Response};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::context::{ManualClock, context_seeded};
use super::http::loopback_client;
use super::outside::{FakeCrm, NoProviders, OneCallbackHost};

/// The public URL of the service under test.
pub const PUBLIC_URL: &str = "https://bridge.test";
/// The name under which its pages may be asked for.
pub const PAGE_HOST: &str = "bridge.test";
/// A gateway whose prefix header is believed.
pub const GATEWAY_HOST: &str = "gateway.test";

/// The new and the old secret of the CRM's webhooks.
pub const WEBHOOK_SECRETS: [&str; 2] = ["the-new-secret-of-dynamics", "the-old-secret-of-dynamics"];
/// Where they come from.
pub const ORGANIZATION_HOST: &str = "contoso.crm4.dynamics.com";
pub const ORGANIZATION_ID: &str = "5f0c7d1e-8a3b-4c7e-9d55-2b6a1c0f4e11";

const RETENTION: Retention = Retention {
    events_days: 30,
    jobs_days: 90,
    sync_runs_days: 400,
    exceptions_days: 400,
    crm_notices_days: 7,
};

/// A running service.
pub struct TestApp {
    pub flows: Flows,
    pub keys: ApiKeys,
    pub sessions: Sessions,
    pub bearer: BearerTokens,
    pub crm: Arc<FakeCrm>,
    pub clock: Arc<ManualClock>,
    pub context: Context,
    pub base: String,
    client: Client,
    server: ServerHandle,
}

/// What differs from test to test.
pub struct Settings {
    pub requests_per_minute: u32,
    pub max_body_bytes: usize,
    /// Of its chance: two instances on one store must not draw the same ids.
    pub seed: u64,
    pub bearer: Option<BearerSettings>,
    /// None can be reached when left out.
    pub providers: Option<Arc<dyn Providers>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            requests_per_minute: 0,
            max_body_bytes: 65_536,
            seed: 1,
            bearer: None,
            providers: None,
        }
    }
}

/// Where webhooks come in, and who keeps them.
fn notice_door(flows: &Flows) -> NoticeDoor {
    let (inbox, writer) = flows.notice_inbox();
    actix_web::rt::spawn(async move { writer.run(&CancellationToken::new()).await });
    let settings = NoticeSettings {
        secrets: WEBHOOK_SECRETS.map(SecretString::from).to_vec(),
        header: HeaderName::from_static("x-webhook-secret"),
        organization_host: Some(ORGANIZATION_HOST.to_owned()),
        organization_id: Some(ORGANIZATION_ID.parse().unwrap()),
    };
    NoticeDoor::new(settings, inbox)
}

impl TestApp {
    /// Starts one.
    pub async fn start(store: Store) -> Self {
        Self::start_with(store, Settings::default()).await
    }

    /// Starts one with settings of its own.
    pub async fn start_with(store: Store, settings: Settings) -> Self {
        let (context, clock) = context_seeded(settings.seed);
        let key = base64::engine::general_purpose::STANDARD.encode([7; 32]);
        let ring = KeyRing::parse(&[format!("test:{key}").into()]).unwrap();
        let crm = Arc::new(FakeCrm::default());
        let matcher = Matcher::over(crm.clone()).unwrap();
        let flows = Flows {
            store: store.clone(),
            context: context.clone(),
            providers: settings.providers.unwrap_or_else(|| Arc::new(NoProviders)),
            crm: crm.clone(),
            accounts: crm.clone(),
            directory: matcher.clone(),
            matcher,
            callbacks: Arc::new(OneCallbackHost),
            sealer: Arc::new(RingSealer::new(&ring, context.clone())),
            retention: RETENTION,
            environment: Arc::from("test"),
        };
        let keys = ApiKeys::new(store.clone(), context.clone());
        let sessions = Sessions::new(store.clone(), context.clone());
        let http = loopback_client();
        let consents = Consents::new(
            store.clone(),
            context.clone(),
            flows.sealer.clone(),
            http.clone(),
            ConsentSettings {
                authority: "https://login.test".parse().unwrap(),
                resource: "https://partner-center.test".to_owned(),
                public_url: PUBLIC_URL.parse().unwrap(),
            },
            Arc::new(NoProviders),
        );
        let bearer = BearerTokens::new(store, context.clone(), &http, settings.bearer);
        let state = ApiState {
            flows: flows.clone(),
            keys: keys.clone(),
            bearer: bearer.clone(),
            consents,
            sessions: sessions.clone(),
            tokens: SignedTokens::new(&ring, context.clone()),
            links: Links::new(&PUBLIC_URL.parse().unwrap(), &[GATEWAY_HOST.to_owned()]),
            rate_limit: RateLimit::new(settings.requests_per_minute, context.clone()),
            dataverse: notice_door(&flows),
            pages: PageSettings {
                environment: "test".to_owned(),
                kind: "development",
                hosts: vec![PAGE_HOST.to_owned()],
                crm: None,
            },
            documents: Documents::new(&document::openapi(), None),
            metrics: Arc::new(|| "# no numbers in this test\n".to_owned()),
        };
        let server = ServerSettings {
            bind: "127.0.0.1:0".parse().unwrap(),
            max_body_bytes: settings.max_body_bytes,
            workers: Some(1),
        };
        let (server, address) = serve(&server, state).unwrap();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self {
            flows,
            keys,
            sessions,
            bearer,
            crm,
            clock,
            context,
            base: format!("http://{address}"),
            client: plain_client(),
            server: handle,
        }
    }

    /// A caller at the command line who may do everything.
    pub fn operator() -> Caller {
        Caller {
            channel: Channel::Cli,
            roles: BTreeSet::from([Role::Admin]),
            ..Caller::service("test")
        }
    }

    /// A new API key with these roles.
    pub async fn key(&self, roles: &[Role]) -> String {
        let roles = roles.iter().copied().collect();
        let (_, text) = self
            .keys
            .create(&Self::operator(), "a test's key", roles)
            .await
            .unwrap();
        text.expose_secret().to_owned()
    }

    /// A provider with one provider account a name, and their ids in the order of the names.
    pub async fn provider_accounts(&self, names: &[&str]) -> Vec<String> {
        let now = self.context.now();
        let provider = Provider {
            id: ProviderId::new(self.context.new_uuid()),
            kind: ProviderKind::PartnerCenter,
            name: "Partner Center".to_owned(),
            enabled: true,
            partner_tenant: "contoso.com".to_owned(),
            client_id: "c".to_owned(),
            created_at: now,
            updated_at: now,
            version: 1,
        };
        let listed = |name: &&str| ListedCustomer {
            external_id: ExternalId::parse(name).unwrap(),
            name: (*name).to_owned(),
            tenant_id: None,
            default_domain: DomainName::parse(&format!("{}.example", name.to_lowercase())).ok(),
            relationship: "reseller".to_owned(),
        };
        let listed = names.iter().map(listed).collect();
        let tx = self.flows.store.begin().await.unwrap();
        providers::insert(&tx, &provider).await.unwrap();
        let made = sync::insert(&tx, &self.context, provider.id, listed)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let id = |name: &&str| {
            made.iter()
                .find(|account| account.name == **name)
                .unwrap()
                .id
                .to_string()
        };
        names.iter().map(id).collect()
    }

    /// A request without a credential.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    /// A GET with an API key.
    pub async fn get(&self, key: &str, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path).header("x-api-key", key)).await
    }

    /// A call with an API key and a JSON body.
    pub async fn send(&self, method: Method, key: &str, path: &str, body: &Value) -> Answer {
        Answer::of(
            self.request(method, path)
                .header("x-api-key", key)
                .json(body),
        )
        .await
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test calls its own server, not the outside world"
)]
fn plain_client() -> Client {
    Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

/// An answer that was read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    /// The body as JSON; null when it is none.
    pub body: Value,
    pub text: String,
}

impl Answer {
    /// Sends and reads.
    pub async fn of(request: RequestBuilder) -> Self {
        Self::read(request.send().await.unwrap()).await
    }

    async fn read(response: Response) -> Self {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let text = response.text().await.unwrap();
        Self {
            status,
            headers,
            body: serde_json::from_str(&text).unwrap_or_default(),
            text,
        }
    }

    /// A header as text; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map(|value| value.to_str().unwrap())
            .unwrap_or_default()
    }

    /// The code of a problem; empty for anything else.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}
