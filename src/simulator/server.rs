//! The one web server in front of all stand-ins.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::body::SizedStream;
use actix_web::dev::ServerHandle;
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use futures_util::{StreamExt, stream};
use tokio::task::JoinHandle;

use super::answer::answer;
use super::entra::{Grants, Keys, Person};
use super::exchange::{Answer, Call, Delivery, decode_path};
use super::faults::Faults;
use super::shared::SharedWorld;
use super::simulation::Simulation;
use super::statistics::Statistics;
use super::throttle::Throttle;
use super::tls::LoopbackTls;
use super::webhooks::Webhooks;
use super::world::World;
use crate::domain::context::Context;

/// The largest request body: a `$batch` of a thousand rows fits many times.
const LARGEST_BODY: usize = 64 << 20;
/// Signatures that are remembered as checked.
const REMEMBERED_TOKENS: u64 = 1000;

/// How to run.
#[derive(Debug, Clone)]
pub struct SimulatorOptions {
    /// Where to listen; port 0 takes a free one.
    pub bind: SocketAddr,
    /// HTTPS with a certificate made at start, instead of plain HTTP.
    pub tls: bool,
    /// Clock and chance of the simulated services.
    pub context: Context,
    /// Partner Center's limit; `None` lifts it.
    pub requests_per_minute: Option<u32>,
    /// Dataverse's limit in five minutes; `None` lifts it.
    pub crm_requests_per_window: Option<u32>,
    /// Threads that answer.
    pub workers: usize,
}

impl SimulatorOptions {
    /// Plain HTTP on a free port of this machine, without limits.
    #[must_use]
    pub fn new(context: Context) -> Self {
        Self {
            bind: SocketAddr::from(([127, 0, 0, 1], 0)),
            tls: false,
            context,
            requests_per_minute: None,
            crm_requests_per_window: None,
            workers: 2,
        }
    }
}

/// The simulator cannot start.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// The address is taken or not allowed.
    #[error("the simulator cannot listen on {address}; choose another address")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// No signing key.
    #[error("the simulator's signing key could not be made: {0}")]
    Key(String),
    /// No certificate.
    #[error("the simulator's certificate could not be made: {0}")]
    Certificate(String),
}

/// Starts simulators.
#[derive(Debug)]
pub struct Simulator;

/// A simulator that runs. It stops when this is dropped.
pub struct Running {
    base_url: String,
    certificate: Option<String>,
    world: SharedWorld,
    faults: Faults,
    statistics: Statistics,
    simulation: Data<Simulation>,
    handle: ServerHandle,
    task: JoinHandle<io::Result<()>>,
    /// Posts webhooks.
    sender: JoinHandle<()>,
}

impl Simulator {
    /// Starts to serve a world.
    ///
    /// # Errors
    /// When the address cannot be used, or no key can be made.
    #[expect(
        clippy::unused_async,
        reason = "callers await it; it must run inside their runtime"
    )]
    pub async fn start(world: World, options: SimulatorOptions) -> Result<Running, SimulatorError> {
        let context = options.context;
        let keys = Keys::generate(context.new_uuid().simple().to_string())?;
        let tls = options.tls.then(LoopbackTls::generate).transpose()?;
        let faults = Faults::default();
        let (webhooks, sender) = Webhooks::new(context.clone(), faults.clone());
        let simulation = Data::new(Simulation {
            world: SharedWorld::new(world, context.clone(), webhooks),
            faults,
            statistics: Statistics::default(),
            keys,
            grants: Grants::default(),
            provider_throttle: Throttle::new(options.requests_per_minute, 60),
            crm_throttle: Throttle::new(options.crm_requests_per_window, 300),
            tokens: moka::sync::Cache::new(REMEMBERED_TOKENS),
            context,
        });
        let data = simulation.clone();
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .app_data(web::PayloadConfig::new(LARGEST_BODY))
                .default_service(web::to(serve))
        })
        .workers(options.workers.max(1))
        .disable_signals();
        let refused = |source| SimulatorError::Bind {
            address: options.bind,
            source,
        };
        let (server, certificate) = match tls {
            Some(tls) => (
                server.bind_rustls_0_23(options.bind, tls.server),
                Some(tls.certificate),
            ),
            None => (server.bind(options.bind), None),
        };
        let server = server.map_err(refused)?;
        let address = server.addrs().first().copied().unwrap_or(options.bind);
        let scheme = if certificate.is_some() {
            "https"
        } else {
            "http"
        };
        let server = server.run();
        let handle = server.handle();
        #[expect(
            clippy::disallowed_methods,
            reason = "the simulator runs beside the product, not in its task set"
        )]
        let (task, sender) = (
            tokio::spawn(server),
            tokio::spawn(sender.from(reachable(address).ip().to_string()).run()),
        );
        Ok(Running {
            sender,
            base_url: format!("{scheme}://{}", reachable(address)),
            certificate,
            world: simulation.world.clone(),
            faults: simulation.faults.clone(),
            statistics: simulation.statistics.clone(),
            simulation,
            handle,
            task,
        })
    }
}

