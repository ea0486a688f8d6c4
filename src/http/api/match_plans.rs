//! Plans of auto-match: look before it maps, apply all or some of it, take it back (B4); and rejecting a suggestion (B7).

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse, get, post};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::jobs::{JobBody, accepted};
use super::mapping::EvidenceBody;
use crate::domain::ids::{AccountId, MatchPlanId, ProviderAccountId};
use crate::domain::match_plan::PlanItemState;
use crate::flows::match_plans::{Counted, Moving};
use crate::http::call::{Call, PathId};
use crate::http::paging::{self, Listing};
use crate::http::problem::Outcome;
use crate::http::reading::{Body, Question};
use crate::http::state::ApiState;
use crate::http::words;

const MOST_PLANS: u64 = 100;
const MOST_ITEMS: u64 = 500;

/// What auto-match would map, saved.
#[derive(Serialize, ToSchema)]
#[schema(as = MatchPlan)]
#[serde(rename_all = "camelCase")]
pub(super) struct MatchPlanBody {
    /// Id of the plan.
    match_plan_id: Uuid,
    /// When it was begun.
    created_at: DateTime<Utc>,
    /// Who asked for it.
    created_by: String,
    /// Whether it is complete; only then it can be applied.
    complete: bool,
    /// Mappings that would be made.
    planned: u64,
    /// Mappings that are being made or taken back.
    under_way: u64,
    /// Mappings that were made.
    applied: u64,
    /// Mappings that were not made, because something had changed since.
    changed: u64,
    /// Mappings that were taken back.
    undone: u64,
    /// Mappings that were not taken back, because somebody had changed them since.
    kept: u64,
    /// Who applied it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    applied_by: Option<String>,
    /// When it was applied last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    applied_at: Option<DateTime<Utc>>,
    /// Who undid it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    undone_by: Option<String>,
    /// When it was undone last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    undone_at: Option<DateTime<Utc>>,
}

impl From<Counted> for MatchPlanBody {
    fn from((plan, counts): Counted) -> Self {
        let of = |states: &[PlanItemState]| {
            let rows = counts.iter().filter(|(state, _)| states.contains(state));
            rows.map(|(_, rows)| rows).sum()
        };
        let (applied_by, applied_at) = plan.applied.unzip();
        let (undone_by, undone_at) = plan.undone.unzip();
        Self {
            match_plan_id: plan.id.as_uuid(),
            created_at: plan.created_at,
            created_by: plan.created_by,
            complete: plan.made_at.is_some(),
            planned: of(&[PlanItemState::Planned]),
            under_way: of(&[PlanItemState::Applying, PlanItemState::Undoing]),
            applied: of(&[PlanItemState::Applied]),
            changed: of(&[PlanItemState::Changed]),
            undone: of(&[PlanItemState::Undone]),
            kept: of(&[PlanItemState::Kept]),
            applied_by,
            applied_at,
            undone_by,
            undone_at,
        }
    }
}

/// Plans of auto-match.
#[derive(Serialize, ToSchema)]
#[schema(as = MatchPlanList)]
pub(super) struct MatchPlanListBody {
    /// The plans, newest first.
    value: Vec<MatchPlanBody>,
}

/// One mapping of a plan.
#[derive(Serialize, ToSchema)]
#[schema(as = MatchPlanItem)]
#[serde(rename_all = "camelCase")]
pub(super) struct MatchPlanItemBody {
    /// The provider account.
    provider_account_id: Uuid,
    /// Its name.
    name: String,
    /// The account it would be mapped to.
    account_id: Uuid,
    /// Name of that account.
    account_name: String,
    /// Between 0 and 1.
    #[schema(minimum = 0, maximum = 1, example = 0.998)]
    confidence: f64,
    /// Evidence for and against, the strongest first.
    evidence: Vec<EvidenceBody>,
    /// Subscriptions of the provider account at its provider, which move along with it.
    subscriptions: u64,
    #[schema(schema_with = words::plan_item_state)]
    state: &'static str,
    /// Why it was not made, or not taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    detail: Option<String>,
}

impl From<Moving> for MatchPlanItemBody {
    fn from((item, subscriptions): Moving) -> Self {
        Self {
            provider_account_id: item.provider_account_id.as_uuid(),
            name: item.name,
            account_id: item.account_id.as_uuid(),
            account_name: item.account_name,
            confidence: item.confidence,
            evidence: item.reasons.into_iter().map(Into::into).collect(),
            subscriptions,
            state: item.state.name(),
            detail: item.detail,
        }
    }
}

