//! Exceptions: what will break billing later, how to mend it, and who takes care (D6).

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, get, post};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::domain::exception::{ExceptionKind, KeptException};
use crate::domain::ids::ExceptionId;
use crate::flows::exceptions::{After, Filter, KindCount, MOST_PER_PAGE};
use crate::http::call::{Call, PathId};
use crate::http::paging::{self, Listing};
use crate::http::problem::Outcome;
use crate::http::reading::{Body, Question};
use crate::http::state::ApiState;
use crate::http::words;

/// Something that will break billing later.
#[derive(Serialize, ToSchema)]
#[schema(as = Exception)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExceptionBody {
    /// Id of the exception.
    exception_id: Uuid,
    #[schema(schema_with = words::exception_kind)]
    kind: &'static str,
    /// What it is about, as kind and id.
    #[schema(example = "subscription/0197a1b2-0000-7000-8000-000000000001")]
    subject: String,
    /// What is wrong.
    detail: String,
    /// What to do about it.
    remedy: String,
    /// Where to do it.
    link: String,
    /// Since when.
    raised_at: DateTime<Utc>,
    /// Since when somebody takes care of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    acknowledged_at: Option<DateTime<Utc>>,
    /// Who takes care of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    acknowledged_by: Option<String>,
    /// Until when it is off the list.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    snoozed_until: Option<DateTime<Utc>>,
    /// Why it was acknowledged or snoozed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    note: Option<String>,
}

/// One page of exceptions.
#[derive(Serialize, ToSchema)]
#[schema(as = ExceptionPage)]
pub(super) struct ExceptionPage {
    /// The exceptions of this page, the oldest first.
    value: Vec<ExceptionBody>,
    /// The next page; absent on the last one.
    #[serde(rename = "@odata.nextLink", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_link: Option<String>,
}

/// How many of one kind are open.
#[derive(Serialize, ToSchema)]
#[schema(as = ExceptionCount)]
#[serde(rename_all = "camelCase")]
pub(super) struct CountBody {
    #[schema(schema_with = words::exception_kind)]
    kind: &'static str,
    /// What to do about this kind.
    remedy: &'static str,
    /// All that are open, snoozed ones too.
    open: i64,
    /// Those raised within the last day.
    within_day: i64,
    /// Those raised within the last 7 days.
    within_week: i64,
    /// Those raised within the last 30 days.
    within_month: i64,
}

/// How many exceptions are open, by kind and age.
#[derive(Serialize, ToSchema)]
#[schema(as = ExceptionCountList)]
pub(super) struct CountList {
    /// The kinds of which any are open.
    value: Vec<CountBody>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExceptionQuery {
    /// Only exceptions of this kind.
    #[param(schema_with = words::exception_kind)]
    kind: Option<String>,
    /// Only exceptions about this subject, such as subscription/ and an id.
    #[param(nullable = false, max_length = 200)]
    subject: Option<String>,
    /// Only those that somebody (true) or nobody (false) takes care of.
    #[param(nullable = false)]
    acknowledged: Option<bool>,
    /// Also those that are snoozed.
    #[serde(default)]
    #[param(required = false)]
    with_snoozed: bool,
    /// Rows of a page; 100 when left out, 500 at most.
    #[serde(rename = "$top")]
    #[param(nullable = false, minimum = 1)]
    top: Option<u32>,
    /// Where the listing goes on; part of the next link.
    #[serde(rename = "$skiptoken")]
    #[param(nullable = false)]
    skip_token: Option<String>,
}

/// Why somebody takes care of it.
#[derive(Deserialize, ToSchema)]
#[schema(as = AcknowledgeRequest)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AcknowledgeBody {
    /// What is being done, so that the next person knows.
    #[schema(max_length = 500)]
    reason: String,
}

/// Until when it is off the list, and why.
#[derive(Deserialize, ToSchema)]
#[schema(as = SnoozeRequest)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SnoozeBody {
    /// Until when; at most 90 days.
    until: DateTime<Utc>,
    /// Why, so that the next person knows.
    #[schema(max_length = 500)]
    reason: String,
}

/// Where an exception is mended.
fn path_of(subject: &str) -> String {
    match subject.split_once('/') {
        Some(("subscription", id)) => format!("/v1/subscriptions/{id}"),
        Some(("account", id)) => format!("/v1/billing-contracts?accountId={id}"),
        Some(("billing-contract", id)) => format!("/v1/billing-contracts/{id}"),
        Some(("provider-account", id)) => format!("/provider-accounts/{id}"),
        Some(("provider", id)) => format!("/providers/{id}"),
        Some(("trigger-subscription", _)) => "/v1/trigger-subscriptions".to_owned(),
        _ => "/".to_owned(),
    }
}

fn body(state: &ApiState, request: &HttpRequest, it: KeptException) -> ExceptionBody {
    ExceptionBody {
        link: state.links.absolute(request, &path_of(&it.subject)),
        exception_id: it.id.as_uuid(),
        kind: it.kind.name(),
        subject: it.subject,
        detail: it.detail,
        remedy: it.remedy,
        raised_at: it.opened_at,
        acknowledged_at: it.acknowledged_at,
        acknowledged_by: it.acknowledged_by,
        snoozed_until: it.snoozed_until,
        note: it.note,
    }
}

