//! Scheduled Jobs: what runs by itself, when, with what outcome; on, off, now (D5).

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse, get, patch, post, put};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::jobs::{JobBody, accepted};
use crate::domain::ids::{JobId, ProviderId, ScheduleId};
use crate::flows::providers::SyncSchedule;
use crate::flows::schedules::{Schedule, ScheduleChange};
use crate::http::call::{Call, PathId};
use crate::http::problem::Outcome;
use crate::http::reading::{Body, not_null};
use crate::http::state::ApiState;

/// Work that is done at fixed times.
#[derive(Serialize, ToSchema)]
#[schema(as = Schedule)]
#[serde(rename_all = "camelCase")]
pub(super) struct ScheduleBody {
    /// Id of the schedule.
    schedule_id: Uuid,
    /// What it does.
    #[schema(example = "sync-subscriptions")]
    kind: &'static str,
    /// The provider it does it for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    provider_id: Option<Uuid>,
    /// Cron expression of five fields.
    #[schema(example = "0 */4 * * *")]
    cron: String,
    /// IANA name of the time zone it is in.
    #[schema(example = "Europe/Berlin")]
    time_zone: String,
    /// A schedule that is off is kept but does not fire.
    enabled: bool,
    /// When it fires next; absent while it is off.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_run_at: Option<DateTime<Utc>>,
    /// When it last fired.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_run_at: Option<DateTime<Utc>>,
    /// The job it last asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_job_id: Option<Uuid>,
}

/// All schedules.
#[derive(Serialize, ToSchema)]
#[schema(as = ScheduleList)]
pub(super) struct ScheduleList {
    /// The schedules, the next to fire first.
    value: Vec<ScheduleBody>,
}

/// What a schedule did.
#[derive(Serialize, ToSchema)]
#[schema(as = ScheduleHistory)]
pub(super) struct ScheduleHistory {
    /// The jobs it asked for, newest first; a hundred at most.
    value: Vec<JobBody>,
}

/// When something is done by itself.
#[derive(Deserialize, ToSchema)]
#[schema(as = SubscriptionSchedule)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewScheduleBody {
    /// Cron expression of five fields.
    #[schema(example = "0 */4 * * *")]
    cron: String,
    /// IANA name of the time zone it is in.
    #[schema(example = "Europe/Berlin")]
    time_zone: String,
    /// A schedule that is off is kept but does not fire.
    #[serde(default = "on")]
    #[schema(default = true)]
    enabled: bool,
}

const fn on() -> bool {
    true
}

/// What to change; whatever is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[schema(as = ScheduleChange)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ScheduleChangeBody {
    /// New cron expression of five fields.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false, example = "0 */4 * * *")]
    cron: Option<String>,
    /// New time zone.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false, example = "Europe/Berlin")]
    time_zone: Option<String>,
    /// On or off.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    enabled: Option<bool>,
}

impl From<Schedule> for ScheduleBody {
    fn from(it: Schedule) -> Self {
        Self {
            schedule_id: it.id.as_uuid(),
            kind: it.work.kind(),
            provider_id: it.work.provider_id().map(ProviderId::as_uuid),
            cron: it.cron,
            time_zone: it.time_zone,
            enabled: it.enabled,
            next_run_at: it.enabled.then_some(it.next_run_at),
            last_run_at: it.last_run_at,
            last_job_id: it.last_job_id.map(JobId::as_uuid),
        }
    }
}

/// List schedules
///
/// Gives everything that is done by itself at fixed times, the next to fire first.
#[utoipa::path(
    tag = "Jobs",
    responses((status = 200, description = "The schedules.", body = ScheduleList)),
)]
#[get("/schedules")]
pub(in crate::http) async fn list_schedules(
    state: Data<ApiState>,
    call: Call,
) -> Outcome<Json<ScheduleList>> {
    let all = state.flows.list_schedules(&call.caller).await?;
    Ok(Json(ScheduleList {
        value: all.into_iter().map(Into::into).collect(),
    }))
}

