//! Deliveries: those that were given up ("dead letters"), one of them, and sending one again.

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, get, post};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::domain::ids::DeliveryId;
use crate::domain::trigger::{Delivery, DeliveryState};
use crate::http::call::{Call, PathId};
use crate::http::paging::{self, Listing};
use crate::http::problem::Outcome;
use crate::http::reading::Question;
use crate::http::state::ApiState;
use crate::http::words;

const MOST_PER_PAGE: u64 = 500;

/// One event on its way to one trigger subscription.
#[derive(Serialize, ToSchema)]
#[schema(as = Delivery)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeliveryBody {
    /// Id of the delivery.
    delivery_id: Uuid,
    /// The subscription it goes to.
    subscription_id: Uuid,
    /// The event; the same in every delivery of it, and the webhook-id header.
    event_id: Uuid,
    /// What the event is about.
    #[schema(example = "provider-account/0197a1b2-0000-7000-8000-000000000001")]
    subject: String,
    #[schema(schema_with = words::delivery_state)]
    state: &'static str,
    /// Attempts made.
    attempts: i32,
    /// Not before this instant.
    next_attempt_at: DateTime<Utc>,
    /// HTTP status of the last attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_status: Option<i32>,
    /// What went wrong in the last attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_error: Option<String>,
    /// When it arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    delivered_at: Option<DateTime<Utc>>,
}

/// One page of deliveries.
#[derive(Serialize, ToSchema)]
#[schema(as = DeliveryPage)]
pub(super) struct DeliveryPage {
    /// The deliveries of this page, oldest first.
    value: Vec<DeliveryBody>,
    /// The next page; absent on the last one.
    #[serde(rename = "@odata.nextLink", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_link: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct DeliveryQuery {
    /// Only deliveries in this state; so far only the dead ones are listed.
    #[param(schema_with = words::listed_delivery_state)]
    state: Option<String>,
    /// Rows of a page; 100 when left out, 500 at most.
    #[serde(rename = "$top")]
    #[param(nullable = false, minimum = 1)]
    top: Option<u32>,
    /// Where the listing goes on; part of the next link.
    #[serde(rename = "$skiptoken")]
    #[param(nullable = false)]
    skip_token: Option<String>,
}

impl From<Delivery> for DeliveryBody {
    fn from(delivery: Delivery) -> Self {
        Self {
            delivery_id: delivery.id.as_uuid(),
            subscription_id: delivery.subscription_id.as_uuid(),
            event_id: delivery.event_id.as_uuid(),
            subject: delivery.subject,
            state: delivery.state.name(),
            attempts: delivery.attempts,
            next_attempt_at: delivery.next_attempt_at,
            last_status: delivery.last_status,
            last_error: delivery.last_error,
            delivered_at: delivery.delivered_at,
        }
    }
}

/// List dead deliveries
///
/// Gives the deliveries to the caller's trigger subscriptions that were given up, the oldest first; an administrator sees
/// everybody's.
#[utoipa::path(
    tag = "Triggers",
    params(DeliveryQuery),
    responses((status = 200, description = "One page of deliveries.", body = DeliveryPage)),
    extensions(("x-ms-pageable" = json!({"nextLinkName": "@odata.nextLink"}))),
)]
#[get("/deliveries")]
pub(in crate::http) async fn list_deliveries(
    state: Data<ApiState>,
    call: Call,
    request: HttpRequest,
    Question(query): Question<DeliveryQuery>,
) -> Outcome<Json<DeliveryPage>> {
    let dead = DeliveryState::Dead.name();
    let wanted = query.state.as_deref().unwrap_or(dead);
    words::read("state", wanted, &[dead], |word| {
        (word == dead).then_some(())
    })?;
    let top = paging::top(query.top, MOST_PER_PAGE)?;
    let listing = Listing::new(&state, &call, "ListDeliveries", &dead);
    let after = listing.position::<DeliveryId>(query.skip_token.as_deref())?;
    let found = state
        .flows
        .list_dead_deliveries(&call.caller, after, top)
        .await?;
    let last = found
        .last()
        .filter(|_| found.len() as u64 == top)
        .map(|last| last.id);
    Ok(Json(DeliveryPage {
        next_link: last.map(|last| listing.next_link(&request, &last)),
        value: found.into_iter().map(Into::into).collect(),
    }))
}

/// Get a delivery
///
/// Gives one delivery to one of the caller's trigger subscriptions, to see how far it has come.
#[utoipa::path(
    tag = "Triggers",
    params(("deliveryId" = Uuid, Path, description = "Id of the delivery.")),
    responses(
        (status = 200, description = "The delivery.", body = DeliveryBody),
        (status = 404, description = "There is no such delivery, or it is somebody else's."),
    ),
)]
#[get("/deliveries/{deliveryId}")]
pub(in crate::http) async fn get_delivery(
    state: Data<ApiState>,
    call: Call,
    id: PathId<DeliveryId>,
) -> Outcome<Json<DeliveryBody>> {
    Ok(Json(
        state.flows.get_delivery(&call.caller, id.0).await?.into(),
    ))
}

/// Redeliver an event
///
/// Sends a delivery again that was given up, with all its tries. Any other one stays as it is, so asking twice sends once.
#[utoipa::path(
    tag = "Triggers",
    params(("deliveryId" = Uuid, Path, description = "Id of the delivery.")),
    responses(
        (status = 200, description = "The delivery as it is now.", body = DeliveryBody),
        (status = 404, description = "There is no such delivery, or it is somebody else's."),
        (status = 409, description = "Its subscription has ended; current shows it."),
    ),
)]
#[post("/deliveries/{deliveryId}/redelivery")]
pub(in crate::http) async fn redeliver(
    state: Data<ApiState>,
    call: Call,
    id: PathId<DeliveryId>,
) -> Outcome<Json<DeliveryBody>> {
    Ok(Json(
        state.flows.redeliver(&call.caller, id.0).await?.into(),
    ))
}
