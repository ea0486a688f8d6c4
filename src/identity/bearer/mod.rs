//! Bearer tokens: who calls with a token of Microsoft Entra, or of another OpenID provider in its place.
//!
//! A token is chosen its issuer by what it says of itself, and believed nothing more until that issuer's key has verified
//! it. Entra's two token formats have issuers, metadata and keys of their own, and stay apart. A verified token is remembered
//! by its SHA-256 for [`STALE_AFTER_SECONDS`] at most and never past its own expiry, by our clock; tenants, audiences and
//! scopes are settings of the process, so what was verified under others is gone with the restart that changes them.

mod caller_of;
pub(in crate::identity) mod claims;
pub(in crate::identity) mod key_source;
mod refusal;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use moka::sync::Cache;
use url::Url;
use uuid::Uuid;

use self::caller_of::Rules;
use self::claims::Claims;
use self::key_source::{KeySource, Lookup};
pub use self::refusal::BearerRefusal;
use super::key_text::{self, SecretHash};
use super::principal::Principal;
use crate::domain::caller::{ActorKind, Caller, Channel};
use crate::domain::context::Context;
use crate::net::client::HttpClient;
use crate::store::token_callers::{self, TokenCaller};
use crate::store::{Store, StoreError};

/// How long a verified token is taken without looking at it again.
pub const STALE_AFTER_SECONDS: i64 = 300;
/// How far the issuer's clock may be from ours.
const SKEW_SECONDS: i64 = 60;
/// How coarse "last seen" is.
const SEEN_EVERY_SECONDS: i64 = 3600;
/// Longer than any token that fits into a header.
const LONGEST: usize = 16 << 10;
const CACHED_TOKENS: u64 = 10_000;

/// Who issues the tokens.
#[derive(Debug, Clone)]
pub enum Issuing {
    /// Microsoft Entra, for the users and applications of these tenants.
    Entra {
        /// For example `https://login.microsoftonline.com`.
        authority: Url,
        /// The only tenants whose tokens are taken.
        tenants: Vec<Uuid>,
    },
    /// Another OpenID provider, by its issuer.
    OpenId {
        /// Exactly as in its tokens.
        issuer: String,
    },
}

/// Which tokens are taken, and what they allow.
#[derive(Debug, Clone)]
pub struct BearerSettings {
    /// Who issues them.
    pub issuing: Issuing,
    /// Client id and App ID URI of this API.
    pub audiences: Vec<String>,
    /// Scopes that stand for all of a user's roles; one that is named like a role stands for that role.
    pub scopes: Vec<String>,
    /// The claim with the roles; dots lead inwards.
    pub roles_claim: String,
}

/// A token that was verified, with the call it makes.
#[derive(Debug)]
pub struct VerifiedToken {
    /// Who it stands for.
    pub principal: Principal,
    /// [`crate::domain::caller::Actor::key`] of it.
    pub owner: String,
    /// The call through the API, shared by every call that brings no correlation id.
    pub caller: Arc<Caller>,
    expires_at: DateTime<Utc>,
    verified_at: DateTime<Utc>,
}

/// The issuers that are trusted; `None` inside when only API keys are taken. Cheap to clone.
#[derive(Clone)]
pub struct BearerTokens {
    store: Store,
    context: Context,
    trust: Option<Arc<Trust>>,
    verified: Cache<SecretHash, Arc<VerifiedToken>>,
}

struct Trust {
    rules: Rules,
    sources: Vec<KeySource>,
}

impl BearerTokens {
    /// Takes the tokens that `settings` describe; none at all without an audience. Nothing is fetched yet.
    #[must_use]
    pub fn new(
        store: Store,
        context: Context,
        http: &HttpClient,
        settings: Option<BearerSettings>,
    ) -> Self {
        let trust = settings.filter(|settings| !settings.audiences.is_empty());
        let trust = trust.map(|settings| {
            let sources = KeySource::of(&settings.issuing, http, &context);
            let rules = Rules::new(settings);
            Arc::new(Trust { rules, sources })
        });
        Self {
            store,
            context,
            trust,
            verified: Cache::new(CACHED_TOKENS),
        }
    }

    /// Who `token` stands for.
    ///
    /// # Errors
    /// [`BearerRefusal`]: it is not valid, allows nothing, or cannot be judged now.
    pub async fn verify(&self, token: &str) -> Result<Arc<VerifiedToken>, BearerRefusal> {
        let trust = self.trust.as_ref().ok_or(BearerRefusal::NotTaken)?;
        let now = self.context.now();
        let hash = key_text::hash(token.as_bytes());
        if let Some(known) = self.verified.get(&hash)
            && now < known.expires_at
            && (now - known.verified_at).num_seconds() < STALE_AFTER_SECONDS
        {
            return Ok(known);
        }
        let claims = trust.signed_claims(token).await?;
        let principal = trust.rules.caller_of(&claims, now)?;
        let expires_at = claims.expires_at()? + chrono::Duration::seconds(SKEW_SECONDS);
        let caller = Arc::new(principal.to_caller(Channel::Flow, None));
        let owner = caller.actor.key();
        self.note(&owner, &principal, now).await?;
        let verified = Arc::new(VerifiedToken {
            principal,
            owner,
            caller,
            expires_at,
            verified_at: now,
        });
        self.verified.insert(hash, verified.clone());
        Ok(verified)
    }

