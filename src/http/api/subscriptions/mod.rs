//! Subscriptions: list, get, change what a sync never touches, read the change log (D, E1).

mod body;
pub mod explain;

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse, get, patch};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::domain::ids::{
    AccountId, BillingContractId, ProductSubscriptionId, ProviderAccountId, ProviderId,
};
use crate::domain::subscription::{HeldFor, Subscription};
use crate::flows::subscriptions::reading::{After, Filter, MOST_PER_PAGE};
use crate::http::call::{Call, IfMatch, PathId, etag};
use crate::http::paging::{self, Listing};
use crate::http::problem::Outcome;
use crate::http::reading::{Body, Question};
use crate::http::state::ApiState;
use crate::http::words;

pub(super) use body::number;

use body::{EditBody, LicenseChangeBody, SubscriptionBody};

/// One page of subscriptions.
#[derive(Serialize, ToSchema)]
#[schema(as = SubscriptionPage)]
pub(super) struct SubscriptionPage {
    /// The subscriptions of this page, by name.
    value: Vec<SubscriptionBody>,
    /// The next page; absent on the last one.
    #[serde(rename = "@odata.nextLink", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_link: Option<String>,
}

/// The change log of a subscription.
#[derive(Serialize, ToSchema)]
#[schema(as = LicenseChangeList)]
pub(super) struct LicenseChangeList {
    /// The entries, the oldest first.
    value: Vec<LicenseChangeBody>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub(super) struct SubscriptionQuery {
    /// Only subscriptions at this provider.
    #[param(nullable = false)]
    provider: Option<Uuid>,
    /// Only subscriptions of this provider account.
    #[param(nullable = false)]
    provider_account_id: Option<Uuid>,
    /// Only subscriptions of this account.
    #[param(nullable = false)]
    account_id: Option<Uuid>,
    /// Only subscriptions in this billing contract.
    #[param(nullable = false)]
    billing_contract_id: Option<Uuid>,
    /// Only subscriptions without a billing contract, for this reason.
    #[param(schema_with = words::held_for)]
    held_for: Option<String>,
    /// Only those the provider lists no more (true), or still lists (false).
    #[param(nullable = false)]
    gone: Option<bool>,
    /// Rows of a page; 100 when left out, 500 at most.
    #[serde(rename = "$top")]
    #[param(nullable = false, minimum = 1)]
    top: Option<u32>,
    /// Where the listing goes on; part of the next link.
    #[serde(rename = "$skiptoken")]
    #[param(nullable = false)]
    skip_token: Option<String>,
}

fn filter(query: &SubscriptionQuery) -> Outcome<Filter> {
    let known = HeldFor::ALL.map(HeldFor::name);
    let held_for = query.held_for.as_deref();
    Ok(Filter {
        provider: query.provider.map(ProviderId::new),
        provider_account: query.provider_account_id.map(ProviderAccountId::new),
        account: query.account_id.map(AccountId::new),
        contract: query.billing_contract_id.map(BillingContractId::new),
        held_for: held_for
            .map(|word| words::read("heldFor", word, &known, HeldFor::from_name))
            .transpose()?,
        gone: query.gone,
    })
}

fn answer(subscription: Subscription) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(etag(subscription.version))
        .json(SubscriptionBody::from(subscription))
}

