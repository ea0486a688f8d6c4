//! Jobs: follow one, ask for an auto-match (D5, B6). A Location is polled without a credential: its token names the Job and
//! whoever asked for it (decision 11), and it answers 202 until the Job has ended, as Power Automate expects.

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse, get, http::header, post};
use chrono::{DateTime, SubsecRound, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::domain::ids::JobId;
use crate::domain::job::{Job, JobState};
use crate::flows::jobs::JobFilter;
use crate::http::call::{Call, PathId};
use crate::http::paging::{self, Listing};
use crate::http::problem::Outcome;
use crate::http::reading::Question;
use crate::http::state::ApiState;
use crate::http::words;
use crate::identity::signed_token::PollToken;

/// A client that polls faster than this learns nothing new.
const POLL_SECONDS: &str = "5";

/// Background work that was asked for.
#[derive(Serialize, ToSchema)]
#[schema(as = Job)]
#[serde(rename_all = "camelCase")]
pub(super) struct JobBody {
    /// Id of the job.
    job_id: Uuid,
    /// What it does.
    #[schema(example = "sync-provider-accounts")]
    kind: &'static str,
    #[schema(schema_with = words::job_state)]
    state: &'static str,
    /// Whether nothing more will happen to it.
    finished: bool,
    /// Tries begun so far.
    attempts: i32,
    /// Pieces done.
    progress_done: i64,
    /// Pieces in all, once known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    progress_total: Option<i64>,
    /// The result, once it succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<Object>)]
    result: Option<serde_json::Value>,
    /// Why the last try failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<String>,
    /// Who asked for it.
    requested_by: String,
    /// The job that asked for this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    parent_id: Option<Uuid>,
    /// The id that went with every call to the provider, for its support.
    correlation_id: Uuid,
    /// When it was asked for.
    created_at: DateTime<Utc>,
    /// When it is tried again, after a try that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_attempt_at: Option<DateTime<Utc>>,
    /// When the latest try began.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    started_at: Option<DateTime<Utc>>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    finished_at: Option<DateTime<Utc>>,
}

impl From<Job> for JobBody {
    fn from(job: Job) -> Self {
        Self {
            job_id: job.id.as_uuid(),
            parent_id: job.parent_id.map(JobId::as_uuid),
            correlation_id: job.correlation(),
            kind: job.work.kind(),
            state: job.state.name(),
            finished: job.state.finished(),
            // One engine keeps microseconds; the same Job is to read the same everywhere.
            next_attempt_at: (job.state == JobState::Retry).then(|| job.run_at.trunc_subsecs(6)),
            attempts: job.attempts,
            progress_done: job.progress_done,
            progress_total: job.progress_total,
            result: job.result,
            error: job.error,
            requested_by: job.requested_by,
            created_at: job.created_at,
            started_at: job.started_at,
            finished_at: job.finished_at,
        }
    }
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub(super) struct AutoMatchQuery {
    /// Whether to make a plan and map nothing, which is what happens when it is left out.
    #[param(nullable = false)]
    dry_run: Option<bool>,
}

/// 202 with the Location at which the Job can be followed.
pub(super) fn accepted(
    state: &ApiState,
    request: &HttpRequest,
    call: &Call,
    job: Job,
) -> HttpResponse {
    let token = state.tokens.sign_poll(&PollToken {
        owner: call.caller.actor.key(),
        job: job.id,
    });
    let location = state
        .links
        .absolute(request, &format!("/v1/jobs/{}?token={token}", job.id));
    HttpResponse::Accepted()
        .insert_header((header::LOCATION, location))
        .insert_header((header::RETRY_AFTER, POLL_SECONDS))
        .json(JobBody::from(job))
}

/// Get a job
///
/// Gives a job, to see how far it has come. With the token of a Location instead of an API key it answers 202 until the job
/// has ended.
#[utoipa::path(
    tag = "Jobs",
    params(
        ("jobId" = Uuid, Path, description = "Id of the job."),
        ("token" = Option<String>, Query, description = "Token of the Location that was given when the job was asked for."),
    ),
    responses(
        (status = 200, description = "The job.", body = JobBody),
        (status = 202, description = "The job has not ended; ask again as Retry-After says.", headers(
            ("Location" = String, description = "The same URL again."),
            ("Retry-After" = i32, description = "Seconds to wait before looking."),
        )),
        (status = 404, description = "There is no such job."),
    ),
)]
#[get("/jobs/{jobId}")]
pub(in crate::http) async fn get_job(
    state: Data<ApiState>,
    call: Call,
    request: HttpRequest,
    id: PathId<JobId>,
) -> Outcome<HttpResponse> {
    let job = state.flows.get_job(&call.caller, id.0).await?;
    if call.by_poll_token && !job.state.finished() {
        return Ok(accepted(&state, &request, &call, job));
    }
    Ok(HttpResponse::Ok().json(JobBody::from(job)))
}

