//! Triggers about the consent of providers (A2, H2).

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, post};

use super::triggers::{SubscribeBody, SubscribedBody, subscribe};
use crate::domain::event::EventType;
use crate::http::call::Call;
use crate::http::problem::Outcome;
use crate::http::reading::Body;
use crate::http::state::ApiState;

/// When a consent is lapsing
///
/// This operation triggers when the consent or the client secret of a provider lapses within 14 days, once until it is
/// renewed.
#[utoipa::path(
    tag = "Triggers",
    request_body = SubscribeBody,
    responses(
        (status = 201, description = "Subscribed.", body = SubscribedBody, headers(
            ("Location" = String, description = "URL to delete when the trigger is no longer wanted. It is a secret."),
        )),
        (status = 409, description = "The caller has too many subscriptions."),
        (status = 422, description = "The callback URL is not one that this service calls."),
    ),
    extensions(("x-ms-trigger" = json!("single"))),
)]
#[post("/triggers/consent-lapsing")]
pub(in crate::http) async fn when_consent_is_lapsing(
    state: Data<ApiState>,
    call: Call,
    request: HttpRequest,
    Body(body): Body<SubscribeBody>,
) -> Outcome<HttpResponse> {
    let event_type = EventType::ConsentLapsing;
    subscribe(&state, &call, &request, event_type, body).await
}

/// When a consent is lost
///
/// This operation triggers when the consent of a provider was refused, lapsed or was taken away, or its client secret
/// expired, once until it is given again.
#[utoipa::path(
    tag = "Triggers",
    request_body = SubscribeBody,
    responses(
        (status = 201, description = "Subscribed.", body = SubscribedBody, headers(
            ("Location" = String, description = "URL to delete when the trigger is no longer wanted. It is a secret."),
        )),
        (status = 409, description = "The caller has too many subscriptions."),
        (status = 422, description = "The callback URL is not one that this service calls."),
    ),
    extensions(("x-ms-trigger" = json!("single"))),
)]
#[post("/triggers/consent-lost")]
pub(in crate::http) async fn when_consent_is_lost(
    state: Data<ApiState>,
    call: Call,
    request: HttpRequest,
    Body(body): Body<SubscribeBody>,
) -> Outcome<HttpResponse> {
    let event_type = EventType::ConsentLost;
    subscribe(&state, &call, &request, event_type, body).await
}