    /// Keeps who called and with which roles: what stands for the caller while no token of theirs is at hand.
    async fn note(
        &self,
        owner: &str,
        principal: &Principal,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let (Principal::User { name, roles, .. } | Principal::App { name, roles, .. }) = principal
        else {
            return Ok(());
        };
        let known = token_callers::find(self.store.reader(), owner).await?;
        if known.is_some_and(|known| {
            known.roles == *roles
                && known.name == *name
                && (now - known.seen_at).num_seconds() < SEEN_EVERY_SECONDS
        }) {
            return Ok(());
        }
        let caller = TokenCaller {
            owner: owner.to_owned(),
            name: name.clone(),
            roles: roles.clone(),
            seen_at: now,
        };
        let tx = self.store.begin().await?;
        token_callers::keep(&tx, &caller).await?;
        tx.commit().await
    }

    /// Who the owner of something is, by the roles of their last token, for as long as their tenant may call; `None` when
    /// there was none. A token cannot be asked for anew here, so a role that was taken away counts from the next call on.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn standing(&self, owner: &str) -> Result<Option<Principal>, StoreError> {
        let Some((kind, tenant_id, object_id)) = token_callers::parts_of(owner) else {
            return Ok(None);
        };
        let trusted = self.trust.as_ref();
        if !trusted.is_some_and(|trust| trust.rules.has_tenant(tenant_id)) {
            return Ok(None);
        }
        let known = token_callers::find(self.store.reader(), owner).await?;
        Ok(known.map(|TokenCaller { name, roles, .. }| {
            if kind == ActorKind::App {
                return Principal::App {
                    tenant_id,
                    object_id,
                    name,
                    roles,
                };
            }
            Principal::User {
                tenant_id,
                object_id,
                name,
                roles,
            }
        }))
    }

    /// Fetches the keys of every issuer that was asked for before, so that no call has to wait for it. `app` calls it
    /// from time to time.
    pub async fn refresh_keys(&self) {
        for source in self.trust.iter().flat_map(|trust| &trust.sources) {
            source.refresh_if_used().await;
        }
    }
}

impl Trust {
    /// The claims of a token whose signature holds.
    async fn signed_claims(&self, token: &str) -> Result<Claims, BearerRefusal> {
        let unreadable = || BearerRefusal::invalid("it is no JSON Web Token");
        if token.len() > LONGEST {
            return Err(unreadable());
        }
        // An algorithm that the library does not know, `none` among them, is unreadable too.
        let header = decode_header(token).map_err(|_| unreadable())?;
        if !self.rules.algorithms().contains(&header.alg) {
            return Err(BearerRefusal::invalid(
                "its signature is not of a kind that is taken here",
            ));
        }
        if header.crit.is_some() {
            return Err(BearerRefusal::invalid(
                "it asks for extensions that are not known here",
            ));
        }
        let unverified = Claims::unverified(token).ok_or_else(unreadable)?;
        let source = self.source_of(&unverified)?;
        let kid = header.kid.unwrap_or_default();
        let (key, issuer) = match source.key(&kid).await {
            Lookup::Found { key, issuer } => (key, issuer),
            Lookup::Unknown => {
                return Err(BearerRefusal::invalid(
                    "it is signed with a key that its issuer does not publish",
                ));
            }
            Lookup::Unavailable { retry_after } => {
                return Err(BearerRefusal::KeysUnavailable { retry_after });
            }
        };
        let claims = decode::<Claims>(token, &key, &signature_only(header.alg));
        let claims = claims
            .map_err(|_| BearerRefusal::invalid("its signature does not hold"))?
            .claims;
        if claims.text("iss") != Some(&issuer) {
            return Err(BearerRefusal::invalid(
                "its issuer is not the one that this deployment trusts",
            ));
        }
        Ok(claims)
    }

    fn source_of(&self, claims: &Claims) -> Result<&KeySource, BearerRefusal> {
        let wanted = self.rules.source_of(claims)?;
        self.sources
            .iter()
            .find(|source| source.serves(wanted))
            .ok_or_else(|| BearerRefusal::invalid("its tenant may not call this deployment"))
    }
}

/// Everything but the signature is judged by us, with our own clock.
pub(in crate::identity) fn signature_only(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}