fn filter(query: &ExceptionQuery) -> Outcome<Filter> {
    let known: Vec<_> = ExceptionKind::ALL.iter().map(|kind| kind.name()).collect();
    let kind = query.kind.as_deref();
    Ok(Filter {
        kind: kind
            .map(|word| words::read("kind", word, &known, ExceptionKind::from_name))
            .transpose()?,
        subject: query.subject.clone(),
        acknowledged: query.acknowledged,
        with_snoozed: query.with_snoozed,
    })
}

/// List exceptions
///
/// Gives what will break billing later, the oldest first, in pages, each with its remedy and where to apply it. An exception
/// closes by itself when its fact is mended.
#[utoipa::path(
    tag = "Exceptions",
    params(ExceptionQuery),
    responses((status = 200, description = "One page of exceptions.", body = ExceptionPage)),
    extensions(("x-ms-pageable" = json!({"nextLinkName": "@odata.nextLink"}))),
)]
#[get("/exceptions")]
pub(in crate::http) async fn list_exceptions(
    state: Data<ApiState>,
    call: Call,
    request: HttpRequest,
    Question(query): Question<ExceptionQuery>,
) -> Outcome<Json<ExceptionPage>> {
    let filter = filter(&query)?;
    let top = paging::top(query.top, MOST_PER_PAGE)?;
    let bound = (
        filter.kind,
        &filter.subject,
        filter.acknowledged,
        filter.with_snoozed,
    );
    let listing = Listing::new(&state, &call, "ListExceptions", &bound);
    let after = listing.position::<After>(query.skip_token.as_deref())?;
    let flows = &state.flows;
    let mut found = flows
        .list_exceptions(&call.caller, &filter, after, top + 1)
        .await?;
    let more = found.len() as u64 > top;
    found.truncate(usize::try_from(top).unwrap_or(usize::MAX));
    let last = found.last().filter(|_| more);
    let next = last.map(|it| (it.opened_at, it.id.as_uuid()));
    Ok(Json(ExceptionPage {
        next_link: next.map(|position| listing.next_link(&request, &position)),
        value: found
            .into_iter()
            .map(|it| body(&state, &request, it))
            .collect(),
    }))
}

/// Count exceptions
///
/// Gives how many exceptions of each kind are open, by age.
#[utoipa::path(
    tag = "Exceptions",
    responses((status = 200, description = "The counts.", body = CountList)),
)]
#[get("/exception-counts")]
pub(in crate::http) async fn count_exceptions(
    state: Data<ApiState>,
    call: Call,
) -> Outcome<Json<CountList>> {
    let counts = state.flows.count_exceptions(&call.caller).await?;
    let body = |it: KindCount| CountBody {
        kind: it.kind.name(),
        remedy: it.kind.remedy(),
        open: it.open,
        within_day: it.within_day,
        within_week: it.within_week,
        within_month: it.within_month,
    };
    Ok(Json(CountList {
        value: counts.into_iter().map(body).collect(),
    }))
}

/// Acknowledge an exception
///
/// Notes that the caller knows of an exception and takes care of it. It stays open until its fact is mended.
#[utoipa::path(
    tag = "Exceptions",
    request_body = AcknowledgeBody,
    params(("exceptionId" = Uuid, Path, description = "Id of the exception.")),
    responses(
        (status = 200, description = "The exception as it is now.", body = ExceptionBody),
        (status = 404, description = "There is no such exception."),
        (status = 409, description = "It is closed already."),
        (status = 422, description = "There is no reason, or it breaks a rule."),
    ),
)]
#[post("/exceptions/{exceptionId}/acknowledgement")]
pub(in crate::http) async fn acknowledge_exception(
    state: Data<ApiState>,
    call: Call,
    request: HttpRequest,
    id: PathId<ExceptionId>,
    Body(asked): Body<AcknowledgeBody>,
) -> Outcome<Json<ExceptionBody>> {
    let flows = &state.flows;
    let now = flows
        .acknowledge_exception(&call.caller, id.0, &asked.reason)
        .await?;
    Ok(Json(body(&state, &request, now)))
}

/// Snooze an exception
///
/// Takes an exception off the list until then. If its fact is mended before, it closes all the same.
#[utoipa::path(
    tag = "Exceptions",
    request_body = SnoozeBody,
    params(("exceptionId" = Uuid, Path, description = "Id of the exception.")),
    responses(
        (status = 200, description = "The exception as it is now.", body = ExceptionBody),
        (status = 404, description = "There is no such exception."),
        (status = 409, description = "It is closed already."),
        (status = 422, description = "There is no reason, or the instant is past or too far away."),
    ),
)]
#[post("/exceptions/{exceptionId}/snooze")]
pub(in crate::http) async fn snooze_exception(
    state: Data<ApiState>,
    call: Call,
    request: HttpRequest,
    id: PathId<ExceptionId>,
    Body(asked): Body<SnoozeBody>,
) -> Outcome<Json<ExceptionBody>> {
    let flows = &state.flows;
    let now = flows
        .snooze_exception(&call.caller, id.0, asked.until, &asked.reason)
        .await?;
    Ok(Json(body(&state, &request, now)))
}
