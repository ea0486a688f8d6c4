//! The two consents: the buttons that send the browser to Microsoft Entra, and the addresses it comes back to.
//!
//! A callback shows nothing itself: whatever it brought, the browser is sent on to a clean address at once, so that no code or
//! state stays in its history, and what happened is read from our own records there.

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, LOCATION};
use actix_web::web::{Data, Form, Path, Query};
use actix_web::{HttpRequest, HttpResponse, get, post};
use serde::Deserialize;
use uuid::Uuid;

use super::door;
use super::words::sentence;
use crate::domain::ids::ProviderId;
use crate::http::state::ApiState;
use crate::identity::consent::{CallbackParameters, ConsentRefusal, Outcome, Reason, Step};

/// What the forms send.
#[derive(Deserialize)]
pub(super) struct Wanted {
    csrf: String,
    step: Option<String>,
    tenant: Option<Uuid>,
}

/// What Entra sends through the browser.
#[derive(Deserialize)]
pub(super) struct Answer {
    #[serde(default)]
    state: String,
    code: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
    admin_consent: Option<String>,
}

impl From<Answer> for CallbackParameters {
    fn from(answer: Answer) -> Self {
        Self {
            state: answer.state,
            code: answer.code,
            error: answer.error,
            error_description: answer.error_description,
            admin_consent: answer.admin_consent,
        }
    }
}

fn outcome(id: ProviderId, done: &str, result: Result<(), ConsentRefusal>) -> HttpResponse {
    match result {
        Ok(()) => door::go_to(&format!("/providers/{id}?done={done}")),
        Err(refusal) => refused(&refusal),
    }
}

/// A refusal that no provider's page shows.
fn refused(refusal: &ConsentRefusal) -> HttpResponse {
    let status = match refusal.reason {
        Reason::Forbidden => StatusCode::FORBIDDEN,
        Reason::NotFound => StatusCode::NOT_FOUND,
        Reason::Database => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::CONFLICT,
    };
    let text = sentence(&refusal.text);
    door::outside(status, "That did not work", &text, None)
}

/// Sends the browser to Entra.
#[post("/providers/{id}/consent")]
pub(super) async fn begin(
    request: HttpRequest,
    state: Data<ApiState>,
    id: Path<String>,
    form: Form<Wanted>,
) -> HttpResponse {
    let (visitor, id) = match door::poster_about(&request, &state, &id, &form.csrf).await {
        Ok(posted) => posted,
        Err(refusal) => return *refusal,
    };
    let step = match form.step.as_deref() {
        Some("admin") => Step::Admin,
        _ => Step::User,
    };
    let session = visitor.session.id;
    match state
        .consents
        .begin(&visitor.caller, session, id, step)
        .await
    {
        Ok(url) => clean(url.as_str()),
        Err(refusal) => refused(&refusal),
    }
}

/// Pins the tenant that somebody signed in to.
#[post("/providers/{id}/consent/confirm")]
pub(super) async fn confirm(
    request: HttpRequest,
    state: Data<ApiState>,
    id: Path<String>,
    form: Form<Wanted>,
) -> HttpResponse {
    let (visitor, id) = match door::poster_about(&request, &state, &id, &form.csrf).await {
        Ok(posted) => posted,
        Err(refusal) => return *refusal,
    };
    let tenant = form.tenant.unwrap_or_default();
    let result = state.consents.confirm_tenant(&visitor.caller, id, tenant);
    outcome(id, "user-consent", result.await)
}

/// Forgets a sign-in whose tenant is not the right one.
#[post("/providers/{id}/consent/reject")]
pub(super) async fn reject(
    request: HttpRequest,
    state: Data<ApiState>,
    id: Path<String>,
    form: Form<Wanted>,
) -> HttpResponse {
    let (visitor, id) = match door::poster_about(&request, &state, &id, &form.csrf).await {
        Ok(posted) => posted,
        Err(refusal) => return *refusal,
    };
    let result = state.consents.reject_tenant(&visitor.caller, id);
    outcome(id, "rejected", result.await)
}

