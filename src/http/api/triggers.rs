//! Triggers: Power Automate subscribes when a flow is saved and unsubscribes when it is turned off or deleted (H2, decision
//! 10). Unsubscribing needs the secret of the Location and nothing else, because the platform sends no credential along.

use actix_web::web::{Data, Json, Path};
use actix_web::{HttpRequest, HttpResponse, delete, get, http::header, post};
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::deliveries::DeliveryBody;
use crate::domain::event::EventType;
use crate::domain::ids::SubscriptionId;
use crate::domain::trigger::Subscription;
use crate::flows::triggers::Subscribe;
use crate::http::call::{Call, PathId, correlation_id};
use crate::http::paging::{self, Listing};
use crate::http::problem::Outcome;
use crate::http::reading::{Body, Question};
use crate::http::state::ApiState;
use crate::http::words;

/// The header in which Power Automate names the flow.
pub(in crate::http) const WORKFLOW_ID: &str = "x-ms-workflow-id";
const MOST_PER_PAGE: u64 = 500;
/// A token has 43 characters; nothing longer is worth hashing.
const LONGEST_TOKEN: usize = 64;

/// What it takes to subscribe to a trigger.
#[derive(Deserialize, ToSchema)]
#[schema(as = SubscribeRequest)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SubscribeBody {
    /// Where events are sent. It is a secret: it is sealed at once and never given back.
    #[schema(
        value_type = String,
        format = "uri",
        extensions(("x-ms-notification-url" = json!(true)), ("x-ms-visibility" = json!("internal"))),
    )]
    callback_url: SecretString,
    /// What people will call this subscription.
    #[schema(nullable = false, extensions(("x-ms-visibility" = json!("advanced"))))]
    label: Option<String>,
    /// The flow. Subscribing again for the same flow and trigger takes the place of the older subscription. Power Automate
    /// names it in a header by itself.
    #[schema(nullable = false, extensions(("x-ms-visibility" = json!("internal"))))]
    workflow_id: Option<String>,
}

/// A new trigger subscription, with the secret that is shown this once.
#[derive(Serialize, ToSchema)]
#[schema(as = SubscribeResponse)]
#[serde(rename_all = "camelCase")]
pub(super) struct SubscribedBody {
    /// Public id of the subscription.
    subscription_id: Uuid,
    /// The event it is for.
    #[schema(example = "provider-account.created")]
    event_type: &'static str,
    /// The secret deliveries are signed with (Standard Webhooks), for receivers that check. It is shown this once.
    signing_secret: String,
}

/// A trigger subscription, without its secrets.
#[derive(Serialize, ToSchema)]
#[schema(as = TriggerSubscription)]
#[serde(rename_all = "camelCase")]
pub(super) struct SubscriptionBody {
    /// Public id of the subscription.
    subscription_id: Uuid,
    /// The event it is for.
    #[schema(example = "provider-account.created")]
    event_type: &'static str,
    /// The caller that owns it.
    owner: String,
    /// The flow that subscribed, where it said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    workflow_id: Option<String>,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    label: Option<String>,
    /// Host of the callback URL; the rest of it is a secret.
    callback_host: String,
    #[schema(schema_with = words::subscription_state)]
    state: &'static str,
    /// Why it is suspended or retired.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    state_reason: Option<String>,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When an event last arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_delivered_at: Option<DateTime<Utc>>,
}

/// One page of trigger subscriptions.
#[derive(Serialize, ToSchema)]
#[schema(as = TriggerSubscriptionPage)]
pub(super) struct SubscriptionPage {
    /// The subscriptions of this page, oldest first.
    value: Vec<SubscriptionBody>,
    /// The next page; absent on the last one.
    #[serde(rename = "@odata.nextLink", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_link: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub(super) struct SubscriptionQuery {
    /// Also those that ended.
    #[serde(default)]
    #[param(required = false)]
    with_retired: bool,
    /// Rows of a page; 100 when left out, 500 at most.
    #[serde(rename = "$top")]
    #[param(nullable = false, minimum = 1)]
    top: Option<u32>,
    /// Where the listing goes on; part of the next link.
    #[serde(rename = "$skiptoken")]
    #[param(nullable = false)]
    skip_token: Option<String>,
}

impl From<Subscription> for SubscriptionBody {
    fn from(subscription: Subscription) -> Self {
        Self {
            subscription_id: subscription.id.as_uuid(),
            event_type: subscription.event_type.name(),
            owner: subscription.owner,
            workflow_id: subscription.workflow_id,
            label: subscription.label,
            callback_host: subscription.callback_host,
            state: subscription.state.name(),
            state_reason: subscription.state_reason,
            created_at: subscription.created_at,
            last_delivered_at: subscription.last_delivered_at,
        }
    }
}

