//! A scene to play in: a simulated world, a receiver in a flow's place, and the real service on a database of its own,
//! with its loops driven by hand.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use actix_web::dev::ServerHandle;
use actix_web::{App as WebApp, HttpRequest, HttpResponse, HttpServer, web};
use provider_bridge::app::build::App;
use provider_bridge::app::open::operator;
use provider_bridge::config::Config;
use provider_bridge::domain::caller::Role;
use provider_bridge::domain::context::Context;
use provider_bridge::domain::event::EventType;
use provider_bridge::domain::ids::ProviderId;
use provider_bridge::domain::provider::ProviderKind;
use provider_bridge::flows::providers::NewProvider;
use provider_bridge::flows::triggers::Subscribe;
use provider_bridge::simulator::{self, Running, Simulator, SimulatorOptions, World, WorldSpec};
use provider_bridge::store::{DatabaseLocation, Engine};
use secrecy::{ExposeSecret, SecretString};
use tempfile::TempDir;

use crate::support::context::{ManualClock, context_seeded};
use crate::support::stores::TestDatabase;

/// What a receiver got: how often each `webhook-id` arrived.
#[derive(Clone, Default)]
pub struct Arrived(pub Arc<Mutex<HashMap<String, u32>>>);

/// Called for every delivery that arrived, before it is answered.
pub type Watcher = Arc<dyn Fn() + Send + Sync>;

/// A receiver on this machine that takes everything.
pub struct Receiver {
    pub arrived: Arrived,
    pub url: String,
    server: ServerHandle,
}

async fn take(
    request: HttpRequest,
    arrived: web::Data<Arrived>,
    watcher: web::Data<Watcher>,
) -> HttpResponse {
    let id = request
        .headers()
        .get("webhook-id")
        .unwrap()
        .to_str()
        .unwrap();
    *arrived.0.lock().unwrap().entry(id.to_owned()).or_default() += 1;
    watcher();
    HttpResponse::Accepted().finish()
}

impl Receiver {
    pub fn start() -> Self {
        Self::watched(Arc::new(|| ()))
    }

