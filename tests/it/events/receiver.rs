//! A receiver of callbacks on loopback: keeps what it got, and answers what the test tells it to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::Value;
use tokio::sync::Notify;

/// One call as it came in.
#[derive(Debug, Clone)]
pub struct Received {
    /// Path and query.
    pub target: String,
    /// Headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The raw body.
    pub bytes: Vec<u8>,
    /// The body, parsed.
    pub body: Value,
}

impl Received {
    pub fn webhook_id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    /// The number that [`super::rig::Rig::publish`] gave the event.
    pub fn number(&self) -> i64 {
        self.body["data"]["number"].as_i64().unwrap()
    }

    pub fn subject(&self) -> &str {
        self.body["subject"].as_str().unwrap()
    }
}

/// What to answer.
#[derive(Debug, Clone, Copy)]
pub enum Reply {
    Status(u16),
    /// With `Retry-After` in seconds.
    Later(u16, u64),
    /// Never, while the test lasts.
    Hang,
}

type Script = Box<dyn Fn(&Received) -> Reply + Send + Sync>;

#[derive(Clone)]
struct Shared {
    received: Arc<Mutex<Vec<Received>>>,
    script: Arc<Mutex<Script>>,
    came: Arc<Notify>,
}

/// The receiver. It stops when dropped.
pub struct Receiver {
    shared: Shared,
    port: u16,
    handle: ServerHandle,
}

impl Receiver {
    /// Starts one that answers 202 to everything.
    pub fn start() -> Self {
        let shared = Shared {
            received: Arc::default(),
            script: Arc::new(Mutex::new(Box::new(|_| Reply::Status(202)))),
            came: Arc::default(),
        };
        let for_workers = shared.clone();
        let server = HttpServer::new(move || {
            App::new()
                .app_data(web::Data::new(for_workers.clone()))
                .default_service(web::to(answer))
        })
        .workers(1)
        .shutdown_timeout(0)
        .disable_signals()
        .bind(("127.0.0.1", 0))
        .unwrap();
        let port = server.addrs()[0].port();
        let server = server.run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self {
            shared,
            port,
            handle,
        }
    }

    /// From now on answers what `script` says.
    pub fn answers(&self, script: impl Fn(&Received) -> Reply + Send + Sync + 'static) {
        *self.shared.script.lock().unwrap() = Box::new(script);
    }

    /// A callback URL here, with the shape of a flow's.
    pub fn url(&self) -> String {
        let port = self.port;
        format!(
            "http://127.0.0.1:{port}/workflows/0a1b/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sig=canary-Aa%2B_-~"
        )
    }

    /// Host and port, as subscriptions show it.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Everything that came so far.
    pub fn received(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap().clone()
    }

    /// What came since this was last asked.
    pub fn take(&self) -> Vec<Received> {
        std::mem::take(&mut *self.shared.received.lock().unwrap())
    }

    /// Returns once `count` have come. Fails after ten real seconds.
    pub async fn until_received(&self, count: usize) {
        let enough = async {
            loop {
                let came = self.shared.came.notified();
                if self.shared.received.lock().unwrap().len() >= count {
                    return;
                }
                came.await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(10), enough).await;
        let got = self.received().len();
        assert!(waited.is_ok(), "only {got} of {count} came");
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

async fn answer(request: HttpRequest, body: web::Bytes, shared: web::Data<Shared>) -> HttpResponse {
    let headers = request.headers().iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), value)
    });
    let received = Received {
        target: request.uri().to_string(),
        headers: headers.collect(),
        bytes: body.to_vec(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    };
    let reply = (shared.script.lock().unwrap())(&received);
    shared.received.lock().unwrap().push(received);
    shared.came.notify_waiters();
    match reply {
        Reply::Status(status) => {
            HttpResponse::build(StatusCode::from_u16(status).unwrap()).finish()
        }
        Reply::Later(status, seconds) => HttpResponse::build(StatusCode::from_u16(status).unwrap())
            .insert_header(("Retry-After", seconds.to_string()))
            .finish(),
        Reply::Hang => std::future::pending().await,
    }
}
