//! Mapping by hand: map, unmap, exclude, include (B4). Each form carries the version it was shown, so that two people at
//! one record do not overwrite each other.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Form, Path};
use actix_web::{HttpRequest, HttpResponse, post};
use serde::Deserialize;

use super::account;
use super::door::{self, Visitor};
use super::words::sentence;
use crate::domain::ids::{AccountId, ProviderAccountId};
use crate::flows::FlowError;
use crate::flows::map_provider_account::MapRequest;
use crate::flows::mapping::{Expectation, MappingOutcome};
use crate::http::state::ApiState;

/// What a form of these pages sends.
#[derive(Deserialize)]
pub(super) struct Change {
    csrf: String,
    version: Option<i64>,
    account: Option<AccountId>,
    reason: Option<String>,
}

/// What a form asks for.
enum Wanted {
    Map,
    Unmap,
    Exclude,
    Include,
}

#[post("/provider-accounts/{id}/map")]
pub(super) async fn map(
    request: HttpRequest,
    state: Data<ApiState>,
    id: Path<String>,
    form: Form<Change>,
) -> HttpResponse {
    change(&request, &state, &id, &form, Wanted::Map).await
}

#[post("/provider-accounts/{id}/unmap")]
pub(super) async fn unmap(
    request: HttpRequest,
    state: Data<ApiState>,
    id: Path<String>,
    form: Form<Change>,
) -> HttpResponse {
    change(&request, &state, &id, &form, Wanted::Unmap).await
}

#[post("/provider-accounts/{id}/exclude")]
pub(super) async fn exclude(
    request: HttpRequest,
    state: Data<ApiState>,
    id: Path<String>,
    form: Form<Change>,
) -> HttpResponse {
    change(&request, &state, &id, &form, Wanted::Exclude).await
}

#[post("/provider-accounts/{id}/include")]
pub(super) async fn include(
    request: HttpRequest,
    state: Data<ApiState>,
    id: Path<String>,
    form: Form<Change>,
) -> HttpResponse {
    change(&request, &state, &id, &form, Wanted::Include).await
}

async fn change(
    request: &HttpRequest,
    state: &Data<ApiState>,
    id: &str,
    form: &Change,
    wanted: Wanted,
) -> HttpResponse {
    let visitor = match door::poster(request, state, &form.csrf).await {
        Ok(visitor) => visitor,
        Err(refusal) => return *refusal,
    };
    let done = match wanted {
        Wanted::Map => "mapped",
        Wanted::Unmap => "unmapped",
        Wanted::Exclude => "excluded",
        Wanted::Include => "included",
    };
    let outcome = async {
        let id = account::id_of(id)?;
        perform(state, &visitor, id, form, &wanted).await
    };
    match outcome.await {
        Ok(outcome) => door::go_to(&format!(
            "/?view=unmapped&done={done}&id={}",
            outcome.account.id
        )),
        Err(
            error @ (FlowError::NotFound { .. } | FlowError::Forbidden(_) | FlowError::Store(_)),
        ) => door::failed(&error),
        Err(error) => {
            let status = match &error {
                FlowError::Stale(_) | FlowError::Conflict { .. } => StatusCode::CONFLICT,
                FlowError::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
                _ => StatusCode::BAD_GATEWAY,
            };
            let problem = Some(sentence(&error.to_string()));
            account::render(state, &visitor, id, "", problem, status).await
        }
    }
}

async fn perform(
    state: &Data<ApiState>,
    visitor: &Visitor,
    id: ProviderAccountId,
    form: &Change,
    wanted: &Wanted,
) -> Result<MappingOutcome, FlowError> {
    let flows = &state.flows;
    let caller = &visitor.caller;
    let expected = Expectation {
        version: form.version,
        ..Expectation::default()
    };
    let reason = form.reason.as_deref();
    match wanted {
        Wanted::Map => {
            let account_id = form
                .account
                .ok_or_else(|| FlowError::Invalid("choose an account to map to".to_owned()))?;
            let request = MapRequest {
                account_id,
                reason: form.reason.clone(),
                expected,
            };
            flows.map_provider_account(caller, id, &request).await
        }
        Wanted::Unmap => {
            flows
                .unmap_provider_account(caller, id, reason, expected)
                .await
        }
        Wanted::Exclude => {
            flows
                .exclude_provider_account(caller, id, reason.unwrap_or_default(), expected)
                .await
        }
        Wanted::Include => {
            flows
                .include_provider_account(caller, id, reason, expected)
                .await
        }
    }
}
