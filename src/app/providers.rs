//! Gives each connected provider its client, the same one as long as the provider is unchanged, so that its token and its
//! token bucket are shared.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use tokio::sync::Mutex;

use crate::domain::consent::MultiFactor;
use crate::domain::context::Context;
use crate::domain::ids::ProviderId;
use crate::domain::ports::consent::{SignInProbe, UserTokens};
use crate::domain::ports::provider::{FailureKind, ProviderClient, ProviderError, Providers};
use crate::domain::ports::sealer::Sealer;
use crate::domain::provider::{Provider, ProviderKind};
use crate::net::client::HttpClient;
use crate::providers::partner_center::{
    PartnerCenterClient, PartnerCenterConnection, PartnerCenterSettings, UserAccess,
};
use crate::store::{Store, secrets};

/// A client, and the version of the provider it was made for.
type Made = (i64, Arc<dyn ProviderClient>);

/// The clients of all connected providers.
pub struct ConnectedProviders {
    store: Store,
    context: Context,
    sealer: Arc<dyn Sealer>,
    http: HttpClient,
    partner_center: PartnerCenterSettings,
    user_tokens: Arc<dyn UserTokens>,
    clients: Mutex<HashMap<ProviderId, Made>>,
}

impl ConnectedProviders {
    /// No client is made before it is asked for.
    pub fn new(
        store: Store,
        context: Context,
        sealer: Arc<dyn Sealer>,
        http: HttpClient,
        partner_center: PartnerCenterSettings,
        user_tokens: Arc<dyn UserTokens>,
    ) -> Self {
        let clients = Mutex::default();
        Self {
            store,
            context,
            sealer,
            http,
            partner_center,
            user_tokens,
            clients,
        }
    }

    async fn make(&self, provider: &Provider) -> Result<PartnerCenterClient, ProviderError> {
        let purpose = secrets::PROVIDER_CLIENT_SECRET;
        let id = provider.id.as_uuid();
        let sealed = secrets::find(self.store.reader(), purpose, id)
            .await
            .map_err(|error| {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a secret could not be read"
                );
                failure(
                    FailureKind::Transient,
                    "the database is not available".to_owned(),
                )
            })?;
        let Some((sealed, _)) = sealed else {
            let text = format!("provider `{}` has no client secret; set one", provider.name);
            return Err(failure(FailureKind::Configuration, text));
        };
        let client_secret = self
            .sealer
            .open(id, &sealed)
            .map_err(|error| failure(FailureKind::Configuration, error.to_string()))?;
        let ProviderKind::PartnerCenter = provider.kind;
        let connection = PartnerCenterConnection {
            tenant: provider.partner_tenant.clone(),
            client_id: provider.client_id.clone(),
            client_secret,
        };
        let client = PartnerCenterClient::new(
            self.http.clone(),
            self.context.clone(),
            self.partner_center.clone(),
            connection,
        );
        Ok(client.with_user(UserAccess {
            provider: provider.clone(),
            tokens: self.user_tokens.clone(),
        }))
    }
}

fn failure(kind: FailureKind, message: String) -> ProviderError {
    ProviderError {
        kind,
        message,
        code: None,
        retry_after: None,
        correlation_id: None,
    }
}

#[async_trait]
impl Providers for ConnectedProviders {
    async fn client(&self, provider: &Provider) -> Result<Arc<dyn ProviderClient>, ProviderError> {
        let mut clients = self.clients.lock().await;
        if let Some((version, client)) = clients.get(&provider.id)
            && *version == provider.version
        {
            return Ok(client.clone());
        }
        let client: Arc<dyn ProviderClient> = Arc::new(self.make(provider).await?);
        clients.insert(provider.id, (provider.version, client.clone()));
        Ok(client)
    }
}

#[async_trait]
impl SignInProbe for ConnectedProviders {
    async fn probe(
        &self,
        provider: &Provider,
        token: &SecretString,
    ) -> Result<MultiFactor, ProviderError> {
        self.make(provider).await?.try_sign_in(token).await
    }
}
