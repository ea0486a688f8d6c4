//! A store, the consents over the simulator, and a browser that chooses accounts on the simulated sign-in page and comes back
//! with what it was given. The clock is the same for all.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use provider_bridge::app::providers::ConnectedProviders;
use provider_bridge::domain::caller::{Actor, ActorKind, Caller, Channel, Role, Roles};
use provider_bridge::domain::consent::Consent;
use provider_bridge::domain::context::Context;
use provider_bridge::domain::ids::ProviderId;
use provider_bridge::domain::ports::consent::UserTokens;
use provider_bridge::domain::ports::sealer::Sealer;
use provider_bridge::domain::provider::{Provider, ProviderKind};
use provider_bridge::identity::consent::{
    CallbackParameters, ConsentRefusal, ConsentSettings, Consents, Outcome, Step, UserTokenKeeper,
};
use provider_bridge::identity::key_ring::KeyRing;
use provider_bridge::identity::sealing::RingSealer;
use provider_bridge::net::client::HttpClient;
use provider_bridge::providers::partner_center::PartnerCenterSettings;
use provider_bridge::simulator::{
    Fault, FaultKind, PARTNER_CENTER_CLIENT_ID, PARTNER_CENTER_CLIENT_SECRET, PARTNER_TENANT_ID,
    Running, Simulator, SimulatorOptions, Upstream, World, WorldSpec,
};
use provider_bridge::store::{Store, consents, providers, secrets};
use reqwest::Url;
use uuid::Uuid;

use crate::support::context::{ManualClock, context};
use crate::support::http::loopback_client;
use crate::support::stores::TestStore;

/// Everything.
pub struct Stand {
    pub store: Store,
    pub context: Context,
    pub clock: Arc<ManualClock>,
    pub simulator: Running,
    pub consents: Consents,
    pub provider: ProviderId,
    pub session: Uuid,
    sealer: Arc<dyn Sealer>,
    http: HttpClient,
}

/// What came of an answer.
pub type Answered = Result<Outcome, ConsentRefusal>;

impl Stand {
    /// With a provider whose tenant is known by its id.
    pub async fn new(store: &TestStore) -> Self {
        Self::with_client(store, loopback_client()).await
    }

    /// Speaks to Entra and Partner Center through a client of the test's.
    pub async fn with_client(store: &TestStore, http: HttpClient) -> Self {
        let (context, clock) = context();
        let world = World::generate(&WorldSpec::new(20, 7));
        let options = SimulatorOptions::new(context.clone());
        let simulator = Simulator::start(world, options).await.unwrap();
        let key = base64::engine::general_purpose::STANDARD.encode([7; 32]);
        let ring = KeyRing::parse(&[format!("test:{key}").into()]).unwrap();
        let sealer: Arc<dyn Sealer> = Arc::new(RingSealer::new(&ring, context.clone()));
        let store = Store::clone(store);
        let provider = connect(&store, &context, &*sealer).await;
        let settings = settings(&simulator);
        let keeper = keeper(&store, &context, &sealer, &simulator, &http);
        let connected = ConnectedProviders::new(
            store.clone(),
            context.clone(),
            sealer.clone(),
            http.clone(),
            partner_center(&simulator),
            Arc::new(keeper),
        );
        let consents = Consents::new(
            store.clone(),
            context.clone(),
            sealer.clone(),
            http.clone(),
            settings,
            Arc::new(connected),
        );
        Self {
            session: context.new_uuid(),
            store,
            context,
            clock,
            simulator,
            consents,
            provider,
            sealer,
            http,
        }
    }

    /// One more instance's keeper of tokens.
    pub fn keeper(&self) -> UserTokenKeeper {
        keeper(
            &self.store,
            &self.context,
            &self.sealer,
            &self.simulator,
            &self.http,
        )
    }

    pub async fn token(&self, keeper: &UserTokenKeeper) -> Result<Option<String>, String> {
        use secrecy::ExposeSecret;
        let token = keeper.user_token(&self.provider().await).await;
        let text = |token: secrecy::SecretString| token.expose_secret().to_owned();
        token
            .map(|token| token.map(text))
            .map_err(|error| error.message)
    }

    pub async fn provider(&self) -> Provider {
        let found = providers::find(self.store.reader(), self.provider).await;
        found.unwrap().unwrap()
    }

    pub async fn consent(&self) -> Consent {
        consents::find(self.store.reader(), self.provider)
            .await
            .unwrap()
    }

    /// The sealed refresh token that is in use.
    pub async fn refresh_token(&self) -> Option<Vec<u8>> {
        let purpose = secrets::PROVIDER_REFRESH_TOKEN;
        self.secret(purpose).await
    }

    pub async fn secret(&self, purpose: &str) -> Option<Vec<u8>> {
        let row = self.provider.as_uuid();
        let found = secrets::find(self.store.reader(), purpose, row).await;
        found.unwrap().map(|(sealed, _)| sealed.bytes)
    }

