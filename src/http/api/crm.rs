//! The connection to the CRM (A5).

use actix_web::post;
use actix_web::web::{Data, Json};

use super::providers::ReportBody;
use crate::http::call::Call;
use crate::http::problem::Outcome;
use crate::http::state::ApiState;

/// Verify the connectivity of Dynamics
///
/// Tests the connection to Dynamics 365 live, step by step (token, application user, its security role, change tracking), and
/// names the first step that fails and what to do about it.
#[utoipa::path(
    tag = "Accounts",
    responses((status = 200, description = "What was tested and found. A failed step is not an error.", body = ReportBody)),
)]
#[post("/crm/verify-connectivity")]
pub(in crate::http) async fn verify_crm_connectivity(
    state: Data<ApiState>,
    call: Call,
) -> Outcome<Json<ReportBody>> {
    Ok(Json(state.flows.verify_crm(&call.caller).await?.into()))
}
