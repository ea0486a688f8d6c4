//! API keys: made, listed, revoked, and verified on every call.
//!
//! Verification is the hot path: one SHA-256 and one look into a bounded cache, no SQL. An entry is at most
//! [`STALE_AFTER_SECONDS`] old by our own clock; a change here, or in another instance (`Signal::KeysChanged`), empties the
//! cache at once. Texts that are no valid key are remembered too, so that a client with a wrong key costs one query a minute.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use moka::sync::Cache;
use secrecy::SecretString;
use tokio::sync::broadcast::error::RecvError;

use super::error::AccessError;
use super::key_text::{self, SecretHash};
use super::principal::Principal;
use crate::domain::api_key::ApiKey;
use crate::domain::caller::{Caller, Channel, Permission, Role, Roles};
use crate::domain::context::Context;
use crate::domain::ids::ApiKeyId;
use crate::store::audit::{self, Entry};
use crate::store::{Signal, Store, StoreError, api_keys};

/// How long a verified key is taken without looking at the database again.
pub const STALE_AFTER_SECONDS: i64 = 60;
/// How coarse "last used" is.
const TOUCH_EVERY_SECONDS: i64 = 3600;
const CACHED_KEYS: u64 = 10_000;

/// A key that was verified.
#[derive(Debug)]
pub struct VerifiedKey {
    /// Who it stands for.
    pub principal: Principal,
    /// [`crate::domain::caller::Actor::key`] of it.
    pub owner: String,
    /// The call of this key through the API, ready to be shared by every call that brings no correlation id.
    pub caller: Arc<Caller>,
}

#[derive(Clone)]
struct Verdict {
    /// `None`: no valid key.
    key: Option<Arc<VerifiedKey>>,
    fetched_at: DateTime<Utc>,
}

/// The API keys of this deployment. Cheap to clone.
#[derive(Clone)]
pub struct ApiKeys {
    store: Store,
    context: Context,
    verdicts: Cache<SecretHash, Verdict>,
}

impl ApiKeys {
    /// The keys in `store`.
    #[must_use]
    pub fn new(store: Store, context: Context) -> Self {
        Self {
            store,
            context,
            verdicts: Cache::new(CACHED_KEYS),
        }
    }

    /// Whether `text` is a valid key, from the cache when it is fresh.
    ///
    /// # Errors
    /// When the database has to be asked and does not answer.
    pub async fn verify(&self, text: &str) -> Result<Option<Arc<VerifiedKey>>, StoreError> {
        let hash = key_text::hash(text.as_bytes());
        let now = self.context.now();
        if let Some(verdict) = self.verdicts.get(&hash)
            && (now - verdict.fetched_at).num_seconds() < STALE_AFTER_SECONDS
        {
            return Ok(verdict.key);
        }
        let Some(id) = key_text::row_of(text) else {
            return Ok(None);
        };
        let key = self.load(id, &hash, now).await?;
        self.verdicts.insert(
            hash,
            Verdict {
                key: key.clone(),
                fetched_at: now,
            },
        );
        Ok(key)
    }

    async fn load(
        &self,
        id: ApiKeyId,
        hash: &SecretHash,
        now: DateTime<Utc>,
    ) -> Result<Option<Arc<VerifiedKey>>, StoreError> {
        let Some((key, stored)) = api_keys::find(self.store.reader(), id).await? else {
            return Ok(None);
        };
        // Both sides are hashes of 256 random bits: how long the comparison takes tells nothing of use.
        if stored != hash || key.revoked_at.is_some() {
            return Ok(None);
        }
        let long_ago = |at: DateTime<Utc>| (now - at).num_seconds() >= TOUCH_EVERY_SECONDS;
        if key.last_used_at.is_none_or(long_ago)
            && let Err(error) = self.touch(id, now).await
        {
            tracing::warn!(key = %id, %error, "could not note that an API key was used");
        }
        let principal = Principal::Key {
            id,
            name: key.name,
            roles: key.roles,
        };
        let caller = Arc::new(principal.to_caller(Channel::Flow, None));
        let owner = caller.actor.key();
        Ok(Some(Arc::new(VerifiedKey {
            principal,
            owner,
            caller,
        })))
    }