/// One page of the mappings of a plan.
#[derive(Serialize, ToSchema)]
#[schema(as = MatchPlanItemPage)]
pub(super) struct MatchPlanItemPage {
    /// The mappings.
    value: Vec<MatchPlanItemBody>,
    /// The rest, when there is more.
    #[serde(rename = "@odata.nextLink", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_link: Option<String>,
}

/// What to take of a plan.
#[derive(Deserialize, ToSchema)]
#[schema(as = MatchPlanSelection)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SelectionBody {
    /// Only the mappings of these provider accounts; all when left out.
    #[schema(nullable = false)]
    provider_account_ids: Option<Vec<Uuid>>,
}

impl SelectionBody {
    fn ids(self) -> Option<Vec<ProviderAccountId>> {
        let ids = self.provider_account_ids?;
        Some(ids.into_iter().map(ProviderAccountId::new).collect())
    }
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub(super) struct PlanQuery {
    /// So many at most; 100 when left out, 100 at most.
    #[serde(rename = "$top")]
    #[param(nullable = false, minimum = 1)]
    top: Option<u32>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub(super) struct ItemQuery {
    /// Only mappings in this state.
    #[param(schema_with = words::plan_item_state)]
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

/// Why a suggestion is rejected.
#[derive(Deserialize, ToSchema)]
#[schema(as = RejectionRequest)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RejectionBody {
    /// The account that it is not.
    account_id: Uuid,
    /// Why, for the audit trail.
    #[schema(nullable = false, max_length = 500)]
    reason: Option<String>,
}

/// List match plans
///
/// Gives the latest plans of auto-match, newest first.
#[utoipa::path(
    tag = "Matching",
    params(PlanQuery),
    responses((status = 200, description = "The plans.", body = MatchPlanListBody)),
)]
#[get("/match-plans")]
pub(in crate::http) async fn list_match_plans(
    state: Data<ApiState>,
    call: Call,
    Question(query): Question<PlanQuery>,
) -> Outcome<Json<MatchPlanListBody>> {
    let top = paging::top(query.top, MOST_PLANS)?;
    let plans = state.flows.list_match_plans(&call.caller, top).await?;
    Ok(Json(MatchPlanListBody {
        value: plans.into_iter().map(Into::into).collect(),
    }))
}

/// Get a match plan
///
/// Gives one plan of auto-match with what became of it.
#[utoipa::path(
    tag = "Matching",
    params(("matchPlanId" = Uuid, Path, description = "Id of the plan.")),
    responses(
        (status = 200, description = "The plan.", body = MatchPlanBody),
        (status = 404, description = "There is no such plan."),
    ),
)]
#[get("/match-plans/{matchPlanId}")]
pub(in crate::http) async fn get_match_plan(
    state: Data<ApiState>,
    call: Call,
    id: PathId<MatchPlanId>,
) -> Outcome<Json<MatchPlanBody>> {
    let plan = state.flows.get_match_plan(&call.caller, id.0).await?;
    Ok(Json(plan.into()))
}

/// List the mappings of a match plan
///
/// Gives what a plan would map and why, or what became of it, in pages.
#[utoipa::path(
    tag = "Matching",
    params(
        ("matchPlanId" = Uuid, Path, description = "Id of the plan."),
        ItemQuery,
    ),
    responses(
        (status = 200, description = "One page of mappings.", body = MatchPlanItemPage),
        (status = 404, description = "There is no such plan."),
    ),
    extensions(("x-ms-pageable" = json!({"nextLinkName": "@odata.nextLink"}))),
)]
#[get("/match-plans/{matchPlanId}/items")]
pub(in crate::http) async fn list_match_plan_items(
    state: Data<ApiState>,
    call: Call,
    request: HttpRequest,
    id: PathId<MatchPlanId>,
    Question(query): Question<ItemQuery>,
) -> Outcome<Json<MatchPlanItemPage>> {
    let known = PlanItemState::ALL.map(PlanItemState::name);
    let wanted = query.state.as_deref();
    let wanted = wanted
        .map(|word| words::read("state", word, &known, PlanItemState::from_name))
        .transpose()?;
    let top = paging::top(query.top, MOST_ITEMS)?;
    let bound = (id.0, &query.state);
    let listing = Listing::new(&state, &call, "ListMatchPlanItems", &bound);
    let after = listing.position::<Uuid>(query.skip_token.as_deref())?;
    let after = after.map(ProviderAccountId::new);
    let mut items = state
        .flows
        .list_match_plan_items(&call.caller, id.0, wanted, after, top + 1)
        .await?;
    let more = items.len() as u64 > top;
    items.truncate(usize::try_from(top).unwrap_or(usize::MAX));
    let last = items.last().map(|(last, _)| last).filter(|_| more);
    Ok(Json(MatchPlanItemPage {
        next_link: last
            .map(|last| listing.next_link(&request, &last.provider_account_id.as_uuid())),
        value: items.into_iter().map(Into::into).collect(),
    }))
}

