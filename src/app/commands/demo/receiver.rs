//! The demo's receiver: stands where a Power Automate flow would, on this machine, and counts what arrives.

use std::collections::HashMap;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};

/// What has arrived so far, by `webhook-id`.
#[derive(Clone, Default)]
struct Arrived(Arc<Mutex<HashMap<String, u32>>>);

/// A running receiver.
pub struct Receiver {
    arrived: Arrived,
    port: u16,
    server: ServerHandle,
}

async fn receive(request: HttpRequest, arrived: web::Data<Arrived>) -> HttpResponse {
    let id = request
        .headers()
        .get("webhook-id")
        .and_then(|id| id.to_str().ok());
    let Some(id) = id else {
        return HttpResponse::BadRequest().finish();
    };
    let mut arrived = arrived.0.lock().unwrap_or_else(PoisonError::into_inner);
    *arrived.entry(id.to_owned()).or_default() += 1;
    HttpResponse::Accepted().finish()
}

impl Receiver {
    /// Starts on any free port of this machine.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn start() -> anyhow::Result<Self> {
        let arrived = Arrived::default();
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        let shared = web::Data::new(arrived.clone());
        let server = HttpServer::new(move || {
            App::new()
                .app_data(shared.clone())
                .service(web::resource("/flow").to(receive))
        })
        .workers(1)
        .disable_signals()
        .listen(listener)?
        .run();
        let handle = server.handle();
        crate::app::tasks::detach(server);
        Ok(Self {
            arrived,
            port,
            server: handle,
        })
    }

    /// The callback URL to subscribe.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/flow", self.port)
    }

    /// Events that arrived at least once, and those that arrived more than once.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        let arrived = self
            .arrived
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        (
            arrived.len(),
            arrived.values().filter(|times| **times > 1).count(),
        )
    }

    /// Stops at once.
    pub async fn stop(&self) {
        self.server.stop(false).await;
    }
}
