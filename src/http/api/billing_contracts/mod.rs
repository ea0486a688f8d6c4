//! Billing Contracts: create, read, list, change, close (D1).

mod body;

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse, get, http::header, patch, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::domain::billing_contract::BillingContract;
use crate::domain::ids::{AccountId, BillingContractId};
use crate::flows::billing_contracts::{After, Filter, MOST_PER_PAGE};
use crate::http::call::{Call, IfMatch, PathId, etag};
use crate::http::paging::{self, Listing};
use crate::http::problem::Outcome;
use crate::http::reading::{Body, Question};
use crate::http::state::ApiState;

pub(super) use body::currency;
use body::{CloseBody, ContractBody, ContractChangeBody, NewContractBody};

/// One page of billing contracts.
#[derive(Serialize, ToSchema)]
#[schema(as = BillingContractPage)]
pub(super) struct ContractPage {
    /// The contracts of this page, by name.
    value: Vec<ContractBody>,
    /// The next page; absent on the last one.
    #[serde(rename = "@odata.nextLink", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_link: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub(super) struct ContractQuery {
    /// Only contracts of this account.
    #[param(nullable = false)]
    account_id: Option<Uuid>,
    /// Only open contracts (true), or only closed ones (false).
    #[param(nullable = false)]
    open: Option<bool>,
    /// Only contracts in this currency (ISO 4217).
    #[param(nullable = false, example = "EUR")]
    currency: Option<String>,
    /// Rows of a page; 100 when left out, 500 at most.
    #[serde(rename = "$top")]
    #[param(nullable = false, minimum = 1)]
    top: Option<u32>,
    /// Where the listing goes on; part of the next link.
    #[serde(rename = "$skiptoken")]
    #[param(nullable = false)]
    skip_token: Option<String>,
}

fn answer(contract: BillingContract) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(etag(contract.version))
        .json(ContractBody::from(contract))
}

async fn expected(
    state: &ApiState,
    call: &Call,
    id: BillingContractId,
    if_match: &IfMatch,
) -> Outcome<Option<i64>> {
    let present = async {
        let now = state.flows.get_billing_contract(&call.caller, id).await?;
        Ok(now.version)
    };
    if_match.expected(present).await
}

/// List billing contracts
///
/// Gives the billing contracts that fit every given condition, by name, in pages.
#[utoipa::path(
    tag = "Billing Contracts",
    params(ContractQuery),
    responses((status = 200, description = "One page of billing contracts.", body = ContractPage)),
    extensions(("x-ms-pageable" = json!({"nextLinkName": "@odata.nextLink"}))),
)]
#[get("/billing-contracts")]
pub(in crate::http) async fn list_billing_contracts(
    state: Data<ApiState>,
    call: Call,
    request: HttpRequest,
    Question(query): Question<ContractQuery>,
) -> Outcome<Json<ContractPage>> {
    let filter = Filter {
        account: query.account_id.map(AccountId::new),
        open: query.open,
        currency: query.currency.as_deref().map(currency).transpose()?,
    };
    let top = paging::top(query.top, MOST_PER_PAGE)?;
    let code = filter.currency.map(|currency| currency.to_string());
    let bound = (filter.account, filter.open, code);
    let listing = Listing::new(&state, &call, "ListBillingContracts", &bound);
    let after = listing.position::<After>(query.skip_token.as_deref())?;
    let (contracts, after) = state
        .flows
        .list_billing_contracts(&call.caller, &filter, after.as_ref(), top)
        .await?;
    Ok(Json(ContractPage {
        value: contracts.into_iter().map(Into::into).collect(),
        next_link: after.map(|after| listing.next_link(&request, &after)),
    }))
}

