//! The signing keys of one issuer: its OpenID metadata, and the keys that name leads to.
//!
//! An unknown key makes us look again, one caller at a time and at most every [`ASK_AGAIN_SECONDS`], so that made-up key
//! ids cost the issuer nothing. A key that is no longer published is good for [`RETIRED_SECONDS`] more, for the tokens that
//! are still about; keys that were fetched serve for [`USABLE_HOURS`] while the issuer cannot be reached.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, PublicKeyUse};
use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use super::Issuing;
use crate::domain::context::Context;
use crate::net::NetError;
use crate::net::client::HttpClient;

const ASK_AGAIN_SECONDS: i64 = 30;
const RETIRED_SECONDS: i64 = 2 * 3600;
const USABLE_HOURS: i64 = 24;
const TIMEOUT: Duration = Duration::from_secs(10);
const LARGEST_ANSWER: usize = 1 << 20;

/// Which issuer's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::identity) enum Wanted {
    /// Entra, tokens in the v1 format.
    EntraV1(Uuid),
    /// Entra, tokens in the v2 format.
    EntraV2(Uuid),
    /// The independent provider.
    OpenId,
}

/// What came of looking for a key.
pub(in crate::identity) enum Lookup {
    /// Here it is, with the issuer that published it.
    Found {
        key: Arc<DecodingKey>,
        issuer: Arc<str>,
    },
    /// The issuer has no such key.
    Unknown,
    /// No keys are at hand.
    Unavailable { retry_after: Duration },
}

/// The keys of one issuer.
pub(in crate::identity) struct KeySource {
    wanted: Wanted,
    metadata: Option<Url>,
    /// The issuer that the metadata must name; Entra's v1 issuer is another host's, so there only the tenant is known.
    issuer: Option<String>,
    http: HttpClient,
    context: Context,
    known: RwLock<Arc<Known>>,
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Clone, Default)]
struct Known {
    issuer: Option<Arc<str>>,
    keys: HashMap<String, Kept>,
    fetched_at: Option<DateTime<Utc>>,
    asked_at: Option<DateTime<Utc>>,
}

#[derive(Clone)]
struct Kept {
    key: Arc<DecodingKey>,
    retired_at: Option<DateTime<Utc>>,
}

