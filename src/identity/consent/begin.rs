//! Sending a browser to Entra. The state that travels is 256 random bits; what it stands for stays here.

use chrono::Duration;
use oauth2::basic::BasicClient;
use oauth2::{
    AuthUrl, ClientId, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
};
use secrecy::{ExposeSecret, SecretString};
use url::Url;
use uuid::Uuid;

use super::refusal::{ConsentRefusal, Reason};
use super::{ADMIN_CALLBACK, Consents, USER_CALLBACK, below};
use crate::domain::caller::{Caller, Permission};
use crate::domain::ids::ProviderId;
use crate::domain::provider::Provider;
use crate::identity::key_text;
use crate::store::consent_states::{self, ConsentState, Step};

/// A round trip that takes longer is begun anew.
pub const MINUTES: i64 = 10;

impl Consents {
    /// Begins a consent; gives the address to send the browser to.
    ///
    /// # Errors
    /// When the caller may not, there is no such provider, or the database refuses.
    pub async fn begin(
        &self,
        caller: &Caller,
        session_id: Uuid,
        id: ProviderId,
        step: Step,
    ) -> Result<Url, ConsentRefusal> {
        caller
            .require(Permission::Configure)
            .map_err(|missing| ConsentRefusal::operator(Reason::Forbidden, missing.to_string()))?;
        let provider = self.provider(id).await?;
        let secret = key_text::random_secret(&self.context);
        let verifier = key_text::random_secret(&self.context);
        let nonce = key_text::random_secret(&self.context);
        let path = match step {
            Step::Admin => ADMIN_CALLBACK,
            Step::User => USER_CALLBACK,
        };
        let state_id = self.context.new_uuid();
        let state = ConsentState {
            id: state_id,
            step,
            provider_id: id,
            session_id,
            authority: self.settings.authority.to_string(),
            tenant: provider.partner_tenant.clone(),
            redirect_uri: below(&self.settings.public_url, &path).to_string(),
            nonce: nonce.expose_secret().to_owned(),
            verifier: self.sealer.seal(state_id, verifier.expose_secret()),
            expires_at: self.context.now() + Duration::minutes(MINUTES),
        };
        let tx = self.store.begin().await?;
        consent_states::insert(&tx, &state, &key_text::hash_secret(&secret)).await?;
        tx.commit().await?;
        match step {
            Step::Admin => Ok(self.admin_url(&provider, &state, &secret)),
            Step::User => self.user_url(&provider, &state, &secret, &verifier),
        }
    }

    fn admin_url(&self, provider: &Provider, state: &ConsentState, secret: &SecretString) -> Url {
        let mut url = self.settings.at(&[&state.tenant, "v2.0", "adminconsent"]);
        url.query_pairs_mut()
            .append_pair("client_id", &provider.client_id)
            .append_pair("scope", &format!("{}/.default", self.settings.resource))
            .append_pair("redirect_uri", &state.redirect_uri)
            .append_pair("state", secret.expose_secret());
        url
    }

    fn user_url(
        &self,
        provider: &Provider,
        state: &ConsentState,
        secret: &SecretString,
        verifier: &SecretString,
    ) -> Result<Url, ConsentRefusal> {
        let endpoint = self
            .settings
            .at(&[&state.tenant, "oauth2", "v2.0", "authorize"]);
        let redirect = RedirectUrl::new(state.redirect_uri.clone()).map_err(|_| {
            let text = "server.public_url gives no redirect URI; correct it";
            ConsentRefusal::operator(Reason::Settings, text)
        })?;
        let verifier = PkceCodeVerifier::new(verifier.expose_secret().to_owned());
        let scopes = self.settings.user_scope();
        let scopes = scopes
            .split_whitespace()
            .map(|it| Scope::new(it.to_owned()));
        let client = BasicClient::new(ClientId::new(provider.client_id.clone()))
            .set_auth_uri(AuthUrl::from_url(endpoint))
            .set_redirect_uri(redirect);
        let (url, _) = client
            .authorize_url(|| CsrfToken::new(secret.expose_secret().to_owned()))
            .add_scopes(scopes)
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .add_extra_param("response_mode", "query")
            .add_extra_param("prompt", "select_account")
            .add_extra_param("nonce", state.nonce.clone())
            .url();
        Ok(url)
    }
}
