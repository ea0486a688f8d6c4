//! Replacing a provider's client secret. It comes in by a form and goes out by nothing: it is sealed, and no page, answer or
//! audit entry tells it.

use actix_web::web::{Data, Form, Path};
use actix_web::{HttpRequest, HttpResponse, post};
use secrecy::SecretString;
use serde::Deserialize;

use super::connect::{expires_at, in_words_of_the_form};
use super::door;
use super::provider::{self, Said};
use crate::flows::FlowError;
use crate::flows::providers::ProviderChange;
use crate::http::state::ApiState;

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct New {
    csrf: String,
    client_secret: SecretString,
    #[serde(default)]
    expires: String,
}

/// Replaces the secret, and when it expires with it.
#[post("/providers/{id}/client-secret")]
pub(super) async fn replace(
    request: HttpRequest,
    state: Data<ApiState>,
    id: Path<String>,
    form: Form<New>,
) -> HttpResponse {
    let form = form.into_inner();
    let (visitor, id) = match door::poster_about(&request, &state, &id, &form.csrf).await {
        Ok(both) => both,
        Err(refusal) => return *refusal,
    };
    let replaced = async {
        let change = ProviderChange {
            client_secret: Some(form.client_secret),
            client_secret_expires_at: Some(expires_at(&form.expires)?),
            ..ProviderChange::default()
        };
        let flows = &state.flows;
        flows.change_provider(&visitor.caller, id, change).await
    };
    match replaced.await {
        Ok(_) => door::go_to(&format!("/providers/{id}?done=client-secret")),
        Err(FlowError::Invalid(why)) => {
            let said = Said {
                problem: Some(in_words_of_the_form(&why)),
                ..Said::default()
            };
            provider::render(&state, &visitor, id, said).await
        }
        Err(error) => door::failed(&error),
    }
}
