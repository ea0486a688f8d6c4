//! Syncs of subscriptions: preview, decide, run for a whole provider, and the reports (D2, D4).

mod body;
mod csv;

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse, get, http::header, post};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::jobs::{JobBody, accepted};
use crate::domain::caller::Caller;
use crate::domain::ids::{BillingContractId, PreviewId, ProviderId, SubscriptionRunId};
use crate::flows::subscriptions::proceed::Selection;
use crate::flows::subscriptions::reading::{MOST_PER_PAGE, RunFilter};
use crate::flows::{FlowError, Flows};
use crate::http::call::{Call, PathId};
use crate::http::paging::{self, Listing};
use crate::http::problem::Outcome;
use crate::http::reading::{Body, Question};
use crate::http::state::ApiState;

use body::{DecisionBody, LineBody, OutcomeBody, PreviewBody, RunBody};

/// Lines that are read at once for a CSV.
const CSV_LINES: u64 = 2000;

/// One page of syncs of subscriptions.
#[derive(Serialize, ToSchema)]
#[schema(as = SubscriptionSyncRunPage)]
pub(super) struct RunPage {
    /// The runs of this page, newest first.
    value: Vec<RunBody>,
    /// The next page; absent on the last one.
    #[serde(rename = "@odata.nextLink", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_link: Option<String>,
}

/// One page of a sync report.
#[derive(Serialize, ToSchema)]
#[schema(as = SyncReportPage)]
pub(super) struct LinePage {
    /// The lines of this page, in the order they were written.
    value: Vec<LineBody>,
    /// The next page; absent on the last one.
    #[serde(rename = "@odata.nextLink", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_link: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub(super) struct RunQuery {
    /// Only syncs of this provider.
    #[param(nullable = false)]
    provider: Option<Uuid>,
    /// Only syncs for this billing contract.
    #[param(nullable = false)]
    billing_contract_id: Option<Uuid>,
    /// Rows of a page; 100 when left out, 500 at most.
    #[serde(rename = "$top")]
    #[param(nullable = false, minimum = 1)]
    top: Option<u32>,
    /// Where the listing goes on; part of the next link.
    #[serde(rename = "$skiptoken")]
    #[param(nullable = false)]
    skip_token: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub(super) struct LineQuery {
    /// Rows of a page; 100 when left out, 500 at most.
    #[serde(rename = "$top")]
    #[param(nullable = false, minimum = 1)]
    top: Option<u32>,
    /// Where the listing goes on; part of the next link.
    #[serde(rename = "$skiptoken")]
    #[param(nullable = false)]
    skip_token: Option<String>,
}

/// Sync subscriptions
///
/// Asks for a job that reads the subscriptions of every customer of a provider and keeps what differs. It never changes
/// anything at the provider. While such a job is unfinished, that job is the answer.
#[utoipa::path(
    tag = "Subscriptions",
    params(("providerId" = Uuid, Path, description = "Id of the provider.")),
    responses(
        (status = 202, description = "The job that was asked for, or the unfinished one.", body = JobBody, headers(
            ("Location" = String, description = "URL at which the job can be followed without a credential."),
            ("Retry-After" = i32, description = "Seconds to wait before looking."),
        )),
        (status = 404, description = "There is no such provider."),
        (status = 422, description = "The provider is disabled."),
    ),
)]
#[post("/providers/{providerId}/subscription-sync")]
pub(in crate::http) async fn sync_subscriptions(
    state: Data<ApiState>,
    call: Call,
    request: HttpRequest,
    id: PathId<ProviderId>,
) -> Outcome<HttpResponse> {
    let flows = &state.flows;
    let job = flows.request_subscription_sync(&call.caller, id.0).await?;
    Ok(accepted(&state, &request, &call, job))
}