#[derive(Debug, thiserror::Error)]
enum KeysError {
    #[error(transparent)]
    Net(#[from] NetError),
    #[error("the answer was {0}")]
    Status(u16),
    #[error("the answer cannot be read: {0}")]
    Unreadable(&'static str),
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: Url,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

impl KeySource {
    /// One source for each issuer that is trusted.
    pub(in crate::identity) fn of(
        issuing: &Issuing,
        http: &HttpClient,
        context: &Context,
    ) -> Vec<Self> {
        let source = |wanted, base: &str, issuer| Self {
            wanted,
            metadata: format!(
                "{}/.well-known/openid-configuration",
                base.trim_end_matches('/')
            )
            .parse()
            .ok(),
            issuer,
            http: http.clone(),
            context: context.clone(),
            known: RwLock::default(),
            fetching: tokio::sync::Mutex::default(),
        };
        match issuing {
            Issuing::OpenId { issuer } => {
                vec![source(Wanted::OpenId, issuer, Some(issuer.clone()))]
            }
            Issuing::Entra { authority, tenants } => {
                let authority = authority.as_str().trim_end_matches('/');
                let both = |tenant: &Uuid| {
                    let v1 = format!("{authority}/{tenant}");
                    let v2 = format!("{v1}/v2.0");
                    [
                        source(Wanted::EntraV1(*tenant), &v1, None),
                        source(Wanted::EntraV2(*tenant), &v2, None),
                    ]
                };
                tenants.iter().flat_map(both).collect()
            }
        }
    }

    pub(in crate::identity) fn serves(&self, wanted: Wanted) -> bool {
        self.wanted == wanted
    }

    /// The key with this id.
    pub(in crate::identity) async fn key(&self, kid: &str) -> Lookup {
        if let Some(found) = self.known().find(kid, self.context.now()) {
            return found;
        }
        // Whoever waited here finds what the one before fetched, and asks no more.
        let _only = self.fetching.lock().await;
        let now = self.context.now();
        let known = self.known();
        if let Some(found) = known.find(kid, now) {
            return found;
        }
        if known.may_ask(now) {
            self.fetch(&known, now).await;
        }
        let known = self.known();
        match known.find(kid, now) {
            Some(found) => found,
            None if known.usable(now) => Lookup::Unknown,
            None => Lookup::Unavailable {
                retry_after: Duration::from_secs(ASK_AGAIN_SECONDS.unsigned_abs()),
            },
        }
    }

    /// Fetches once more what was fetched before.
    pub(super) async fn refresh_if_used(&self) {
        let _only = self.fetching.lock().await;
        let (known, now) = (self.known(), self.context.now());
        if known.asked_at.is_some() && known.may_ask(now) {
            self.fetch(&known, now).await;
        }
    }

    fn known(&self) -> Arc<Known> {
        self.known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    async fn fetch(&self, before: &Known, now: DateTime<Utc>) {
        let next = match self.published().await {
            Ok((issuer, keys)) => before.replaced_by(&issuer, keys, now),
            Err(error) => {
                tracing::warn!(
                    metadata = self.metadata.as_ref().map(Url::as_str),
                    error = &error as &dyn std::error::Error,
                    "the keys of a token issuer could not be fetched; those at hand stay in use"
                );
                Known {
                    asked_at: Some(now),
                    ..before.clone()
                }
            }
        };
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
    }

    async fn published(&self) -> Result<(String, Vec<(String, DecodingKey)>), KeysError> {
        let unreadable = KeysError::Unreadable;
        let metadata = self.metadata.clone().ok_or(unreadable("it has no URL"))?;
        let metadata: Metadata = self.get(metadata).await?;
        let fits = match (&self.issuer, self.wanted) {
            (Some(issuer), _) => *issuer == metadata.issuer,
            (None, Wanted::EntraV1(tenant) | Wanted::EntraV2(tenant)) => metadata
                .issuer
                .split('/')
                .any(|part| Uuid::try_parse(part) == Ok(tenant)),
            (None, Wanted::OpenId) => false,
        };
        if !fits {
            return Err(unreadable("the metadata are of another issuer"));
        }
        let set: KeySet = self.get(metadata.jwks_uri).await?;
        let keys: Vec<_> = set.keys.into_iter().filter_map(verifying).collect();
        if keys.is_empty() {
            return Err(unreadable("there is no key in it"));
        }
        Ok((metadata.issuer, keys))
    }

    async fn get<T: DeserializeOwned>(&self, url: Url) -> Result<T, KeysError> {
        let request = self.http.request(Method::GET, url)?.timeout(TIMEOUT);
        let answer = self.http.send(request).await?;
        if !answer.status.is_success() {
            return Err(KeysError::Status(answer.status.as_u16()));
        }
        if answer.body.len() > LARGEST_ANSWER {
            return Err(KeysError::Unreadable("it is too large"));
        }
        serde_json::from_slice(&answer.body).map_err(|_| KeysError::Unreadable("it is not JSON"))
    }
}

impl Known {
    fn usable(&self, now: DateTime<Utc>) -> bool {
        self.fetched_at
            .is_some_and(|at| (now - at).num_hours() < USABLE_HOURS)
    }

    fn may_ask(&self, now: DateTime<Utc>) -> bool {
        self.asked_at
            .is_none_or(|at| (now - at).num_seconds() >= ASK_AGAIN_SECONDS)
    }

    fn find(&self, kid: &str, now: DateTime<Utc>) -> Option<Lookup> {
        let kept = self.keys.get(kid).filter(|_| self.usable(now))?;
        if is_gone(kept.retired_at, now) {
            return None;
        }
        Some(Lookup::Found {
            key: kept.key.clone(),
            issuer: self.issuer.clone()?,
        })
    }

    fn replaced_by(
        &self,
        issuer: &str,
        keys: Vec<(String, DecodingKey)>,
        now: DateTime<Utc>,
    ) -> Self {
        let mut next: HashMap<String, Kept> = self
            .keys
            .iter()
            .filter(|(_, kept)| !is_gone(kept.retired_at, now))
            .map(|(kid, kept)| {
                let retired_at = kept.retired_at.or(Some(now));
                let key = kept.key.clone();
                (kid.clone(), Kept { key, retired_at })
            })
            .collect();
        for (kid, key) in keys {
            let kept = Kept {
                key: Arc::new(key),
                retired_at: None,
            };
            next.insert(kid, kept);
        }
        Self {
            issuer: Some(issuer.into()),
            keys: next,
            fetched_at: Some(now),
            asked_at: Some(now),
        }
    }
}

fn is_gone(retired_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    retired_at.is_some_and(|at| (now - at).num_seconds() >= RETIRED_SECONDS)
}

/// A published key that can verify; `None` for one that is for something else, or of a kind nobody knows.
fn verifying(jwk: Value) -> Option<(String, DecodingKey)> {
    let jwk: Jwk = serde_json::from_value(jwk).ok()?;
    let for_signatures = matches!(
        jwk.common.public_key_use,
        None | Some(PublicKeyUse::Signature)
    );
    let is_public = matches!(
        jwk.algorithm,
        AlgorithmParameters::RSA(_) | AlgorithmParameters::EllipticCurve(_)
    );
    if !for_signatures || !is_public {
        return None;
    }
    let key = DecodingKey::from_jwk(&jwk).ok()?;
    Some((jwk.common.key_id?, key))
}
