//! Keeps the token of the user who consented. Many callers, many instances, one refresh: the access token is shared, sealed,
//! through the store; whoever finds it stale takes the lease, asks Entra outside any transaction, and writes down the next
//! refresh token before anybody uses the access token. A failure that only time mends takes nothing away (A2).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ConsentSettings, below, client_secret};
use crate::domain::consent::{Consent, ConsentFailure, Trouble};
use crate::domain::context::Context;
use crate::domain::ids::ProviderId;
use crate::domain::ports::consent::UserTokens;
use crate::domain::ports::provider::{FailureKind, ProviderError};
use crate::domain::ports::sealer::Sealer;
use crate::domain::provider::Provider;
use crate::net::app_token::AppCredential;
use crate::net::client::HttpClient;
use crate::net::user_grant::{UserGrant, UserGrants};
use crate::store::{Store, StoreError, consents, provider_health, secrets};

/// Longer than a call to Entra may take.
const LEASE: Duration = Duration::from_secs(120);
/// How often whoever waits for another instance's refresh looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// After so long the one who waits gives up; the other's lease is over by then.
const ROUNDS: u32 = 300;
/// A token is renewed this long before it expires, or after four fifths of a shorter life.
const MARGIN: Duration = Duration::from_secs(300);

/// Gives out users' tokens. Share it behind an `Arc`.
pub struct UserTokenKeeper {
    store: Store,
    context: Context,
    sealer: Arc<dyn Sealer>,
    grants: UserGrants,
    settings: ConsentSettings,
    instance: Uuid,
    turns: Mutex<HashMap<ProviderId, Arc<tokio::sync::Mutex<()>>>>,
}

/// As it lies sealed in the store.
#[derive(Serialize, Deserialize)]
struct Shared {
    token: String,
    renew_at: DateTime<Utc>,
}

impl UserTokenKeeper {
    /// Nothing is fetched yet.
    #[must_use]
    pub fn new(
        store: Store,
        context: Context,
        sealer: Arc<dyn Sealer>,
        http: HttpClient,
        settings: ConsentSettings,
    ) -> Self {
        Self {
            instance: context.new_uuid(),
            grants: UserGrants::new(http, context.clone()),
            store,
            context,
            sealer,
            settings,
            turns: Mutex::default(),
        }
    }

