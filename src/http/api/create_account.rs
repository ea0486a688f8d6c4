//! Create the account of a provider account and map it, in one step (B8); and looking again at what is mapped (B9, B12).

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, post};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::jobs::{JobBody, accepted};
use super::mapping::MappingBody;
use crate::domain::ids::ProviderAccountId;
use crate::flows::create_account::CreateAccount;
use crate::http::call::{Call, PathId, etag};
use crate::http::problem::Outcome;
use crate::http::reading::Body;
use crate::http::state::ApiState;

/// The account to create.
#[derive(Deserialize, ToSchema)]
#[schema(as = CreateAccountRequest)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CreateAccountBody {
    /// Name of the account; that of the provider account when left out.
    #[schema(nullable = false, min_length = 1, max_length = 160)]
    name: Option<String>,
    /// Whether the candidates were looked at and it is none of them. Without it, candidates stop the creation.
    #[schema(nullable = false)]
    confirmed: Option<bool>,
    /// User of Dynamics 365 who is to own the account; the application user when left out.
    #[schema(nullable = false)]
    owner_user_id: Option<Uuid>,
    /// Business unit of Dynamics 365 that the account is to belong to.
    #[schema(nullable = false)]
    business_unit_id: Option<Uuid>,
    /// Why, for the audit trail.
    #[schema(nullable = false, max_length = 500)]
    reason: Option<String>,
}

/// Create an account and map it
///
/// Creates an account from a provider account in Dynamics 365 and maps it. Accounts that it may be stop it and are shown, unless
/// it is confirmed that it is none of them. Doing it again makes no second account.
#[utoipa::path(
    tag = "Provider Accounts",
    request_body = CreateAccountBody,
    params(("providerAccountId" = Uuid, Path, description = "Id of the provider account.")),
    responses(
        (status = 200, description = "The mapping as it is now.", body = MappingBody, headers(
            ("ETag" = String, description = "Version of the mapping, for If-Match."),
        )),
        (status = 404, description = "There is no such provider account."),
        (status = 409, description = "Dynamics 365 may have the customer already, and current shows the candidates; or the provider account is not unmapped, and current shows its mapping."),
        (status = 422, description = "A value breaks a rule; the detail says which."),
        (status = 502, description = "Dynamics 365 refused or could not be understood."),
    ),
)]
#[post("/provider-accounts/{providerAccountId}/account")]
pub(in crate::http) async fn create_account_and_map(
    state: Data<ApiState>,
    call: Call,
    id: PathId<ProviderAccountId>,
    Body(body): Body<CreateAccountBody>,
) -> Outcome<HttpResponse> {
    let request = CreateAccount {
        name: body.name,
        confirmed: body.confirmed.unwrap_or_default(),
        owner_user_id: body.owner_user_id,
        business_unit_id: body.business_unit_id,
        reason: body.reason,
    };
    let flows = &state.flows;
    let outcome = flows
        .create_account_and_map(&call.caller, id.0, &request)
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header(etag(outcome.account.mapping_version))
        .json(MappingBody::of(&outcome.account)))
}

/// Check mappings
///
/// Asks for a job that looks again at everything that is mapped: evidence that points elsewhere now, further accounts of the same
/// customer, one customer mapped differently through two providers. What it finds are exceptions; nothing is changed. It also
/// runs by itself every night. While such a job is unfinished, that job is the answer.
#[utoipa::path(
    tag = "Matching",
    responses(
        (status = 202, description = "The job that was asked for, or the unfinished one.", body = JobBody, headers(
            ("Location" = String, description = "URL at which the job can be followed without a credential."),
            ("Retry-After" = i32, description = "Seconds to wait before looking."),
        )),
    ),
)]
#[post("/mapping-checks")]
pub(in crate::http) async fn check_mappings(
    state: Data<ApiState>,
    call: Call,
    request: HttpRequest,
) -> Outcome<HttpResponse> {
    let job = state.flows.request_mapping_check(&call.caller).await?;
    Ok(accepted(&state, &request, &call, job))
}