    pub fn watched(watcher: Watcher) -> Self {
        let arrived = Arrived::default();
        let data = web::Data::new(arrived.clone());
        let watcher = web::Data::new(watcher);
        let server = HttpServer::new(move || {
            WebApp::new()
                .app_data(data.clone())
                .app_data(watcher.clone())
                .service(web::resource("/flow").to(take))
        })
        .workers(1)
        .disable_signals()
        .bind(("127.0.0.1", 0))
        .unwrap();
        let url = format!("http://{}/flow", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self {
            arrived,
            url,
            server: handle,
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}

/// A simulator with so many customers, and a clock of its own.
pub async fn simulator(customers: usize) -> Running {
    let (context, clock) = context_seeded(5);
    clock.advance_by_itself();
    simulator_by(context, customers).await
}

/// A simulator with so many customers that goes by this clock.
pub async fn simulator_by(context: Context, customers: usize) -> Running {
    let world = World::generate(&WorldSpec {
        customers,
        seed: 11,
        ..WorldSpec::default()
    });
    Simulator::start(world, SimulatorOptions::new(context))
        .await
        .unwrap()
}

/// A context that begins so many hours after the tests' usual start, and never really sleeps.
pub fn hours_later(hours: u32) -> Context {
    let (context, clock) = begins_at(hours);
    clock.advance_by_itself();
    context
}

/// One whose clock stands at that hour. A running Job renews its lease after a sleep, so a clock that sleeping moves runs
/// away from a slow Job, beyond the hour at which the next process begins.
pub fn standing_at(hours: u32) -> Context {
    begins_at(hours).0
}

fn begins_at(hours: u32) -> (Context, Arc<ManualClock>) {
    let (context, clock) = context_seeded(100 + u64::from(hours));
    clock.advance(std::time::Duration::from_secs(3600 * u64::from(hours)));
    (context, clock)
}

/// A database and the settings of a service that uses it with the simulator.
pub struct Scene {
    pub settings: HashMap<String, String>,
    folder: TempDir,
    /// Removed with the scene.
    _database: TestDatabase,
}

impl Scene {
    pub async fn new(engine: Engine, simulator: &Running) -> Self {
        let database = TestDatabase::create(engine).await;
        let folder = tempfile::tempdir().unwrap();
        let url = match &database.settings().location {
            DatabaseLocation::Sqlite(file) => format!("sqlite:{}", file.display()),
            DatabaseLocation::Postgres(url) => url.expose_secret().to_owned(),
        };
        let base = simulator.base_url();
        let values = [
            ("DATABASE__URL", url),
            (
                "DATABASE__DATA_DIRECTORY",
                folder.path().display().to_string(),
            ),
            ("ENTRA__AUTHORITY", base.clone()),
            ("PARTNER_CENTER__BASE_URL", base.clone()),
            ("PARTNER_CENTER__REQUESTS_PER_MINUTE", "0".to_owned()),
            ("PARTNER_CENTER__PAGE_SIZE", "10".to_owned()),
            ("DATAVERSE__ORG_URL", base),
            ("DATAVERSE__PAGE_SIZE", "20".to_owned()),
            ("DATAVERSE__TENANT", simulator::ENTRA_TENANT_ID.to_owned()),
            (
                "DATAVERSE__CLIENT_ID",
                simulator::DATAVERSE_CLIENT_ID.to_owned(),
            ),
            (
                "DATAVERSE__CLIENT_SECRET",
                simulator::DATAVERSE_CLIENT_SECRET.to_owned(),
            ),
            ("SERVER__BIND", "127.0.0.1:0".to_owned()),
            ("CALLBACKS__ALLOW_LOOPBACK", "true".to_owned()),
            ("HTTP_CLIENT__ALLOW_PLAIN_LOOPBACK", "true".to_owned()),
        ];
        let settings = values
            .into_iter()
            .map(|(key, value)| (format!("PROVIDER_BRIDGE__{key}"), value))
            .collect();
        Self {
            settings,
            folder,
            _database: database,
        }
    }

    pub fn config(&self) -> Config {
        assert!(self.folder.path().exists());
        Config::load_with(None, self.settings.clone()).unwrap()
    }

    pub async fn app(&self, context: Context) -> App {
        App::build(self.config(), context).await.unwrap()
    }

    /// Connects the simulated Partner Center, subscribes the receiver to everything, and asks for a sync.
    pub async fn begin(&self, receiver: &Receiver) -> ProviderId {
        let app = self.app(hours_later(0)).await;
        let new = NewProvider {
            kind: ProviderKind::PartnerCenter,
            name: "Partner Center".to_owned(),
            partner_tenant: simulator::PARTNER_TENANT_ID.to_owned(),
            client_id: simulator::PARTNER_CENTER_CLIENT_ID.to_owned(),
            client_secret: SecretString::from(simulator::PARTNER_CENTER_CLIENT_SECRET),
            client_secret_expires_at: None,
            schedule: None,
        };
        let provider = app
            .flows
            .connect_provider(&operator(), new)
            .await
            .unwrap()
            .id;
        let roles = [Role::Reader].into_iter().collect();
        let (_, key) = app
            .keys
            .create(&operator(), "Receiver", roles)
            .await
            .unwrap();
        let verified = app.keys.verify(key.expose_secret()).await.unwrap().unwrap();
        for event_type in EventType::ALL {
            let request = Subscribe {
                event_type,
                callback_url: SecretString::from(receiver.url.clone()),
                workflow_id: None,
                label: Some(event_type.name().to_owned()),
            };
            app.flows
                .subscribe(&verified.caller, request)
                .await
                .unwrap();
        }
        app.flows.request_sync(&operator(), provider).await.unwrap();
        provider
    }
}

/// Runs jobs, dispatches and delivers until there is nothing left to do.
pub async fn run_until_idle(app: &App) {
    loop {
        let ran = app.runner.run_due().await;
        let dispatched = app.dispatcher.run_once().await.unwrap();
        let delivered = app.deliverer.run_once().await.unwrap();
        if ran == 0 && dispatched.events == 0 && delivered.delivered == 0 {
            return;
        }
    }
}

/// Every event that was written, in its order.
pub async fn events(app: &App) -> Vec<provider_bridge::store::outbox::Written> {
    let written = provider_bridge::store::outbox::all(app.flows.store.reader())
        .await
        .unwrap();
    let mut positions: Vec<_> = written.iter().filter_map(|event| event.position).collect();
    positions.sort_unstable();
    let gapless: Vec<_> = (1..).take(written.len()).collect();
    assert_eq!(positions, gapless, "positions have gaps");
    written
}