/// Forgets the user's sign-in.
#[post("/providers/{id}/consent/revoke")]
pub(super) async fn revoke(
    request: HttpRequest,
    state: Data<ApiState>,
    id: Path<String>,
    form: Form<Wanted>,
) -> HttpResponse {
    let (visitor, id) = match door::poster_about(&request, &state, &id, &form.csrf).await {
        Ok(posted) => posted,
        Err(refusal) => return *refusal,
    };
    let result = state.consents.revoke(&visitor.caller, id);
    outcome(id, "revoked", result.await)
}

#[get("/consent/admin-callback")]
pub(super) async fn admin_callback(
    request: HttpRequest,
    state: Data<ApiState>,
    answer: Query<Answer>,
) -> HttpResponse {
    let visitor = match door::visitor(&request, &state).await {
        Ok(visitor) => visitor,
        Err(_) => return clean("/consent/refused?reason=foreign-state"),
    };
    let parameters = CallbackParameters::from(answer.into_inner());
    let (caller, session) = (&visitor.caller, visitor.session.id);
    match state
        .consents
        .admin_callback(caller, session, &parameters)
        .await
    {
        Ok(id) => clean(&format!("/providers/{id}?done=admin-consent")),
        Err((provider, refusal)) => shown_at(provider, &refusal),
    }
}

#[get("/consent/callback")]
pub(super) async fn user_callback(
    request: HttpRequest,
    state: Data<ApiState>,
    answer: Query<Answer>,
) -> HttpResponse {
    let visitor = match door::visitor(&request, &state).await {
        Ok(visitor) => visitor,
        Err(_) => return clean("/consent/refused?reason=foreign-state"),
    };
    let parameters = CallbackParameters::from(answer.into_inner());
    let (caller, session) = (&visitor.caller, visitor.session.id);
    match state
        .consents
        .user_callback(caller, session, &parameters)
        .await
    {
        Ok((id, Outcome::Connected)) => clean(&format!("/providers/{id}?done=user-consent")),
        Ok((id, Outcome::ConfirmTenant)) => clean(&format!("/providers/{id}?done=confirm-tenant")),
        Err((provider, refusal)) => shown_at(provider, &refusal),
    }
}

/// The page of the provider shows what was written down; without a provider the reason alone is shown.
fn shown_at(provider: Option<ProviderId>, refusal: &ConsentRefusal) -> HttpResponse {
    match (provider, refusal.reason) {
        (Some(id), reason) if reason != Reason::Replayed => clean(&format!("/providers/{id}")),
        (_, reason) => clean(&format!("/consent/refused?reason={}", reason.name())),
    }
}

/// On to an address that holds nothing of the callback.
fn clean(target: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, target))
        .insert_header((CACHE_CONTROL, "no-store"))
        .finish()
}

/// The reason in the address.
#[derive(Deserialize)]
pub(super) struct Why {
    #[serde(default)]
    reason: String,
}

#[get("/consent/refused")]
pub(super) async fn refused_page(
    request: HttpRequest,
    state: Data<ApiState>,
    why: Query<Why>,
) -> HttpResponse {
    if let Err(refusal) = door::check_host(&request, &state) {
        return *refusal;
    }
    let text = match why.reason.as_str() {
        "foreign-state" => {
            "This sign-in was begun in another browser or session. Begin again in this one, from the provider's page."
        }
        "unknown-state" => {
            "This answer belongs to no sign-in that was begun here. Begin again on the provider's page."
        }
        "replayed" => "This answer was used before. Begin again if the provider is not connected.",
        "forbidden" => "Consent is for the role admin. Ask an administrator for a sign-in link.",
        "database" => "The database is not available at the moment. Begin again in a while.",
        _ => {
            "The answer of Microsoft Entra could not be taken. Begin again on the provider's page."
        }
    };
    door::outside(StatusCode::BAD_REQUEST, "Consent was not taken", text, None)
}