    pub fn fault(&self, kind: FaultKind) {
        let fault = Fault::new(Upstream::Entra, kind);
        self.simulator.faults().add(fault, self.context.now());
    }

    /// Begins a step and comes back as `whom`, without handing the answer in.
    pub async fn round_trip(&self, step: Step, whom: &str) -> CallbackParameters {
        let begun = self
            .consents
            .begin(&admin(), self.session, self.provider, step)
            .await
            .unwrap();
        follow(&begun, whom).await
    }

    pub async fn admin_consent(&self, whom: &str) -> Result<(), ConsentRefusal> {
        let answer = self.round_trip(Step::Admin, whom).await;
        let admin = admin();
        let taken = self.consents.admin_callback(&admin, self.session, &answer);
        taken.await.map(|_| ()).map_err(|(_, refusal)| refusal)
    }

    pub async fn hand_in(&self, answer: &CallbackParameters) -> Answered {
        let admin = admin();
        let taken = self.consents.user_callback(&admin, self.session, answer);
        taken
            .await
            .map(|(_, outcome)| outcome)
            .map_err(|(_, refusal)| refusal)
    }

    pub async fn user_consent(&self, whom: &str) -> Answered {
        let answer = self.round_trip(Step::User, whom).await;
        self.hand_in(&answer).await
    }

    /// Both consents, and the tenant confirmed.
    pub async fn connected(&self) {
        let whom = "admin@partner.example";
        self.admin_consent(whom).await.unwrap();
        assert_eq!(self.user_consent(whom).await, Ok(Outcome::ConfirmTenant));
        let tenant = PARTNER_TENANT_ID.parse().unwrap();
        let confirmed = self
            .consents
            .confirm_tenant(&admin(), self.provider, tenant)
            .await;
        confirmed.unwrap();
    }
}

fn keeper(
    store: &Store,
    context: &Context,
    sealer: &Arc<dyn Sealer>,
    simulator: &Running,
    http: &HttpClient,
) -> UserTokenKeeper {
    UserTokenKeeper::new(
        store.clone(),
        context.clone(),
        sealer.clone(),
        http.clone(),
        settings(simulator),
    )
}

fn settings(simulator: &Running) -> ConsentSettings {
    ConsentSettings {
        authority: simulator.base_url().parse().unwrap(),
        resource: simulator.base_url(),
        public_url: "https://bridge.test".parse().unwrap(),
    }
}

fn partner_center(simulator: &Running) -> PartnerCenterSettings {
    let base: Url = simulator.base_url().parse().unwrap();
    PartnerCenterSettings {
        requests_per_minute: 0,
        ..PartnerCenterSettings::new(base.clone(), base)
    }
}

async fn connect(store: &Store, context: &Context, sealer: &dyn Sealer) -> ProviderId {
    let id = ProviderId::new(context.new_uuid());
    let now = context.now();
    let provider = Provider {
        id,
        kind: ProviderKind::PartnerCenter,
        name: "Europe".to_owned(),
        enabled: true,
        partner_tenant: PARTNER_TENANT_ID.to_owned(),
        client_id: PARTNER_CENTER_CLIENT_ID.to_owned(),
        created_at: now,
        updated_at: now,
        version: 1,
    };
    let tx = store.begin().await.unwrap();
    providers::insert(&tx, &provider).await.unwrap();
    let sealed = sealer.seal(id.as_uuid(), PARTNER_CENTER_CLIENT_SECRET);
    let purpose = secrets::PROVIDER_CLIENT_SECRET;
    secrets::keep(&tx, context, purpose, id.as_uuid(), sealed, None)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    id
}

/// Somebody who may configure.
pub fn admin() -> Caller {
    caller(Role::Admin)
}

pub fn caller(role: Role) -> Caller {
    Caller {
        actor: Actor {
            kind: ActorKind::Session,
            id: "s".to_owned(),
            name: "Jo".to_owned(),
        },
        roles: Roles::from([role]),
        channel: Channel::Page,
        correlation_id: None,
    }
}

/// What the browser brings back after choosing `whom`.
pub async fn follow(begun: &Url, whom: &str) -> CallbackParameters {
    let mut url = begun.clone();
    url.query_pairs_mut().append_pair("simulated_account", whom);
    let client = loopback_client();
    let answer = client
        .send(client.request(reqwest::Method::GET, url).unwrap())
        .await
        .unwrap();
    let location = answer.headers.get("location").unwrap().to_str().unwrap();
    let location: Url = location.parse().unwrap();
    assert_eq!(location.host_str(), Some("bridge.test"));
    let mut found: HashMap<String, String> = location.query_pairs().into_owned().collect();
    CallbackParameters {
        state: found.remove("state").unwrap_or_default(),
        code: found.remove("code"),
        error: found.remove("error"),
        error_description: found.remove("error_description"),
        admin_consent: found.remove("admin_consent"),
    }
}
