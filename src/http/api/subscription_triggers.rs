//! Triggers about subscriptions, their syncs, and exceptions (H2).

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, post};

use super::triggers::{SubscribeBody, SubscribedBody, subscribe};
use crate::domain::event::EventType;
use crate::http::call::Call;
use crate::http::problem::Outcome;
use crate::http::reading::Body;
use crate::http::state::ApiState;

/// When a subscription changes
///
/// This operation triggers when a sync finds that a subscription came, that a field of it changed, or that it went. The first reading of a
/// customer triggers nothing; the end of the sync tells of it.
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
#[post("/triggers/subscription-changed")]
pub(in crate::http) async fn when_subscription_changes(
    state: Data<ApiState>,
    call: Call,
    request: HttpRequest,
    Body(body): Body<SubscribeBody>,
) -> Outcome<HttpResponse> {
    let event_type = EventType::SubscriptionChanged;
    subscribe(&state, &call, &request, event_type, body).await
}

/// When a subscription sync finishes
///
/// This operation triggers when a sync of subscriptions has read and taken over everything.
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
#[post("/triggers/subscription-sync-finished")]
pub(in crate::http) async fn when_subscription_sync_finishes(
    state: Data<ApiState>,
    call: Call,
    request: HttpRequest,
    Body(body): Body<SubscribeBody>,
) -> Outcome<HttpResponse> {
    let event_type = EventType::SubscriptionSyncFinished;
    subscribe(&state, &call, &request, event_type, body).await
}

/// When a subscription sync fails
///
/// This operation triggers when a sync of subscriptions broke off, or left out something that changed since its preview.
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
#[post("/triggers/subscription-sync-failed")]
pub(in crate::http) async fn when_subscription_sync_fails(
    state: Data<ApiState>,
    call: Call,
    request: HttpRequest,
    Body(body): Body<SubscribeBody>,
) -> Outcome<HttpResponse> {
    let event_type = EventType::SubscriptionSyncFailed;
    subscribe(&state, &call, &request, event_type, body).await
}

/// When an exception is raised
///
/// This operation triggers when something comes up that will break billing later, with its remedy. What the first import of a provider's
/// subscriptions raises does not trigger one by one: when that sync ends, it triggers once for each kind, with the number of exceptions as
/// count and initialImport set; list the exceptions for each of them.
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
#[post("/triggers/exception-raised")]
pub(in crate::http) async fn when_exception_is_raised(
    state: Data<ApiState>,
    call: Call,
    request: HttpRequest,
    Body(body): Body<SubscribeBody>,
) -> Outcome<HttpResponse> {
    let event_type = EventType::ExceptionRaised;
    subscribe(&state, &call, &request, event_type, body).await
}
