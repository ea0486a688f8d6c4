//! The one HTTP client. It never follows a redirect, never uses a proxy, keeps no cookies, reads no more than the cap, and
//! speaks plain http to loopback only (and only when allowed): a bearer token must not leave by accident.
//!
//! A call is `request` -> reqwest's builder -> `send`. The time-out covers the whole call, body included, on the real
//! clock: no test waits for it. The log line names method, host and path; a query or a header may hold a secret and never
//! appears.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;
use reqwest::{Certificate, Client, Method, RequestBuilder, StatusCode, Url};
use tokio_util::bytes::{Bytes, BytesMut};
use url::Host;

pub use super::error::NetError;

/// How the client behaves.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    /// Sent as `User-Agent`.
    pub user_agent: String,
    /// For the connection with its TLS handshake.
    pub connect_timeout: Duration,
    /// For the whole call, reading the body included.
    pub timeout: Duration,
    /// The most we read of a body, after decompression.
    pub max_body_bytes: usize,
    /// Certificate authorities (PEM, one or several) trusted beside those of the system.
    pub trusted_root_pem: Option<String>,
    /// Whether plain http to a loopback address is allowed (demo and tests). Anywhere else it never is.
    pub allow_plain_loopback: bool,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            user_agent: concat!("provider-bridge/", env!("CARGO_PKG_VERSION")).to_owned(),
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(100),
            max_body_bytes: 32 << 20,
            trusted_root_pem: None,
            allow_plain_loopback: false,
        }
    }
}

/// A whole answer, whatever its status.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, decompressed.
    pub body: Bytes,
}

/// The guarded client. Cheap to clone; clones share connections.
#[derive(Debug, Clone)]
pub struct HttpClient {
    inner: Client,
    max_body_bytes: usize,
    allow_plain_loopback: bool,
}

impl HttpClient {
    /// Makes a client.
    ///
    /// # Errors
    /// When the trusted root is no certificate, or TLS cannot be set up.
    pub fn new(settings: &ClientSettings) -> Result<Self, NetError> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that makes a client"
        )]
        let mut builder = Client::builder();
        builder = builder
            .user_agent(&settings.user_agent)
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .gzip(true)
            .https_only(!settings.allow_plain_loopback);
        if let Some(pem) = &settings.trusted_root_pem {
            let roots = Certificate::from_pem_bundle(pem.as_bytes())
                .map_err(|error| NetError::Setup(format!("the trusted root: {error}")))?;
            if roots.is_empty() {
                let reason = "the trusted root holds no certificate; give it as PEM".to_owned();
                return Err(NetError::Setup(reason));
            }
            builder = builder.tls_certs_merge(roots);
        }
        let inner = builder
            .build()
            .map_err(|error| NetError::Setup(error.to_string()))?;
        Ok(Self {
            inner,
            max_body_bytes: settings.max_body_bytes,
            allow_plain_loopback: settings.allow_plain_loopback,
        })
    }

    /// Begins a request.
    ///
    /// # Errors
    /// When the URL is one we never call: not http(s), plain http off loopback, or with credentials in it.
    pub fn request(&self, method: Method, url: Url) -> Result<RequestBuilder, NetError> {
        self.check(&url)?;
        Ok(self.inner.request(method, url))
    }

    /// Sends the request and reads the whole answer. Any status is an answer.
    ///
    /// # Errors
    /// Every [`NetError`].
    pub async fn send(&self, request: RequestBuilder) -> Result<Answer, NetError> {
        let (_, request) = request.build_split();
        let request =
            request.map_err(|error| NetError::Refused(error.without_url().to_string()))?;
        self.execute(request).await
    }

    /// Sends a finished request. The URL is checked here too, so that nothing passes unchecked.
    pub(crate) async fn execute(&self, request: reqwest::Request) -> Result<Answer, NetError> {
        self.check(request.url())?;
        let method = request.method().clone();
        let host = request.url().host_str().unwrap_or_default().to_owned();
        let path = request.url().path().to_owned();
        let begun = Instant::now();
        let outcome = self.exchange(&host, request).await;
        let milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        match &outcome {
            Ok(answer) => tracing::debug!(
                target: "provider_bridge::net",
                %method, host, path, status = answer.status.as_u16(), bytes = answer.body.len(), milliseconds,
                "called"
            ),
            Err(error) => tracing::debug!(
                target: "provider_bridge::net",
                %method, host, path, %error, milliseconds,
                "call failed"
            ),
        }
        outcome
    }

    async fn exchange(&self, host: &str, request: reqwest::Request) -> Result<Answer, NetError> {
        let mut response = self
            .inner
            .execute(request)
            .await
            .map_err(|error| NetError::before_answer(host, &error))?;
        let limit = self.max_body_bytes;
        let too_large = || NetError::TooLarge {
            host: host.to_owned(),
            limit,
        };
        let announced = response.content_length().unwrap_or_default();
        if announced > limit as u64 {
            return Err(too_large());
        }
        let mut body = BytesMut::with_capacity(usize::try_from(announced).unwrap_or_default());
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > limit => return Err(too_large()),
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(error) => return Err(NetError::in_body(host, &error)),
            }
        }
        Ok(Answer {
            status: response.status(),
            headers: std::mem::take(response.headers_mut()),
            body: body.freeze(),
        })
    }

    fn check(&self, url: &Url) -> Result<(), NetError> {
        let refuse = |why: &str| Err(NetError::Refused(why.to_owned()));
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("the URL carries credentials; give them separately");
        }
        match url.scheme() {
            "https" => Ok(()),
            "http" if !is_loopback(url) => {
                refuse("plain http is spoken to loopback only; use https")
            }
            "http" if !self.allow_plain_loopback => {
                refuse("plain http to loopback is not allowed here; use https")
            }
            "http" => Ok(()),
            _ => refuse("the URL is neither https nor http"),
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