/// Run auto-match
///
/// Asks for a job that looks at every unmapped provider account. Unless told otherwise it only makes a plan of what it would
/// map and why, to be applied and undone as one; its result names the plan. It never overwrites what a person decided.
/// While such a job is unfinished, that job is the answer.
#[utoipa::path(
    tag = "Provider Accounts",
    params(AutoMatchQuery),
    responses(
        (status = 202, description = "The job that was asked for, or the unfinished one.", body = JobBody, headers(
            ("Location" = String, description = "URL at which the job can be followed without a credential."),
            ("Retry-After" = i32, description = "Seconds to wait before looking."),
        )),
    ),
)]
#[post("/auto-match")]
pub(in crate::http) async fn run_auto_match(
    state: Data<ApiState>,
    call: Call,
    request: HttpRequest,
    Question(query): Question<AutoMatchQuery>,
) -> Outcome<HttpResponse> {
    let flows = &state.flows;
    let job = if query.dry_run.unwrap_or(true) {
        flows.request_match_plan(&call.caller).await?
    } else {
        flows.request_auto_match(&call.caller).await?
    };
    Ok(accepted(&state, &request, &call, job))
}

/// One page of jobs.
#[derive(Serialize, ToSchema)]
#[schema(as = JobPage)]
pub(super) struct JobPage {
    /// The jobs of this page, newest first.
    value: Vec<JobBody>,
    /// The next page; absent on the last one.
    #[serde(rename = "@odata.nextLink", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_link: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub(super) struct JobQuery {
    /// Only jobs in this state.
    #[param(schema_with = words::job_state)]
    state: Option<String>,
    /// Only jobs that do this, such as sync-subscriptions.
    #[param(nullable = false, example = "sync-subscriptions")]
    kind: Option<String>,
    /// Only jobs that this job asked for.
    #[param(nullable = false)]
    parent_id: Option<Uuid>,
    /// Rows of a page; 100 when left out, 500 at most.
    #[serde(rename = "$top")]
    #[param(nullable = false, minimum = 1)]
    top: Option<u32>,
    /// Where the listing goes on; part of the next link.
    #[serde(rename = "$skiptoken")]
    #[param(nullable = false)]
    skip_token: Option<String>,
}

const MOST_PER_PAGE: u64 = 500;

/// List jobs
///
/// Gives the jobs that fit every given condition, newest first, in pages, with how far each has come.
#[utoipa::path(
    tag = "Jobs",
    params(JobQuery),
    responses((status = 200, description = "One page of jobs.", body = JobPage)),
    extensions(("x-ms-pageable" = json!({"nextLinkName": "@odata.nextLink"}))),
)]
#[get("/jobs")]
pub(in crate::http) async fn list_jobs(
    state: Data<ApiState>,
    call: Call,
    request: HttpRequest,
    Question(query): Question<JobQuery>,
) -> Outcome<Json<JobPage>> {
    let known = JobState::ALL.map(JobState::name);
    let wanted = query.state.as_deref();
    let filter = JobFilter {
        state: wanted
            .map(|word| words::read("state", word, &known, JobState::from_name))
            .transpose()?,
        kind: query.kind,
        schedule: None,
        parent: query.parent_id.map(JobId::new),
    };
    let top = paging::top(query.top, MOST_PER_PAGE)?;
    let listing = Listing::new(
        &state,
        &call,
        "ListJobs",
        &(filter.state, &filter.kind, filter.parent),
    );
    let before = listing.position::<(DateTime<Utc>, Uuid)>(query.skip_token.as_deref())?;
    let flows = &state.flows;
    let mut jobs = flows
        .page_of_jobs(&call.caller, &filter, before, top + 1)
        .await?;
    let more = jobs.len() as u64 > top;
    jobs.truncate(usize::try_from(top).unwrap_or(usize::MAX));
    let last = jobs.last().filter(|_| more);
    let next = last.map(|job| (job.created_at, job.id.as_uuid()));
    Ok(Json(JobPage {
        next_link: next.map(|position| listing.next_link(&request, &position)),
        value: jobs.into_iter().map(Into::into).collect(),
    }))
}

/// Cancel a job
///
/// Stops a job: a waiting one at once, a running one before its next commit. What it did so far is kept. A job that has ended
/// stays as it is.
#[utoipa::path(
    tag = "Jobs",
    params(("jobId" = Uuid, Path, description = "Id of the job.")),
    responses(
        (status = 200, description = "The job as it is now.", body = JobBody),
        (status = 404, description = "There is no such job."),
    ),
)]
#[post("/jobs/{jobId}/cancellation")]
pub(in crate::http) async fn cancel_job(
    state: Data<ApiState>,
    call: Call,
    id: PathId<JobId>,
) -> Outcome<Json<JobBody>> {
    let job = state.flows.cancel_job(&call.caller, id.0).await?;
    Ok(Json(job.into()))
}

/// Run a job again
///
/// Asks for the work of a job once more. While the same work is unfinished, that job is the answer.
#[utoipa::path(
    tag = "Jobs",
    params(("jobId" = Uuid, Path, description = "Id of the job.")),
    responses(
        (status = 202, description = "The job that was asked for, or the unfinished one.", body = JobBody, headers(
            ("Location" = String, description = "URL at which the job can be followed without a credential."),
            ("Retry-After" = i32, description = "Seconds to wait before looking."),
        )),
        (status = 404, description = "There is no such job."),
    ),
)]
#[post("/jobs/{jobId}/rerun")]
pub(in crate::http) async fn rerun_job(
    state: Data<ApiState>,
    call: Call,
    request: HttpRequest,
    id: PathId<JobId>,
) -> Outcome<HttpResponse> {
    let job = state.flows.rerun_job(&call.caller, id.0).await?;
    Ok(accepted(&state, &request, &call, job))
}
