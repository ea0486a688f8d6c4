//! Coming back from Admin Consent. The answer holds no proof: what it says is shown, and nothing is decided by it; the user's
//! sign-in and a real call show whether it is true. `error` is looked at first, because `admin_consent=True` stands beside it.

use uuid::Uuid;

use super::refusal::{ConsentRefusal, Reason};
use super::{CallbackParameters, Consents};
use crate::domain::caller::{Caller, Permission};
use crate::domain::consent::{ConsentFailure, Given};
use crate::domain::ids::ProviderId;
use crate::identity::key_text;
use crate::net::entra_error::EntraErrorBody;
use crate::store::audit::{self, Entry};
use crate::store::consent_states::{self, ConsentState, Step, Used};
use crate::store::consents;

/// A refusal, with the provider whose page shows it.
pub type Refused = (Option<ProviderId>, ConsentRefusal);

impl Consents {
    /// Takes an answer to Admin Consent.
    ///
    /// # Errors
    /// Every refusal, written down for the provider's page when the provider is known.
    pub async fn admin_callback(
        &self,
        caller: &Caller,
        session_id: Uuid,
        parameters: &CallbackParameters,
    ) -> Result<ProviderId, Refused> {
        let state = self
            .take_state(caller, session_id, Step::Admin, &parameters.state)
            .await?;
        let id = state.provider_id;
        let outcome = async {
            refused_by_entra(parameters)?;
            if parameters.admin_consent.as_deref() != Some("True") {
                let text =
                    "Microsoft Entra did not say that consent was given; give admin consent again";
                return Err(ConsentRefusal::again(Reason::BadAnswer, text));
            }
            self.keep_admin(caller, id).await
        };
        match outcome.await {
            Ok(()) => Ok(id),
            Err(refusal) => Err(self.note_refusal(id, refusal).await),
        }
    }

    async fn keep_admin(&self, caller: &Caller, id: ProviderId) -> Result<(), ConsentRefusal> {
        let tx = self.store.begin().await?;
        let mut consent = consents::find(&*tx, id).await?;
        consent.admin = Some(Given {
            at: self.context.now(),
            by: caller.actor.name.clone(),
        });
        consent.failure = None;
        consents::keep(&tx, &consent, consent.version).await?;
        let entry = Entry {
            action: "consent.admin",
            subject: format!("provider/{id}"),
            ..Entry::default()
        };
        audit::record(&tx, &self.context, caller, entry).await?;
        Ok(tx.commit().await?)
    }

    /// Uses the state up, before anything of the answer is looked at.
    pub(super) async fn take_state(
        &self,
        caller: &Caller,
        session_id: Uuid,
        step: Step,
        state: &str,
    ) -> Result<ConsentState, Refused> {
        let alone = |refusal| (None, refusal);
        caller.require(Permission::Configure).map_err(|missing| {
            alone(ConsentRefusal::operator(
                Reason::Forbidden,
                missing.to_string(),
            ))
        })?;
        let used = async {
            let hash = key_text::hash(state.as_bytes());
            let tx = self.store.begin().await?;
            let now = self.context.now();
            let used = consent_states::take(&tx, &hash, session_id, step, now).await?;
            tx.commit().await?;
            Ok::<_, crate::store::StoreError>(used)
        };
        let used = used.await.map_err(|error| alone(error.into()))?;
        let refuse = |reason, text: &str| ConsentRefusal::again(reason, text);
        match used {
            Used::Good(state) => Ok(*state),
            Used::Unknown => Err(alone(refuse(
                Reason::UnknownState,
                "this answer belongs to no sign-in that was begun here; begin again on the provider's page",
            ))),
            Used::Foreign => Err(alone(refuse(
                Reason::ForeignState,
                "this sign-in was begun in another browser or session; begin again in this one",
            ))),
            Used::Replayed(id) => Err((
                Some(id),
                refuse(
                    Reason::Replayed,
                    "this answer was used before; begin again if it is not connected",
                ),
            )),
            Used::Expired(id) => {
                let text = "the sign-in took longer than ten minutes; begin again";
                Err(self.note_refusal(id, refuse(Reason::Expired, text)).await)
            }
        }
    }

    /// Writes a refusal down for the provider's page. One that only time mends takes nothing away from a consent.
    pub(super) async fn note_refusal(&self, id: ProviderId, refusal: ConsentRefusal) -> Refused {
        let noted = async {
            let tx = self.store.begin().await?;
            let mut consent = consents::find(&*tx, id).await?;
            consent.failure = Some(ConsentFailure {
                trouble: refusal.trouble,
                text: refusal.text.clone(),
                at: self.context.now(),
            });
            consents::keep(&tx, &consent, consent.version).await?;
            tx.commit().await
        };
        match noted.await {
            Ok(()) => (Some(id), refusal),
            Err(error) => (Some(id), error.into()),
        }
    }
}

/// The refusal that stands in the answer. The class decides; the number, if there is one, explains.
pub(super) fn refused_by_entra(parameters: &CallbackParameters) -> Result<(), ConsentRefusal> {
    let Some(error) = &parameters.error else {
        return Ok(());
    };
    let number = parameters
        .error_description
        .as_deref()
        .and_then(|text| text.strip_prefix("AADSTS"))
        .map(|text| text.chars().take_while(char::is_ascii_digit))
        .and_then(|digits| digits.collect::<String>().parse().ok());
    let body = EntraErrorBody {
        error: error.chars().take(60).collect(),
        error_codes: number.into_iter().collect(),
        ..EntraErrorBody::default()
    };
    let verdict = body.verdict();
    let code = body.code();
    let shown: String = code
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '_')
        .collect();
    Err(ConsentRefusal {
        reason: Reason::Refused,
        trouble: crate::domain::consent::Trouble::of(verdict.kind),
        text: format!("Microsoft Entra refused: {} ({shown})", verdict.meaning),
    })
}