pub(super) async fn subscribe(
    state: &ApiState,
    call: &Call,
    request: &HttpRequest,
    event_type: EventType,
    body: SubscribeBody,
) -> Outcome<HttpResponse> {
    let header = request
        .headers()
        .get(WORKFLOW_ID)
        .and_then(|value| value.to_str().ok());
    let workflow_id = body.workflow_id.or_else(|| header.map(str::to_owned));
    let request_body = Subscribe {
        event_type,
        callback_url: body.callback_url,
        workflow_id,
        label: body.label,
    };
    let made = state.flows.subscribe(&call.caller, request_body).await?;
    let token = made.unsubscribe_token.expose_secret();
    let location = state
        .links
        .absolute(request, &format!("/v1/trigger-subscriptions/{token}"));
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, location))
        .json(SubscribedBody {
            subscription_id: made.subscription.id.as_uuid(),
            event_type: event_type.name(),
            signing_secret: made.signing_secret.expose_secret().to_owned(),
        }))
}

/// When a provider account is created
///
/// This operation triggers when a provider lists a customer for the first time. The events of a first import say so.
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
#[post("/triggers/new-provider-account")]
pub(in crate::http) async fn when_provider_account_is_created(
    state: Data<ApiState>,
    call: Call,
    request: HttpRequest,
    Body(body): Body<SubscribeBody>,
) -> Outcome<HttpResponse> {
    subscribe(
        &state,
        &call,
        &request,
        EventType::ProviderAccountCreated,
        body,
    )
    .await
}

/// When a provider account is mapped
///
/// This operation triggers when a provider account is mapped to an account or to another one, by a person or by auto-match.
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
#[post("/triggers/provider-account-mapped")]
pub(in crate::http) async fn when_provider_account_is_mapped(
    state: Data<ApiState>,
    call: Call,
    request: HttpRequest,
    Body(body): Body<SubscribeBody>,
) -> Outcome<HttpResponse> {
    subscribe(
        &state,
        &call,
        &request,
        EventType::ProviderAccountMapped,
        body,
    )
    .await
}

/// Unsubscribe from a trigger
///
/// Ends the trigger subscription whose secret is in the URL. No credential is needed, and doing it again is fine.
#[utoipa::path(
    tag = "Triggers",
    params(("unsubscribeToken" = String, Path, description = "Secret of the Location that was given when subscribing.")),
    responses((status = 204, description = "There is no such subscription any more.")),
    extensions(("x-ms-visibility" = json!("internal"))),
)]
#[delete("/trigger-subscriptions/{unsubscribeToken}")]
pub(in crate::http) async fn unsubscribe(
    state: Data<ApiState>,
    request: HttpRequest,
    token: Path<String>,
) -> Outcome<HttpResponse> {
    if token.len() <= LONGEST_TOKEN {
        state
            .flows
            .unsubscribe(&token, correlation_id(request.headers()))
            .await?;
    }
    Ok(HttpResponse::NoContent().finish())
}

/// List trigger subscriptions
///
/// Gives the caller's trigger subscriptions, the oldest first; an administrator sees everybody's.
#[utoipa::path(
    tag = "Triggers",
    params(SubscriptionQuery),
    responses((status = 200, description = "One page of subscriptions.", body = SubscriptionPage)),
    extensions(("x-ms-pageable" = json!({"nextLinkName": "@odata.nextLink"}))),
)]
#[get("/trigger-subscriptions")]
pub(in crate::http) async fn list_trigger_subscriptions(
    state: Data<ApiState>,
    call: Call,
    request: HttpRequest,
    Question(query): Question<SubscriptionQuery>,
) -> Outcome<Json<SubscriptionPage>> {
    let top = paging::top(query.top, MOST_PER_PAGE)?;
    let listing = Listing::new(
        &state,
        &call,
        "ListTriggerSubscriptions",
        &query.with_retired,
    );
    let after = listing.position::<SubscriptionId>(query.skip_token.as_deref())?;
    let found = state
        .flows
        .list_triggers(&call.caller, query.with_retired, after, top)
        .await?;
    let last = found
        .last()
        .filter(|_| found.len() as u64 == top)
        .map(|last| last.id);
    Ok(Json(SubscriptionPage {
        next_link: last.map(|last| listing.next_link(&request, &last)),
        value: found.into_iter().map(Into::into).collect(),
    }))
}

/// Send a test event
///
/// Sends a sample event, marked as a test, to one trigger subscription and nobody else.
#[utoipa::path(
    tag = "Triggers",
    params(("subscriptionId" = Uuid, Path, description = "Public id of the subscription.")),
    responses(
        (status = 200, description = "The delivery of the sample, to be followed.", body = DeliveryBody),
        (status = 404, description = "There is no such subscription, or it is somebody else's."),
        (status = 409, description = "The subscription is suspended or has ended; current shows it and why."),
    ),
)]
#[post("/trigger-subscriptions/{subscriptionId}/test")]
pub(in crate::http) async fn send_test_event(
    state: Data<ApiState>,
    call: Call,
    id: PathId<SubscriptionId>,
) -> Outcome<Json<DeliveryBody>> {
    Ok(Json(
        state
            .flows
            .send_test_event(&call.caller, id.0)
            .await?
            .into(),
    ))
}
