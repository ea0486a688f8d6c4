//! Coming back from User Consent: redeem, see who it is, keep the refresh token sealed, and only then use the access token, to
//! try a real call. Nothing takes the place of a working sign-in before all of that went well.

use secrecy::{ExposeSecret, SecretString};
use url::Url;
use uuid::Uuid;

use super::admin_callback::{Refused, refused_by_entra};
use super::id_token::Identity;
use super::refusal::{ConsentRefusal, Reason};
use super::{CallbackParameters, Consents, Outcome};
use crate::domain::caller::Caller;
use crate::domain::consent::PendingTenant;
use crate::domain::ids::ProviderId;
use crate::domain::provider::Provider;
use crate::store::consent_states::{ConsentState, Step};
use crate::store::{consents, secrets};

impl Consents {
    /// Takes an answer to User Consent.
    ///
    /// # Errors
    /// Every refusal, written down for the provider's page when the provider is known.
    pub async fn user_callback(
        &self,
        caller: &Caller,
        session_id: Uuid,
        parameters: &CallbackParameters,
    ) -> Result<(ProviderId, Outcome), Refused> {
        let state = self
            .take_state(caller, session_id, Step::User, &parameters.state)
            .await?;
        let id = state.provider_id;
        match self.sign_in(caller, &state, parameters).await {
            Ok(outcome) => Ok((id, outcome)),
            Err(refusal) => Err(self.note_refusal(id, refusal).await),
        }
    }

    async fn sign_in(
        &self,
        caller: &Caller,
        state: &ConsentState,
        parameters: &CallbackParameters,
    ) -> Result<Outcome, ConsentRefusal> {
        refused_by_entra(parameters)?;
        let code = parameters.code.as_deref().unwrap_or_default();
        if code.is_empty() {
            let text = "Microsoft Entra sent neither a code nor an error; sign in again";
            return Err(ConsentRefusal::again(Reason::BadAnswer, text));
        }
        let provider = self.provider(state.provider_id).await?;
        let authority: Url = state.authority.parse().map_err(|_| {
            ConsentRefusal::operator(Reason::Settings, "entra.authority is no URL; correct it")
        })?;
        let verifier = self
            .sealer
            .open(state.id, &state.verifier)
            .map_err(|error| ConsentRefusal::operator(Reason::Settings, error.to_string()))?;
        let credential = self
            .credential(&provider, &authority, &state.tenant)
            .await?;
        let grant = self
            .grants
            .redeem(&credential, code, &verifier, &state.redirect_uri)
            .await?;
        let missing = |what: &str| {
            let text = format!(
                "Microsoft Entra granted no {what}; check the application's permissions and sign in again"
            );
            ConsentRefusal::operator(Reason::BadAnswer, text)
        };
        let id_token = grant.id_token.ok_or_else(|| missing("id_token"))?;
        let refresh = grant
            .refresh_token
            .ok_or_else(|| missing("refresh token (offline_access)"))?;
        let identity = self
            .identity(&id_token, &authority, &provider.client_id, &state.nonce)
            .await?;
        check_tenant(&provider, &identity)?;
        self.hold(&provider, &identity, &refresh).await?;
        let probed = self.probe.probe(&provider, &grant.access_token).await;
        match probed {
            Ok(multi_factor) => {
                let outcome = self
                    .settle(caller, &provider, &identity, multi_factor)
                    .await;
                if outcome.is_err() {
                    self.drop_pending(provider.id).await?;
                }
                outcome
            }
            Err(error) => {
                self.drop_pending(provider.id).await?;
                Err(ConsentRefusal::of_probe(&error))
            }
        }
    }

    /// Seals and keeps what was granted, in its waiting place.
    async fn hold(
        &self,
        provider: &Provider,
        identity: &Identity,
        refresh: &SecretString,
    ) -> Result<(), ConsentRefusal> {
        let row = provider.id.as_uuid();
        let sealed = self.sealer.seal(row, refresh.expose_secret());
        let host = Some(self.settings.host());
        let tx = self.store.begin().await?;
        let purpose = secrets::PENDING_REFRESH_TOKEN;
        secrets::keep(&tx, &self.context, purpose, row, sealed, host).await?;
        let mut consent = consents::find(&*tx, provider.id).await?;
        consent.pending = Some(PendingTenant {
            tenant_id: identity.tenant_id,
            by: identity.name.clone(),
        });
        consents::keep(&tx, &consent, consent.version).await?;
        Ok(tx.commit().await?)
    }
}

/// The tenant of the provider, once it is known by its id, is the only one that may sign in.
fn check_tenant(provider: &Provider, identity: &Identity) -> Result<(), ConsentRefusal> {
    let found = identity.tenant_id;
    match provider.partner_tenant.parse::<Uuid>() {
        Ok(wanted) if wanted != found => {
            let text = format!(
                "{} signed in to tenant {found}, but this provider is tenant {wanted}; sign in with an account of that \
                 tenant, or connect another provider",
                identity.name
            );
            Err(ConsentRefusal::again(Reason::WrongTenant, text))
        }
        _ => Ok(()),
    }
}