    async fn touch(&self, id: ApiKeyId, now: DateTime<Utc>) -> Result<(), StoreError> {
        let tx = self.store.begin().await?;
        api_keys::touch(&tx, id, now).await?;
        tx.commit().await
    }

    /// The key with this id, if it may still be used: for tokens that stand in for it.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn standing(&self, id: ApiKeyId) -> Result<Option<Principal>, StoreError> {
        let found = api_keys::find(self.store.reader(), id).await?;
        Ok(found
            .filter(|(key, _)| key.revoked_at.is_none())
            .map(|(key, _)| Principal::Key {
                id,
                name: key.name,
                roles: key.roles,
            }))
    }

    /// Makes a key. Its text is given once and kept nowhere.
    ///
    /// # Errors
    /// When the caller may not, when name or roles will not do, or when the database refuses.
    pub async fn create(
        &self,
        caller: &Caller,
        name: &str,
        roles: Roles,
    ) -> Result<(ApiKey, SecretString), AccessError> {
        caller.require(Permission::ManageKeys)?;
        let name = check_name(name)?;
        check_roles(&roles)?;
        let id = ApiKeyId::new(self.context.new_uuid());
        let text = key_text::generate(id, &self.context);
        let key = ApiKey {
            id,
            name,
            roles,
            created_at: self.context.now(),
            created_by: caller.actor.name.clone(),
            revoked_at: None,
            last_used_at: None,
        };
        let tx = self.store.begin().await?;
        api_keys::insert(&tx, &key, &key_text::hash_secret(&text)).await?;
        let entry = Entry {
            action: "api-key.create",
            subject: format!("api-key/{id}"),
            after: Some(serde_json::json!({ "name": key.name, "roles": key.roles })),
            ..Entry::default()
        };
        audit::record(&tx, &self.context, caller, entry).await?;
        tx.commit().await?;
        Ok((key, text))
    }

    /// Every key, the newest first, revoked ones too.
    ///
    /// # Errors
    /// When the caller may not, or the database refuses.
    pub async fn list(&self, caller: &Caller) -> Result<Vec<ApiKey>, AccessError> {
        caller.require(Permission::ManageKeys)?;
        Ok(api_keys::list(self.store.reader()).await?)
    }

    /// Revokes a key; again is fine. It stops working here at once, in other instances with the next signal.
    ///
    /// # Errors
    /// When the caller may not, when there is no such key, or when the database refuses.
    pub async fn revoke(&self, caller: &Caller, id: ApiKeyId) -> Result<(), AccessError> {
        caller.require(Permission::ManageKeys)?;
        let tx = self.store.begin().await?;
        if api_keys::find(&*tx, id).await?.is_none() {
            return Err(AccessError::NotFound {
                what: "API key",
                id: id.to_string(),
            });
        }
        if api_keys::revoke(&tx, id, self.context.now()).await? {
            let entry = Entry {
                action: "api-key.revoke",
                subject: format!("api-key/{id}"),
                ..Entry::default()
            };
            audit::record(&tx, &self.context, caller, entry).await?;
        }
        tx.commit().await?;
        self.verdicts.invalidate_all();
        Ok(())
    }

    /// Empties the cache whenever keys change in any instance, for as long as it runs. `app` keeps it running.
    pub async fn watch(&self) {
        let mut signals = self.store.signals().subscribe();
        loop {
            match signals.recv().await {
                Ok(Signal::KeysChanged) | Err(RecvError::Lagged(_)) => {
                    self.verdicts.invalidate_all();
                }
                Ok(_) => {}
                Err(RecvError::Closed) => return,
            }
        }
    }
}

/// A name for people: something visible, and short enough for a table.
pub(super) fn check_name(name: &str) -> Result<String, AccessError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        let rule = "`name` must have 1 to 100 characters, none of them a control character";
        return Err(AccessError::Invalid(rule.to_owned()));
    }
    Ok(name.to_owned())
}

/// Nobody acts as the service itself (G4).
pub(super) fn check_roles(roles: &Roles) -> Result<(), AccessError> {
    if roles.is_empty() {
        return Err(AccessError::Invalid(
            "give at least one role, for example `reader`".to_owned(),
        ));
    }
    if roles.contains(&Role::Service) {
        let rule = "the role service belongs to this service's own jobs and cannot be given away";
        return Err(AccessError::Invalid(rule.to_owned()));
    }
    Ok(())
}