/// Preview a subscription sync
///
/// Reads the subscriptions of a billing contract's account at its providers and keeps what a sync would do, to be decided
/// on. Nothing is changed yet.
#[utoipa::path(
    tag = "Subscriptions",
    params(("billingContractId" = Uuid, Path, description = "Id of the billing contract.")),
    responses(
        (status = 201, description = "The preview.", body = PreviewBody, headers(
            ("Location" = String, description = "URL of the preview."),
        )),
        (status = 404, description = "There is no such billing contract."),
        (status = 409, description = "The billing contract is closed."),
        (status = 422, description = "No provider account is mapped to the account of the billing contract."),
        (status = 502, description = "The provider refused or could not be understood."),
    ),
)]
#[post("/billing-contracts/{billingContractId}/subscription-previews")]
pub(in crate::http) async fn preview_subscription_sync(
    state: Data<ApiState>,
    call: Call,
    request: HttpRequest,
    id: PathId<BillingContractId>,
) -> Outcome<HttpResponse> {
    let flows = &state.flows;
    let preview = flows.preview_subscriptions(&call.caller, id.0).await?;
    let location = state.links.absolute(
        &request,
        &format!("/v1/subscription-previews/{}", preview.id),
    );
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, location))
        .json(PreviewBody::from(preview)))
}

/// Get a subscription preview
///
/// Gives a preview as it was made.
#[utoipa::path(
    tag = "Subscriptions",
    params(("previewId" = Uuid, Path, description = "Id of the preview.")),
    responses(
        (status = 200, description = "The preview.", body = PreviewBody),
        (status = 404, description = "There is no such preview."),
    ),
)]
#[get("/subscription-previews/{previewId}")]
pub(in crate::http) async fn get_subscription_preview(
    state: Data<ApiState>,
    call: Call,
    id: PathId<PreviewId>,
) -> Outcome<Json<PreviewBody>> {
    let flows = &state.flows;
    let preview = flows.get_subscription_preview(&call.caller, id.0).await?;
    Ok(Json(preview.into()))
}

/// Proceed with a subscription preview
///
/// Takes over what is chosen of a preview: it is read again, and what still is as it was shown is kept and put into the
/// billing contract. What changed since is told instead. Doing it again gives the same sync run.
#[utoipa::path(
    tag = "Subscriptions",
    request_body = DecisionBody,
    params(("previewId" = Uuid, Path, description = "Id of the preview.")),
    responses(
        (status = 200, description = "What was done.", body = OutcomeBody),
        (status = 404, description = "There is no such preview."),
        (status = 409, description = "The billing contract is closed, or nothing is as the preview showed it; current says what changed, and its syncRunId leads to the report."),
        (status = 422, description = "Something was chosen that is not in the preview."),
        (status = 502, description = "The provider refused or could not be understood."),
    ),
)]
#[post("/subscription-previews/{previewId}/decision")]
pub(in crate::http) async fn proceed_with_subscription_preview(
    state: Data<ApiState>,
    call: Call,
    id: PathId<PreviewId>,
    Body(body): Body<DecisionBody>,
) -> Outcome<Json<OutcomeBody>> {
    let selection = body
        .external_ids
        .map_or(Selection::Everything, Selection::These);
    let flows = &state.flows;
    let done = flows
        .proceed_with_preview(&call.caller, id.0, &selection)
        .await?;
    Ok(Json(done.into()))
}

/// List subscription sync runs
///
/// Gives the syncs of subscriptions, newest first, in pages: by hand, automatic, and those in which held subscriptions
/// were attached.
#[utoipa::path(
    tag = "Subscriptions",
    params(RunQuery),
    responses((status = 200, description = "One page of sync runs.", body = RunPage)),
    extensions(("x-ms-pageable" = json!({"nextLinkName": "@odata.nextLink"}))),
)]
#[get("/subscription-sync-runs")]
pub(in crate::http) async fn list_subscription_sync_runs(
    state: Data<ApiState>,
    call: Call,
    request: HttpRequest,
    Question(query): Question<RunQuery>,
) -> Outcome<Json<RunPage>> {
    let filter = RunFilter {
        provider: query.provider.map(ProviderId::new),
        contract: query.billing_contract_id.map(BillingContractId::new),
    };
    let top = paging::top(query.top, MOST_PER_PAGE)?;
    let bound = (filter.provider, filter.contract);
    let listing = Listing::new(&state, &call, "ListSubscriptionSyncRuns", &bound);
    let after = listing.position::<(DateTime<Utc>, Uuid)>(query.skip_token.as_deref())?;
    let mut runs = state
        .flows
        .list_subscription_runs(&call.caller, filter, after, top + 1)
        .await?;
    let more = runs.len() as u64 > top;
    runs.truncate(usize::try_from(top).unwrap_or(usize::MAX));
    let last = runs.last().filter(|_| more);
    let next = last.map(|run| (run.started_at, run.id.as_uuid()));
    Ok(Json(RunPage {
        next_link: next.map(|position| listing.next_link(&request, &position)),
        value: runs.into_iter().map(Into::into).collect(),
    }))
}

