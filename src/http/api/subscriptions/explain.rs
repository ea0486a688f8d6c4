//! "Why did nothing change?" for one subscription (D7).

use actix_web::get;
use actix_web::web::{Data, Json};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::ids::ProductSubscriptionId;
use crate::domain::subscription::FieldDifference;
use crate::flows::subscriptions::explain::Explanation;
use crate::http::call::{Call, PathId};
use crate::http::problem::Outcome;
use crate::http::state::ApiState;

/// One thing that has to be so for a change to arrive.
#[derive(Serialize, ToSchema)]
#[schema(as = SyncPrecondition)]
#[serde(rename_all = "camelCase")]
pub(super) struct PreconditionBody {
    /// What was checked.
    #[schema(example = "mapped")]
    name: &'static str,
    /// Whether it is so.
    holds: bool,
    /// What was found, and what to do where it is not so.
    detail: String,
}

/// One field in which the provider differs from what is kept.
#[derive(Serialize, ToSchema)]
#[schema(as = LiveDifference)]
#[serde(rename_all = "camelCase")]
pub(super) struct LiveDifferenceBody {
    /// The field.
    #[schema(example = "quantity")]
    field: String,
    /// What is kept here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    kept: Option<String>,
    /// What the provider has now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    live: Option<String>,
}

/// Why a subscription is as it is here.
#[derive(Serialize, ToSchema)]
#[schema(as = SubscriptionExplanation)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExplanationBody {
    /// Id of the subscription.
    subscription_id: Uuid,
    /// The answer in one sentence.
    summary: String,
    /// The quantity that is kept here.
    kept_quantity: String,
    /// The quantity the provider has now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    live_quantity: Option<String>,
    /// The provider's word for its state that is kept here.
    kept_status: String,
    /// The provider's word for its state now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    live_status: Option<String>,
    /// When the provider last gave the whole answer, and it was compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_compared_at: Option<DateTime<Utc>>,
    /// Every field in which the provider differs from what is kept.
    differences: Vec<LiveDifferenceBody>,
    /// What has to be so for a change to arrive, in the order in which it matters.
    preconditions: Vec<PreconditionBody>,
}

impl From<Explanation> for ExplanationBody {
    fn from(it: Explanation) -> Self {
        let difference = |it: FieldDifference| LiveDifferenceBody {
            field: it.field,
            kept: it.old,
            live: it.new,
        };
        let preconditions = it.preconditions.into_iter().map(|it| PreconditionBody {
            name: it.name,
            holds: it.holds,
            detail: it.detail,
        });
        let live = it.theirs.as_ref();
        Self {
            subscription_id: it.ours.id.as_uuid(),
            summary: it.summary,
            kept_quantity: it.ours.listed.quantity.to_string(),
            live_quantity: live.map(|live| live.quantity.to_string()),
            live_status: live.map(|live| live.status.clone()),
            kept_status: it.ours.listed.status,
            last_compared_at: it.last_compared_at,
            differences: it.differences.into_iter().map(difference).collect(),
            preconditions: preconditions.collect(),
        }
    }
}

/// Explain a subscription
///
/// Says why nothing changed: what the provider has now, what is kept here, when it was last compared, and what stands in the
/// way, in plain sentences.
#[utoipa::path(
    tag = "Subscriptions",
    params(("subscriptionId" = Uuid, Path, description = "Id of the subscription.")),
    responses(
        (status = 200, description = "The explanation.", body = ExplanationBody),
        (status = 404, description = "There is no such subscription."),
    ),
)]
#[get("/subscriptions/{subscriptionId}/explanation")]
pub(in crate::http) async fn explain_subscription(
    state: Data<ApiState>,
    call: Call,
    id: PathId<ProductSubscriptionId>,
) -> Outcome<Json<ExplanationBody>> {
    let flows = &state.flows;
    let explained = flows.explain_subscription(&call.caller, id.0).await?;
    Ok(Json(explained.into()))
}
