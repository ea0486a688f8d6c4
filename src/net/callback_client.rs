//! Posts events to callback URLs. Its own client, stricter than [`super::client`]: it follows no redirect, uses no proxy,
//! dials only addresses that [`super::guarded_dns`] passed, and throws the answer's body away. A callback URL is a secret,
//! so it appears in no error and no log line; only its host does.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use tokio_util::bytes::Bytes;

use super::address_policy::AddressPolicy;
use super::error::NetError;
use super::guarded_dns::{GuardedDns, Lookup, NoPublicAddress};
use super::retry_after::retry_after;
use crate::domain::ports::callback::CallbackRefused;

/// Read and thrown away of an answer's body, so that the connection can be used again; beyond it is closed.
const DISCARD_BYTES: usize = 64 * 1024;

/// What a receiver answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallbackAnswer {
    /// HTTP status; a redirect is an answer like any other.
    pub status: u16,
    /// How long the receiver asked us to wait.
    pub retry_after: Option<Duration>,
}

/// There was no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallbackFailure {
    /// We do not call this URL (any more).
    #[error(transparent)]
    Refused(#[from] CallbackRefused),
    /// The name leads into a private network.
    #[error("`{0}` leads to no public address")]
    NotPublic(String),
    /// No connection: unknown name, nobody there, bad certificate.
    #[error("no connection to `{0}`")]
    Connect(String),
    /// The receiver took too long.
    #[error("`{0}` did not answer in time")]
    Timeout(String),
    /// The connection broke, or what came back was no HTTP.
    #[error("the call to `{0}` broke off")]
    Broken(String),
}

/// Calls callbacks. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct CallbackClient {
    inner: Client,
    policy: Arc<AddressPolicy>,
}

impl CallbackClient {
    /// Makes a client that calls what `policy` passes, and resolves names by `lookup`.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(policy: Arc<AddressPolicy>, lookup: Arc<dyn Lookup>) -> Result<Self, NetError> {
        #[expect(
            clippy::disallowed_methods,
            reason = "callbacks need a resolver of their own, and no decompression"
        )]
        let builder = Client::builder();
        let inner = builder
            .user_agent(concat!("provider-bridge/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(10))
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .no_gzip()
            .https_only(!policy.allows_loopback())
            .dns_resolver(Arc::new(GuardedDns::new(lookup, policy.allows_loopback())))
            .build()
            .map_err(|error| NetError::Setup(error.to_string()))?;
        Ok(Self { inner, policy })
    }

    /// Posts `body` (JSON) to `url`, whose path and query go out byte for byte. `timeout` covers the whole call, on the
    /// real clock; `now` is what a date in Retry-After counts from.
    ///
    /// # Errors
    /// When there was no answer. Any status is an answer.
    pub async fn post(
        &self,
        url: &str,
        headers: &[(&'static str, String)],
        body: Bytes,
        timeout: Duration,
        now: DateTime<Utc>,
    ) -> Result<CallbackAnswer, CallbackFailure> {
        let target = self.policy.target(url)?;
        let mut request = self
            .inner
            .post(target.url)
            .timeout(timeout)
            .header(CONTENT_TYPE, "application/json; charset=utf-8")
            .body(body);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Err(failure(target.host, &error)),
        };
        let answer = CallbackAnswer {
            status: response.status().as_u16(),
            retry_after: retry_after(response.headers(), now),
        };
        let mut discarded = 0;
        while discarded <= DISCARD_BYTES
            && let Ok(Some(chunk)) = response.chunk().await
        {
            discarded += chunk.len();
        }
        Ok(answer)
    }
}

fn failure(host: String, error: &reqwest::Error) -> CallbackFailure {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if inner.is::<NoPublicAddress>() {
            return CallbackFailure::NotPublic(host);
        }
        cause = inner.source();
    }
    if error.is_timeout() {
        CallbackFailure::Timeout(host)
    } else if error.is_connect() {
        CallbackFailure::Connect(host)
    } else {
        CallbackFailure::Broken(host)
    }
}
