//! Signing in with a one-time link, and out.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Form, Path};
use actix_web::{HttpRequest, HttpResponse, get, post};
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::door::{self, COOKIE};
use crate::flows::FlowError;
use crate::http::state::ApiState;

/// A form that carries only the CSRF secret.
#[derive(Deserialize)]
pub(super) struct Bare {
    csrf: String,
}

/// What the sign-in button sends.
#[derive(Deserialize)]
pub(super) struct SignIn {
    link: String,
}

/// Shows the button. Looking at the link uses nothing up.
#[get("/sign-in/{link}")]
pub(super) async fn ask(
    request: HttpRequest,
    state: Data<ApiState>,
    link: Path<String>,
) -> HttpResponse {
    if let Err(refusal) = door::check_host(&request, &state) {
        return *refusal;
    }
    let text = "The link in your hands signs this browser in. It works once.";
    door::outside(
        StatusCode::OK,
        "Sign in to Provider Bridge",
        text,
        Some(&link),
    )
}

#[post("/sign-in")]
pub(super) async fn enter(
    request: HttpRequest,
    state: Data<ApiState>,
    form: Form<SignIn>,
) -> HttpResponse {
    if let Err(refusal) = door::check_host(&request, &state) {
        return *refusal;
    }
    if !door::is_own_form(&request) {
        let text = "Open the sign-in link itself and use its button.";
        return door::outside(StatusCode::FORBIDDEN, "This form is not valid", text, None);
    }
    match state.sessions.open(&form.link).await {
        Err(error) => door::failed(&FlowError::Store(error)),
        Ok(None) => {
            let text = "The link was used already, is older than 15 minutes, or was mistyped. Make a new one: \
                        provider-bridge sign-in-link";
            door::outside(
                StatusCode::UNAUTHORIZED,
                "This link does not work any more",
                text,
                None,
            )
        }
        Ok(Some((_, secret))) => {
            let mut response = door::go_to("/");
            if let Err(error) = response.add_cookie(&door::cookie(secret.expose_secret())) {
                tracing::error!(%error, "the session's cookie could not be set");
                return HttpResponse::InternalServerError().finish();
            }
            response
        }
    }
}

#[post("/sign-out")]
pub(super) async fn leave(
    request: HttpRequest,
    state: Data<ApiState>,
    form: Form<Bare>,
) -> HttpResponse {
    if let Err(refusal) = door::poster(&request, &state, &form.csrf).await {
        return *refusal;
    }
    if let Some(cookie) = request.cookie(COOKIE)
        && let Err(error) = state.sessions.close(cookie.value()).await
    {
        return door::failed(&FlowError::Store(error));
    }
    let text = "To come back, make a new sign-in link.";
    let mut response = door::outside(StatusCode::OK, "You are signed out", text, None);
    let mut gone = door::cookie("");
    gone.make_removal();
    drop(response.add_cookie(&gone));
    response
}