/// Set the schedule of a subscription sync
///
/// Says when the subscriptions of all of a provider's customers are synced by themselves, in place of what was said before.
#[utoipa::path(
    tag = "Jobs",
    request_body = NewScheduleBody,
    params(("providerId" = Uuid, Path, description = "Id of the provider.")),
    responses(
        (status = 200, description = "The schedule as it is now.", body = ScheduleBody),
        (status = 404, description = "There is no such provider."),
        (status = 422, description = "The expression or the time zone cannot be read; the detail says why."),
    ),
)]
#[put("/providers/{providerId}/subscription-schedule")]
pub(in crate::http) async fn set_subscription_schedule(
    state: Data<ApiState>,
    call: Call,
    id: PathId<ProviderId>,
    Body(body): Body<NewScheduleBody>,
) -> Outcome<Json<ScheduleBody>> {
    let schedule = SyncSchedule {
        cron: body.cron,
        time_zone: body.time_zone,
        enabled: body.enabled,
    };
    let flows = &state.flows;
    let now = flows
        .set_subscription_schedule(&call.caller, id.0, &schedule)
        .await?;
    Ok(Json(now.into()))
}

/// Change a schedule
///
/// Changes when a schedule fires, or turns it on or off.
#[utoipa::path(
    tag = "Jobs",
    request_body = ScheduleChangeBody,
    params(("scheduleId" = Uuid, Path, description = "Id of the schedule.")),
    responses(
        (status = 200, description = "The schedule as it is now.", body = ScheduleBody),
        (status = 404, description = "There is no such schedule."),
        (status = 422, description = "The expression or the time zone cannot be read; the detail says why."),
    ),
)]
#[patch("/schedules/{scheduleId}")]
pub(in crate::http) async fn change_schedule(
    state: Data<ApiState>,
    call: Call,
    id: PathId<ScheduleId>,
    Body(body): Body<ScheduleChangeBody>,
) -> Outcome<Json<ScheduleBody>> {
    let change = ScheduleChange {
        cron: body.cron,
        time_zone: body.time_zone,
        enabled: body.enabled,
    };
    let flows = &state.flows;
    let now = flows.change_schedule(&call.caller, id.0, &change).await?;
    Ok(Json(now.into()))
}

/// Run a schedule now
///
/// Asks for the job of a schedule at once; when it fires next stays as it is. While such a job is unfinished, that job is
/// the answer.
#[utoipa::path(
    tag = "Jobs",
    params(("scheduleId" = Uuid, Path, description = "Id of the schedule.")),
    responses(
        (status = 202, description = "The job that was asked for, or the unfinished one.", body = JobBody, headers(
            ("Location" = String, description = "URL at which the job can be followed without a credential."),
            ("Retry-After" = i32, description = "Seconds to wait before looking."),
        )),
        (status = 404, description = "There is no such schedule."),
    ),
)]
#[post("/schedules/{scheduleId}/run")]
pub(in crate::http) async fn run_schedule(
    state: Data<ApiState>,
    call: Call,
    request: HttpRequest,
    id: PathId<ScheduleId>,
) -> Outcome<HttpResponse> {
    let job = state.flows.run_schedule(&call.caller, id.0).await?;
    Ok(accepted(&state, &request, &call, job))
}

/// List the jobs of a schedule
///
/// Gives the jobs that a schedule asked for, newest first, with how each of them ended.
#[utoipa::path(
    tag = "Jobs",
    params(("scheduleId" = Uuid, Path, description = "Id of the schedule.")),
    responses(
        (status = 200, description = "The jobs.", body = ScheduleHistory),
        (status = 404, description = "There is no such schedule."),
    ),
)]
#[get("/schedules/{scheduleId}/jobs")]
pub(in crate::http) async fn list_schedule_jobs(
    state: Data<ApiState>,
    call: Call,
    id: PathId<ScheduleId>,
) -> Outcome<Json<ScheduleHistory>> {
    let jobs = state.flows.list_schedule_jobs(&call.caller, id.0).await?;
    Ok(Json(ScheduleHistory {
        value: jobs.into_iter().map(Into::into).collect(),
    }))
}