/// Create a billing contract
///
/// Makes the container of an account's subscriptions for billing. An account has one default contract in a currency at
/// most; new subscriptions land there.
#[utoipa::path(
    tag = "Billing Contracts",
    request_body = NewContractBody,
    responses(
        (status = 201, description = "The billing contract is made.", body = ContractBody, headers(
            ("Location" = String, description = "URL of the billing contract."),
            ("ETag" = String, description = "Version of the billing contract, for If-Match."),
        )),
        (status = 409, description = "The account has a contract of this name, or a default in this currency; current shows it."),
        (status = 422, description = "The account does not exist or is not active, or a value breaks a rule."),
        (status = 502, description = "Dynamics 365 refused or could not be understood."),
    ),
)]
#[post("/billing-contracts")]
pub(in crate::http) async fn create_billing_contract(
    state: Data<ApiState>,
    call: Call,
    request: HttpRequest,
    Body(body): Body<NewContractBody>,
) -> Outcome<HttpResponse> {
    let flows = &state.flows;
    let contract = flows
        .create_billing_contract(&call.caller, body.read()?)
        .await?;
    let location = state
        .links
        .absolute(&request, &format!("/v1/billing-contracts/{}", contract.id));
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, location))
        .insert_header(etag(contract.version))
        .json(ContractBody::from(contract)))
}

/// Get a billing contract
///
/// Gives one billing contract.
#[utoipa::path(
    tag = "Billing Contracts",
    params(("billingContractId" = Uuid, Path, description = "Id of the billing contract.")),
    responses(
        (status = 200, description = "The billing contract.", body = ContractBody, headers(
            ("ETag" = String, description = "Version of the billing contract, for If-Match."),
        )),
        (status = 404, description = "There is no such billing contract."),
    ),
)]
#[get("/billing-contracts/{billingContractId}")]
pub(in crate::http) async fn get_billing_contract(
    state: Data<ApiState>,
    call: Call,
    id: PathId<BillingContractId>,
) -> Outcome<HttpResponse> {
    let flows = &state.flows;
    Ok(answer(
        flows.get_billing_contract(&call.caller, id.0).await?,
    ))
}

/// Change a billing contract
///
/// Changes the values that are given and leaves the rest as it is.
#[utoipa::path(
    tag = "Billing Contracts",
    request_body = ContractChangeBody,
    params(
        ("billingContractId" = Uuid, Path, description = "Id of the billing contract."),
        ("If-Match" = Option<String>, Header, description = "ETag of the billing contract as last read; a newer one is not overwritten."),
    ),
    responses(
        (status = 200, description = "The billing contract as it is now.", body = ContractBody, headers(
            ("ETag" = String, description = "Version of the billing contract, for If-Match."),
        )),
        (status = 404, description = "There is no such billing contract."),
        (status = 409, description = "It is closed, or another contract stands against it; current shows which."),
        (status = 412, description = "The billing contract changed since it was read."),
        (status = 422, description = "A value breaks a rule; the detail says which."),
    ),
)]
#[patch("/billing-contracts/{billingContractId}")]
pub(in crate::http) async fn change_billing_contract(
    state: Data<ApiState>,
    call: Call,
    id: PathId<BillingContractId>,
    if_match: IfMatch,
    Body(body): Body<ContractChangeBody>,
) -> Outcome<HttpResponse> {
    let change = body.read(expected(&state, &call, id.0, &if_match).await?)?;
    let flows = &state.flows;
    Ok(answer(
        flows
            .change_billing_contract(&call.caller, id.0, change)
            .await?,
    ))
}

/// Close a billing contract
///
/// Closes a billing contract for good; nothing of it changes any more. Doing it again changes nothing.
#[utoipa::path(
    tag = "Billing Contracts",
    request_body = CloseBody,
    params(
        ("billingContractId" = Uuid, Path, description = "Id of the billing contract."),
        ("If-Match" = Option<String>, Header, description = "ETag of the billing contract as last read; a newer one is not overwritten."),
    ),
    responses(
        (status = 200, description = "The billing contract as it is now.", body = ContractBody, headers(
            ("ETag" = String, description = "Version of the billing contract, for If-Match."),
        )),
        (status = 404, description = "There is no such billing contract."),
        (status = 412, description = "The billing contract changed since it was read."),
        (status = 422, description = "There is no reason, or it breaks a rule."),
    ),
)]
#[post("/billing-contracts/{billingContractId}/closing")]
pub(in crate::http) async fn close_billing_contract(
    state: Data<ApiState>,
    call: Call,
    id: PathId<BillingContractId>,
    if_match: IfMatch,
    Body(body): Body<CloseBody>,
) -> Outcome<HttpResponse> {
    let expected = expected(&state, &call, id.0, &if_match).await?;
    let flows = &state.flows;
    Ok(answer(
        flows
            .close_billing_contract(&call.caller, id.0, &body.reason, expected)
            .await?,
    ))
}