    async fn token(&self, provider: &Provider) -> Result<Option<SecretString>, ProviderError> {
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            turns.entry(provider.id).or_default().clone()
        };
        let _mine = turn.lock().await;
        for _ in 0..ROUNDS {
            let consent = consents::find(self.store.reader(), provider.id)
                .await
                .map_err(database)?;
            if consent.user.is_none() || !is_for(&consent, provider) {
                return Ok(None);
            }
            if let Some(token) = self.shared(provider).await? {
                return Ok(Some(token));
            }
            let leased = consents::lease(
                &self.store,
                &self.context,
                provider.id,
                self.instance,
                LEASE,
            )
            .await
            .map_err(database)?;
            if !leased {
                self.context.sleep(LOOK_AGAIN).await;
                continue;
            }
            let refreshed = self.refresh(provider).await;
            consents::release(&self.store, provider.id, self.instance)
                .await
                .map_err(database)?;
            if let Some(token) = refreshed? {
                return Ok(Some(token));
            }
        }
        let text = "another instance has been refreshing the user's token for too long; try again";
        Err(failure(FailureKind::Transient, text))
    }

    /// The token that the last refresh gave, while it is good.
    async fn shared(&self, provider: &Provider) -> Result<Option<SecretString>, ProviderError> {
        let row = provider.id.as_uuid();
        let found = secrets::find(self.store.reader(), secrets::PROVIDER_ACCESS_TOKEN, row)
            .await
            .map_err(database)?;
        let Some((sealed, _)) = found else {
            return Ok(None);
        };
        // One that does not open, or cannot be read, is fetched anew.
        let opened = self.sealer.open(row, &sealed).ok();
        let shared: Option<Shared> =
            opened.and_then(|text| serde_json::from_str(text.expose_secret()).ok());
        Ok(shared
            .filter(|shared| self.context.now() < shared.renew_at)
            .map(|shared| SecretString::from(shared.token)))
    }

    /// One refresh, under the lease; `None` when the consent changed meanwhile.
    async fn refresh(&self, provider: &Provider) -> Result<Option<SecretString>, ProviderError> {
        let reader = self.store.reader();
        let consent = consents::find(reader, provider.id)
            .await
            .map_err(database)?;
        if let Some(token) = self.shared(provider).await? {
            return Ok(Some(token));
        }
        let row = provider.id.as_uuid();
        let found = secrets::find(reader, secrets::PROVIDER_REFRESH_TOKEN, row)
            .await
            .map_err(database)?;
        let Some((sealed, host)) = found else {
            let text = "the user's sign-in is not kept any more; give user consent again";
            return Err(failure(FailureKind::Consent, text));
        };
        if host.as_deref() != Some(&self.settings.host()) {
            let text = "the user's sign-in was given for another authority; set entra.authority back, or give user \
                        consent again";
            return Err(failure(FailureKind::Configuration, text));
        }
        let refresh_token = self
            .sealer
            .open(row, &sealed)
            .map_err(|error| failure(FailureKind::Configuration, &error.to_string()))?;
        let credential = self.credential(provider).await?;
        let asked_at = self.context.now();
        match self.grants.refresh(&credential, &refresh_token).await {
            Ok(grant) => self.keep(consent, grant, asked_at).await,
            Err(error) => {
                let error = ProviderError::from(error);
                self.note(consent, &error).await.map_err(database)?;
                Err(error)
            }
        }
    }

    async fn credential(&self, provider: &Provider) -> Result<AppCredential, ProviderError> {
        let secret = client_secret(&self.store, &*self.sealer, provider).await;
        let client_secret = secret.map_err(|refusal| {
            let kind = match refusal.trouble {
                Trouble::Transient => FailureKind::Transient,
                _ => FailureKind::Configuration,
            };
            failure(kind, &refusal.text)
        })?;
        let segments = [provider.partner_tenant.as_str(), "oauth2", "v2.0", "token"];
        Ok(AppCredential {
            token_url: below(&self.settings.authority, &segments),
            client_id: provider.client_id.clone(),
            client_secret,
            scope: self.settings.user_scope(),
        })
    }

    /// Writes the next refresh token down, and then lets the access token be used. `None` when somebody consented anew in
    /// the meantime: theirs counts.
    async fn keep(
        &self,
        before: Consent,
        grant: UserGrant,
        asked_at: DateTime<Utc>,
    ) -> Result<Option<SecretString>, ProviderError> {
        let good_for = grant.life.saturating_sub(MARGIN.min(grant.life / 5));
        let renew_at = TimeDelta::from_std(good_for)
            .ok()
            .and_then(|good_for| asked_at.checked_add_signed(good_for))
            .unwrap_or(asked_at);
        let shared = Shared {
            token: grant.access_token.expose_secret().to_owned(),
            renew_at,
        };
        let shared = SecretString::from(serde_json::to_string(&shared).unwrap_or_default());
        let kept = async {
            let row = before.provider_id.as_uuid();
            let expected = before.version;
            let after = Consent {
                version: expected + 1,
                refreshed_at: Some(self.context.now()),
                failure: None,
                ..before
            };
            let tx = self.store.begin().await?;
            if !consents::keep(&tx, &after, expected).await? {
                return Ok(false);
            }
            provider_health::refreshed(&tx, &self.context, after.provider_id, None).await?;
            let host = Some(self.settings.host());
            if let Some(next) = &grant.refresh_token {
                let sealed = self.sealer.seal(row, next.expose_secret());
                let purpose = secrets::PROVIDER_REFRESH_TOKEN;
                secrets::keep(&tx, &self.context, purpose, row, sealed, host).await?;
            }
            let sealed = self.sealer.seal(row, shared.expose_secret());
            let purpose = secrets::PROVIDER_ACCESS_TOKEN;
            secrets::keep(&tx, &self.context, purpose, row, sealed, None).await?;
            tx.commit().await?;
            Ok::<_, StoreError>(true)
        };
        let kept = kept.await.map_err(database)?;
        Ok(kept.then_some(grant.access_token))
    }

    /// Writes a failure down. The refresh token stays: it may be refused for now and good later.
    async fn note(&self, consent: Consent, error: &ProviderError) -> Result<(), StoreError> {
        let expected = consent.version;
        let after = Consent {
            failure: Some(ConsentFailure {
                trouble: Trouble::of(error.kind),
                text: error.message.clone(),
                at: self.context.now(),
            }),
            ..consent
        };
        let tx = self.store.begin().await?;
        let kept = consents::keep(&tx, &after, expected).await?;
        if kept && Trouble::of(error.kind) == Trouble::ReConsent {
            let (id, why) = (after.provider_id, Some(error.message.as_str()));
            provider_health::refreshed(&tx, &self.context, id, why).await?;
        }
        tx.commit().await
    }
}

/// A consent counts for the tenant it was pinned to, and not after the provider was given another one.
fn is_for(consent: &Consent, provider: &Provider) -> bool {
    let tenant = provider.partner_tenant.parse::<Uuid>().ok();
    tenant.is_some() && consent.tenant_id == tenant
}

fn database(error: StoreError) -> ProviderError {
    tracing::error!(
        error = &error as &dyn std::error::Error,
        "a user's token met a failure of the database"
    );
    failure(FailureKind::Transient, "the database is not available")
}

fn failure(kind: FailureKind, message: &str) -> ProviderError {
    ProviderError {
        kind,
        message: message.to_owned(),
        code: None,
        retry_after: None,
        correlation_id: None,
    }
}

#[async_trait]
impl UserTokens for UserTokenKeeper {
    async fn user_token(&self, provider: &Provider) -> Result<Option<SecretString>, ProviderError> {
        self.token(provider).await
    }
}