/// List subscriptions
///
/// Gives the subscriptions that fit every given condition, by name, in pages.
#[utoipa::path(
    tag = "Subscriptions",
    params(SubscriptionQuery),
    responses((status = 200, description = "One page of subscriptions.", body = SubscriptionPage)),
    extensions(("x-ms-pageable" = json!({"nextLinkName": "@odata.nextLink"}))),
)]
#[get("/subscriptions")]
pub(in crate::http) async fn list_subscriptions(
    state: Data<ApiState>,
    call: Call,
    request: HttpRequest,
    Question(query): Question<SubscriptionQuery>,
) -> Outcome<Json<SubscriptionPage>> {
    let filter = filter(&query)?;
    let top = paging::top(query.top, MOST_PER_PAGE)?;
    let bound = (
        filter.provider,
        filter.provider_account,
        filter.account,
        filter.contract,
        filter.held_for,
        filter.gone,
    );
    let listing = Listing::new(&state, &call, "ListSubscriptions", &bound);
    let after = listing.position::<After>(query.skip_token.as_deref())?;
    let (found, after) = state
        .flows
        .list_subscriptions(&call.caller, &filter, after.as_ref(), top)
        .await?;
    Ok(Json(SubscriptionPage {
        value: found.into_iter().map(Into::into).collect(),
        next_link: after.map(|after| listing.next_link(&request, &after)),
    }))
}

/// Get a subscription
///
/// Gives one subscription with everything the provider says of it.
#[utoipa::path(
    tag = "Subscriptions",
    params(("subscriptionId" = Uuid, Path, description = "Id of the subscription.")),
    responses(
        (status = 200, description = "The subscription.", body = SubscriptionBody, headers(
            ("ETag" = String, description = "Version of the subscription, for If-Match."),
        )),
        (status = 404, description = "There is no such subscription."),
    ),
)]
#[get("/subscriptions/{subscriptionId}")]
pub(in crate::http) async fn get_subscription(
    state: Data<ApiState>,
    call: Call,
    id: PathId<ProductSubscriptionId>,
) -> Outcome<HttpResponse> {
    Ok(answer(
        state.flows.get_subscription(&call.caller, id.0).await?,
    ))
}

/// Change a subscription
///
/// Sets the selling price of a subscription, or puts it into another billing contract of its account; what is not invoiced
/// goes along. What the provider says of it is never changed this way.
#[utoipa::path(
    tag = "Subscriptions",
    request_body = EditBody,
    params(
        ("subscriptionId" = Uuid, Path, description = "Id of the subscription."),
        ("If-Match" = Option<String>, Header, description = "ETag of the subscription as last read; a newer one is not overwritten."),
    ),
    responses(
        (status = 200, description = "The subscription as it is now.", body = SubscriptionBody, headers(
            ("ETag" = String, description = "Version of the subscription, for If-Match."),
        )),
        (status = 404, description = "There is no such subscription."),
        (status = 412, description = "The subscription changed since it was read."),
        (status = 422, description = "The contract does not fit, or a value breaks a rule; the detail says which."),
    ),
)]
#[patch("/subscriptions/{subscriptionId}")]
pub(in crate::http) async fn change_subscription(
    state: Data<ApiState>,
    call: Call,
    id: PathId<ProductSubscriptionId>,
    if_match: IfMatch,
    Body(body): Body<EditBody>,
) -> Outcome<HttpResponse> {
    let present = async {
        let now = state.flows.get_subscription(&call.caller, id.0).await?;
        Ok(now.version)
    };
    let edit = body.read(if_match.expected(present).await?)?;
    let flows = &state.flows;
    Ok(answer(
        flows.change_subscription(&call.caller, id.0, edit).await?,
    ))
}

/// List license changes
///
/// Gives the change log of a subscription: every dated change of its quantity, its cost and whether it is active. The
/// quantities add up to the subscription's.
#[utoipa::path(
    tag = "Subscriptions",
    params(("subscriptionId" = Uuid, Path, description = "Id of the subscription.")),
    responses(
        (status = 200, description = "The change log.", body = LicenseChangeList),
        (status = 404, description = "There is no such subscription."),
    ),
)]
#[get("/subscriptions/{subscriptionId}/license-changes")]
pub(in crate::http) async fn list_license_changes(
    state: Data<ApiState>,
    call: Call,
    id: PathId<ProductSubscriptionId>,
) -> Outcome<Json<LicenseChangeList>> {
    let flows = &state.flows;
    let entries = flows.list_license_changes(&call.caller, id.0).await?;
    Ok(Json(LicenseChangeList {
        value: entries.into_iter().map(Into::into).collect(),
    }))
}
