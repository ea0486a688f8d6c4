//! Consent of a provider's tenant (A2): Admin Consent, then User Consent, each a round trip of the browser to Microsoft Entra
//! and back.
//!
//! A round trip is bound by a one-time state of ours to the session, provider, step, tenant, authority and redirect URI it
//! was begun for; who signed in is believed from the signed `id_token` alone, never from a parameter. A sign-in that was
//! granted waits in a place of its own until it has proved itself by a real call, and at the first connection until a person
//! has confirmed the tenant; only then does it take the place of the one before.

mod admin_callback;
mod begin;
mod id_token;
mod keeper;
mod refusal;
mod settle;
mod user_callback;
mod watch;

use std::sync::Arc;

use secrecy::SecretString;
use url::Url;

pub use self::keeper::UserTokenKeeper;
pub use self::refusal::{ConsentRefusal, Reason};
pub use self::watch::ConsentWatch;
use super::error::AccessError;
use crate::domain::caller::{Caller, Permission};
use crate::domain::consent::Consent;
use crate::domain::context::Context;
use crate::domain::ids::ProviderId;
use crate::domain::ports::consent::SignInProbe;
use crate::domain::ports::sealer::Sealer;
use crate::domain::provider::Provider;
use crate::net::app_token::AppCredential;
use crate::net::client::HttpClient;
use crate::net::user_grant::UserGrants;
pub use crate::store::consent_states::Step;
use crate::store::{Store, consents, providers, secrets};

const ADMIN_CALLBACK: [&str; 2] = ["consent", "admin-callback"];
const USER_CALLBACK: [&str; 2] = ["consent", "callback"];

/// Where people consent, and where they come back to.
#[derive(Debug, Clone)]
pub struct ConsentSettings {
    /// For example `https://login.microsoftonline.com`.
    pub authority: Url,
    /// What a token is for, e.g. `https://api.partnercenter.microsoft.com`.
    pub resource: String,
    /// The address under which browsers reach us.
    pub public_url: Url,
}

impl ConsentSettings {
    /// An address below the authority.
    fn at(&self, segments: &[&str]) -> Url {
        below(&self.authority, segments)
    }

    /// The scope of a user's token: one resource, and a refresh token with it.
    fn user_scope(&self) -> String {
        format!(
            "{}/user_impersonation openid profile offline_access",
            self.resource
        )
    }

    fn host(&self) -> String {
        self.authority.authority().to_owned()
    }
}

fn below(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

/// What the browser brought back.
#[derive(Clone, Default)]
pub struct CallbackParameters {
    /// Ours.
    pub state: String,
    /// To be redeemed.
    pub code: Option<String>,
    /// The class of a refusal.
    pub error: Option<String>,
    /// For people; only its number is read.
    pub error_description: Option<String>,
    /// `True`, after a refusal too.
    pub admin_consent: Option<String>,
}

impl std::fmt::Debug for CallbackParameters {
    /// Code and state are secrets while they live.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallbackParameters")
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

/// How a User Consent ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The sign-in is kept.
    Connected,
    /// Somebody has to confirm the tenant first.
    ConfirmTenant,
}

/// The consents of this deployment's providers. Cheap to clone.
#[derive(Clone)]
pub struct Consents {
    store: Store,
    context: Context,
    sealer: Arc<dyn Sealer>,
    http: HttpClient,
    grants: UserGrants,
    settings: ConsentSettings,
    probe: Arc<dyn SignInProbe>,
}

impl Consents {
    /// Nothing is called yet.
    #[must_use]
    pub fn new(
        store: Store,
        context: Context,
        sealer: Arc<dyn Sealer>,
        http: HttpClient,
        settings: ConsentSettings,
        probe: Arc<dyn SignInProbe>,
    ) -> Self {
        let grants = UserGrants::new(http.clone(), context.clone());
        Self {
            store,
            context,
            sealer,
            http,
            grants,
            settings,
            probe,
        }
    }

    /// Where people are sent to: scheme, host and port.
    #[must_use]
    pub fn authority_origin(&self) -> String {
        self.settings.authority.origin().ascii_serialization()
    }

    /// What has to be registered at Entra: where browsers come back to.
    #[must_use]
    pub fn redirect_uris(&self) -> [String; 2] {
        [ADMIN_CALLBACK, USER_CALLBACK]
            .map(|path| below(&self.settings.public_url, &path).to_string())
    }

    /// The consent of a provider.
    ///
    /// # Errors
    /// When the caller may not, or the database refuses.
    pub async fn view(
        &self,
        caller: &Caller,
        provider: ProviderId,
    ) -> Result<Consent, AccessError> {
        caller.require(Permission::Read)?;
        Ok(consents::find(self.store.reader(), provider).await?)
    }

    async fn provider(&self, id: ProviderId) -> Result<Provider, AccessError> {
        providers::find(self.store.reader(), id)
            .await?
            .ok_or_else(|| AccessError::NotFound {
                what: "provider",
                id: id.to_string(),
            })
    }

    /// Whom we are at `authority`, for the tenant in the path.
    async fn credential(
        &self,
        provider: &Provider,
        authority: &Url,
        tenant: &str,
    ) -> Result<AppCredential, ConsentRefusal> {
        let client_secret = client_secret(&self.store, &*self.sealer, provider).await?;
        Ok(AppCredential {
            token_url: below(authority, &[tenant, "oauth2", "v2.0", "token"]),
            client_id: provider.client_id.clone(),
            client_secret,
            scope: self.settings.user_scope(),
        })
    }
}

/// The provider's client secret, opened.
async fn client_secret(
    store: &Store,
    sealer: &dyn Sealer,
    provider: &Provider,
) -> Result<SecretString, ConsentRefusal> {
    let purpose = secrets::PROVIDER_CLIENT_SECRET;
    let id = provider.id.as_uuid();
    let Some((sealed, _)) = secrets::find(store.reader(), purpose, id).await? else {
        let text = format!("provider `{}` has no client secret; set one", provider.name);
        return Err(ConsentRefusal::operator(Reason::Settings, text));
    };
    sealer
        .open(id, &sealed)
        .map_err(|error| ConsentRefusal::operator(Reason::Settings, error.to_string()))
}