/// An address that a client on this machine can use.
fn reachable(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        SocketAddr::from(([127, 0, 0, 1], address.port()))
    } else {
        address
    }
}

impl Running {
    /// Scheme, host and port, without a slash at the end: the base URL of Partner Center, the organisation URL of Dataverse
    /// and the authority of Entra.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.base_url.clone()
    }

    /// The certificate to trust, when it serves HTTPS.
    #[must_use]
    pub fn certificate_pem(&self) -> Option<String> {
        self.certificate.clone()
    }

    /// The world.
    #[must_use]
    pub fn world(&self) -> SharedWorld {
        self.world.clone()
    }

    /// The sender of webhooks.
    #[must_use]
    pub fn webhooks(&self) -> Webhooks {
        self.world.webhooks().clone()
    }

    /// The switchboard of faults.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.faults.clone()
    }

    /// What was asked so far.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.statistics.clone()
    }

    /// Revokes all sessions of somebody who signed in: their refresh tokens are worth nothing any more.
    pub fn revoke_sessions(&self, person: &'static Person) {
        let simulation = &self.simulation;
        simulation.grants.revoke(person, &simulation.context);
    }

    /// Takes every consent of an administrator away.
    pub fn withdraw_consents(&self) {
        self.simulation.grants.withdraw_consents();
    }

    /// Signs tokens with a new key from now on; the one before stays published unless it is dropped.
    ///
    /// # Errors
    /// When no key can be made.
    pub fn rotate_keys(&self, drop_former: bool) -> Result<(), SimulatorError> {
        let id = self.simulation.context.new_uuid().simple().to_string();
        self.simulation.keys.rotate(id, drop_former)
    }

    /// Stops without waiting for requests that are being answered: some never are.
    pub async fn stop(mut self) {
        self.handle.stop(false).await;
        // How the server's task ended makes no difference any more.
        let _ = (&mut self.task).await;
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running")
            .field("base_url", &self.base_url)
            .finish_non_exhaustive()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.sender.abort();
        // The command is sent at once; the future would only wait until it is done.
        drop(self.handle.stop(false));
    }
}

async fn serve(request: HttpRequest, body: Bytes, simulation: Data<Simulation>) -> HttpResponse {
    let connection = request.connection_info().clone();
    let call = Call {
        method: request.method().clone(),
        path: decode_path(request.path()),
        query: request.query_string().to_owned(),
        headers: request.headers().clone(),
        body,
        origin: format!("{}://{}", connection.scheme(), connection.host()),
    };
    let simulation: &Arc<Simulation> = &simulation;
    let answer = answer(simulation, &call).await;
    respond(answer).await
}

async fn respond(answer: Answer) -> HttpResponse {
    let mut response = HttpResponse::build(answer.status);
    for header in answer.headers {
        response.append_header(header);
    }
    match answer.delivery {
        Delivery::Whole => response.body(answer.body),
        Delivery::Torn => {
            let half = answer.body.slice(..answer.body.len() / 2);
            let length = u64::try_from(answer.body.len()).unwrap_or_default();
            let begun = stream::once(std::future::ready(Ok(half)));
            // The web server sends what it has when the body makes it wait; only then may the body break.
            let broken = stream::once(async {
                tokio::task::yield_now().await;
                Err(io::Error::new(
                    io::ErrorKind::ConnectionAborted,
                    "torn on purpose",
                ))
            });
            response.body(SizedStream::new(length, Box::pin(begun.chain(broken))))
        }
        Delivery::Withheld => std::future::pending().await,
    }
}