/// Apply a match plan
///
/// Asks for a job that makes the mappings of a plan, all or a selection. Each is decided again: what has changed since is told
/// in the item and left alone, and a mapping that a person made is never touched.
#[utoipa::path(
    tag = "Matching",
    request_body = SelectionBody,
    params(("matchPlanId" = Uuid, Path, description = "Id of the plan.")),
    responses(
        (status = 202, description = "The job that was asked for, or the unfinished one.", body = JobBody, headers(
            ("Location" = String, description = "URL at which the job can be followed without a credential."),
            ("Retry-After" = i32, description = "Seconds to wait before looking."),
        )),
        (status = 404, description = "There is no such plan."),
        (status = 409, description = "The plan is not complete yet, or is being undone."),
    ),
)]
#[post("/match-plans/{matchPlanId}/apply")]
pub(in crate::http) async fn apply_match_plan(
    state: Data<ApiState>,
    call: Call,
    request: HttpRequest,
    id: PathId<MatchPlanId>,
    Body(body): Body<SelectionBody>,
) -> Outcome<HttpResponse> {
    let only = body.ids();
    let job = state
        .flows
        .request_apply(&call.caller, id.0, only.as_deref())
        .await?;
    Ok(accepted(&state, &request, &call, job))
}

/// Undo a match plan
///
/// Asks for a job that takes back what a plan made, all or a selection. A mapping that somebody changed since stays, and the item
/// says so.
#[utoipa::path(
    tag = "Matching",
    request_body = SelectionBody,
    params(("matchPlanId" = Uuid, Path, description = "Id of the plan.")),
    responses(
        (status = 202, description = "The job that was asked for, or the unfinished one.", body = JobBody, headers(
            ("Location" = String, description = "URL at which the job can be followed without a credential."),
            ("Retry-After" = i32, description = "Seconds to wait before looking."),
        )),
        (status = 404, description = "There is no such plan."),
        (status = 409, description = "The plan is not complete yet, or is being applied."),
    ),
)]
#[post("/match-plans/{matchPlanId}/undo")]
pub(in crate::http) async fn undo_match_plan(
    state: Data<ApiState>,
    call: Call,
    request: HttpRequest,
    id: PathId<MatchPlanId>,
    Body(body): Body<SelectionBody>,
) -> Outcome<HttpResponse> {
    let only = body.ids();
    let job = state
        .flows
        .request_undo(&call.caller, id.0, only.as_deref())
        .await?;
    Ok(accepted(&state, &request, &call, job))
}

/// Reject a suggestion
///
/// Says that a provider account is not the suggested account. It is not suggested again until the evidence for it is another.
/// Doing it again changes nothing.
#[utoipa::path(
    tag = "Provider Accounts",
    request_body = RejectionBody,
    params(("providerAccountId" = Uuid, Path, description = "Id of the provider account.")),
    responses(
        (status = 204, description = "It is rejected."),
        (status = 404, description = "There is no such provider account, or nothing like it is suggested."),
        (status = 422, description = "A value breaks a rule; the detail says which."),
    ),
)]
#[post("/provider-accounts/{providerAccountId}/suggestion-rejections")]
pub(in crate::http) async fn reject_suggestion(
    state: Data<ApiState>,
    call: Call,
    id: PathId<ProviderAccountId>,
    Body(body): Body<RejectionBody>,
) -> Outcome<HttpResponse> {
    let account = AccountId::new(body.account_id);
    let reason = body.reason.as_deref();
    state
        .flows
        .reject_suggestion(&call.caller, id.0, account, reason)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}