/// Get a subscription sync run
///
/// Gives one sync of subscriptions with its counts.
#[utoipa::path(
    tag = "Subscriptions",
    params(("syncRunId" = Uuid, Path, description = "Id of the sync run.")),
    responses(
        (status = 200, description = "The sync run.", body = RunBody),
        (status = 404, description = "There is no such sync run."),
    ),
)]
#[get("/subscription-sync-runs/{syncRunId}")]
pub(in crate::http) async fn get_subscription_sync_run(
    state: Data<ApiState>,
    call: Call,
    id: PathId<SubscriptionRunId>,
) -> Outcome<Json<RunBody>> {
    let flows = &state.flows;
    let run = flows.get_subscription_run(&call.caller, id.0).await?;
    Ok(Json(run.into()))
}

/// Get a sync report
///
/// Gives the report of one sync of subscriptions in pages: every field that changed with its old and new value, every
/// subscription that came, went, was attached or held, every failure in the provider's own words.
#[utoipa::path(
    tag = "Subscriptions",
    params(("syncRunId" = Uuid, Path, description = "Id of the sync run."), LineQuery),
    responses(
        (status = 200, description = "One page of the report.", body = LinePage),
        (status = 404, description = "There is no such sync run."),
    ),
    extensions(("x-ms-pageable" = json!({"nextLinkName": "@odata.nextLink"}))),
)]
#[get("/subscription-sync-runs/{syncRunId}/report")]
pub(in crate::http) async fn get_sync_report(
    state: Data<ApiState>,
    call: Call,
    request: HttpRequest,
    id: PathId<SubscriptionRunId>,
    Question(query): Question<LineQuery>,
) -> Outcome<Json<LinePage>> {
    let top = paging::top(query.top, MOST_PER_PAGE)?;
    let listing = Listing::new(&state, &call, "GetSyncReport", &id.0);
    let after = listing.position::<Uuid>(query.skip_token.as_deref())?;
    let flows = &state.flows;
    let mut lines = flows
        .list_report_lines(&call.caller, id.0, after, top + 1)
        .await?;
    let more = lines.len() as u64 > top;
    lines.truncate(usize::try_from(top).unwrap_or(usize::MAX));
    let next = lines.last().filter(|_| more).map(|line| line.id);
    Ok(Json(LinePage {
        next_link: next.map(|position| listing.next_link(&request, &position)),
        value: lines.into_iter().map(Into::into).collect(),
    }))
}

/// Get a sync report as CSV
///
/// Gives the whole report of one sync of subscriptions as a file for spreadsheets.
#[utoipa::path(
    tag = "Subscriptions",
    params(("syncRunId" = Uuid, Path, description = "Id of the sync run.")),
    responses(
        (status = 200, description = "The report.", content_type = "text/csv", body = String),
        (status = 404, description = "There is no such sync run."),
    ),
    extensions(("x-connector-exclude" = json!(true))),
)]
#[get("/subscription-sync-runs/{syncRunId}/report.csv")]
pub(in crate::http) async fn get_sync_report_as_csv(
    state: Data<ApiState>,
    call: Call,
    id: PathId<SubscriptionRunId>,
) -> Outcome<HttpResponse> {
    Ok(csv_of(&state.flows, &call.caller, id.0).await?)
}

/// The whole report of a run as a file.
pub(in crate::http) async fn csv_of(
    flows: &Flows,
    caller: &Caller,
    id: SubscriptionRunId,
) -> Result<HttpResponse, FlowError> {
    let run = flows.get_subscription_run(caller, id).await?;
    let mut text = csv::head();
    let mut after = None;
    loop {
        let lines = flows
            .list_report_lines(caller, id, after, CSV_LINES)
            .await?;
        text.push_str(&csv::rows(&run, &lines));
        after = lines.last().map(|line| line.id);
        if (lines.len() as u64) < CSV_LINES {
            break;
        }
    }
    let name = format!("attachment; filename=\"subscription-sync-{}.csv\"", run.id);
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((header::CONTENT_DISPOSITION, name))
        .body(text))
}
