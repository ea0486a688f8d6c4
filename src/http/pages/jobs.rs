//! Jobs and schedules (D5): what runs, how far it is, what failed and why; cancelled and asked for again from here. Schedules
//! with their next run are turned on and off, and run now.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Form, Path};
use actix_web::{HttpRequest, HttpResponse, get, post};
use askama::Template;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::door::{self, Visitor};
use super::shell::Shell;
use super::words::{ago, capital, sentence, until};
use crate::domain::caller::Permission;
use crate::domain::ids::{JobId, ProviderId, ScheduleId};
use crate::domain::job::{Job, JobState, JobWork};
use crate::domain::provider::Provider;
use crate::flows::FlowError;
use crate::flows::schedules::{Keeper, Schedule, ScheduleChange};
use crate::http::state::ApiState;

/// Jobs shown.
const MOST_JOBS: u64 = 50;

/// A form that carries only the CSRF secret.
#[derive(Deserialize)]
pub(super) struct Bare {
    csrf: String,
}

pub(super) struct JobRow {
    id: JobId,
    what: String,
    pub state: &'static str,
    pub tone: &'static str,
    /// Of one that runs.
    progress: Option<(i64, Option<i64>)>,
    /// HTML of fixed words and a time.
    tried: String,
    pub error: String,
    by: String,
    pub when: String,
    cancels: bool,
    reruns: bool,
}

struct ScheduleRow {
    id: ScheduleId,
    what: String,
    cron: String,
    next: String,
    last: String,
    enabled: bool,
    /// Who sets it, where that is not done here.
    kept: String,
}

/// All of it; the fragment that refreshes itself while something runs.
struct Work {
    jobs: Vec<JobRow>,
    schedules: Vec<ScheduleRow>,
    running: bool,
    may_sync: bool,
    may_configure: bool,
    csrf: String,
}

#[derive(Template)]
#[template(path = "jobs.html", config = "src/http/pages/askama.toml")]
struct Page {
    shell: Shell,
    work: Work,
    problem: Option<String>,
}

#[derive(Template)]
#[template(path = "work.html", config = "src/http/pages/askama.toml")]
struct Fragment {
    work: Work,
}

pub(super) fn what(work: &JobWork, providers: &[Provider]) -> String {
    let kind = capital(&work.kind().replace('-', " ")).replace("crm", "CRM");
    let name = |id: ProviderId| providers.iter().find(|provider| provider.id == id);
    match work.provider_id().and_then(name) {
        Some(provider) => format!("{kind} of {}", provider.name),
        None => kind,
    }
}

pub(super) fn job(it: Job, providers: &[Provider], now: DateTime<Utc>) -> JobRow {
    let (state, tone) = match it.state {
        JobState::Waiting => ("○ waiting", "muted"),
        JobState::InProgress => ("○ in progress", ""),
        JobState::Succeeded => ("✓ succeeded", "good"),
        JobState::Failed => ("! failed", "bad"),
        JobState::NotApplicable => ("– not applicable", "muted"),
        JobState::Cancelled => ("– cancelled", "muted"),
        JobState::Retry => ("! tried again", "warn"),
    };
    let tried = match it.state {
        JobState::Retry => format!(
            "try {} of 5 failed; the next {}. ",
            it.attempts,
            until(it.run_at, now)
        ),
        _ => String::new(),
    };
    JobRow {
        id: it.id,
        what: what(&it.work, providers),
        state,
        tone,
        progress: (it.state == JobState::InProgress)
            .then_some((it.progress_done, it.progress_total)),
        tried: capital(&tried),
        error: it.error.as_deref().map(sentence).unwrap_or_default(),
        by: it.requested_by,
        when: ago(
            it.finished_at.or(it.started_at).unwrap_or(it.created_at),
            now,
        ),
        cancels: !it.state.finished(),
        reruns: it.state.finished(),
    }
}

/// Who says when a schedule runs, where people do not say it here.
pub(super) fn kept(keeper: Keeper, enabled: bool) -> String {
    let set = match keeper {
        Keeper::People => return String::new(),
        Keeper::Setting(name) => format!("follows the setting {name}"),
        Keeper::Program => "fixed in the program".to_owned(),
    };
    if enabled {
        set
    } else {
        format!("{set}, off while no CRM is connected")
    }
}

pub(super) fn last_run(it: &Schedule, now: DateTime<Utc>) -> String {
    it.last_run_at
        .map_or_else(|| "never".to_owned(), |at| ago(at, now))
}

fn schedule(it: Schedule, providers: &[Provider], now: DateTime<Utc>) -> ScheduleRow {
    ScheduleRow {
        id: it.id,
        what: what(&it.work, providers),
        cron: format!("{} {}", it.cron, it.time_zone),
        next: if it.enabled {
            until(it.next_run_at, now)
        } else {
            "off".to_owned()
        },
        last: last_run(&it, now),
        enabled: it.enabled,
        kept: kept(it.keeper(), it.enabled),
    }
}

/// The providers, for their names.
pub(super) async fn providers(
    state: &Data<ApiState>,
    visitor: &Visitor,
) -> Result<Vec<Provider>, FlowError> {
    let known = state.flows.list_providers(&visitor.caller).await?;
    Ok(known.into_iter().map(|it| it.provider).collect())
}

async fn work(state: &Data<ApiState>, visitor: &Visitor) -> Result<Work, FlowError> {
    let (flows, caller) = (&state.flows, &visitor.caller);
    let now = flows.context.now();
    let providers = providers(state, visitor).await?;
    let jobs = flows.list_jobs(caller, MOST_JOBS).await?;
    let schedules = flows.list_schedules(caller).await?;
    Ok(Work {
        running: jobs.iter().any(|job| !job.state.finished()),
        jobs: jobs
            .into_iter()
            .map(|it| job(it, &providers, now))
            .collect(),
        schedules: schedules
            .into_iter()
            .map(|it| schedule(it, &providers, now))
            .collect(),
        may_sync: visitor.may(Permission::Sync),
        may_configure: visitor.may(Permission::Configure),
        csrf: visitor.session.csrf.clone(),
    })
}

async fn render(
    state: &Data<ApiState>,
    visitor: &Visitor,
    status: StatusCode,
    problem: Option<String>,
) -> HttpResponse {
    let page = async {
        Ok::<_, FlowError>(Page {
            shell: Shell::of(state, visitor, None).await?,
            work: work(state, visitor).await?,
            problem,
        })
    };
    door::made(status, page.await)
}

#[get("/jobs")]
pub(super) async fn show(request: HttpRequest, state: Data<ApiState>) -> HttpResponse {
    match door::visitor(&request, &state).await {
        Ok(visitor) => render(&state, &visitor, StatusCode::OK, None).await,
        Err(refusal) => *refusal,
    }
}

/// The part that refreshes itself.
#[get("/jobs/work")]
pub(super) async fn show_work(request: HttpRequest, state: Data<ApiState>) -> HttpResponse {
    door::show(&request, &state, async |visitor| {
        let work = work(&state, visitor).await?;
        Ok(Fragment { work })
    })
    .await
}

/// What a button does.
enum Pressed {
    Cancel,
    Rerun,
    Turn,
    Run,
}

#[post("/jobs/{id}/cancel")]
pub(super) async fn cancel(
    request: HttpRequest,
    state: Data<ApiState>,
    id: Path<String>,
    form: Form<Bare>,
) -> HttpResponse {
    press(&request, &state, &id, &form.csrf, Pressed::Cancel).await
}

#[post("/jobs/{id}/rerun")]
pub(super) async fn rerun(
    request: HttpRequest,
    state: Data<ApiState>,
    id: Path<String>,
    form: Form<Bare>,
) -> HttpResponse {
    press(&request, &state, &id, &form.csrf, Pressed::Rerun).await
}

#[post("/schedules/{id}/turn")]
pub(super) async fn turn(
    request: HttpRequest,
    state: Data<ApiState>,
    id: Path<String>,
    form: Form<Bare>,
) -> HttpResponse {
    press(&request, &state, &id, &form.csrf, Pressed::Turn).await
}

#[post("/schedules/{id}/run")]
pub(super) async fn run(
    request: HttpRequest,
    state: Data<ApiState>,
    id: Path<String>,
    form: Form<Bare>,
) -> HttpResponse {
    press(&request, &state, &id, &form.csrf, Pressed::Run).await
}

async fn press(
    request: &HttpRequest,
    state: &Data<ApiState>,
    id: &str,
    csrf: &str,
    pressed: Pressed,
) -> HttpResponse {
    let visitor = match door::poster(request, state, csrf).await {
        Ok(visitor) => visitor,
        Err(refusal) => return *refusal,
    };
    match perform(state, &visitor, id, pressed).await {
        Ok(()) => door::go_to("/jobs"),
        Err(error) => match door::said_on_page(&error) {
            Some((status, problem)) => render(state, &visitor, status, Some(problem)).await,
            None => door::failed(&error),
        },
    }
}

async fn perform(
    state: &Data<ApiState>,
    visitor: &Visitor,
    id: &str,
    pressed: Pressed,
) -> Result<(), FlowError> {
    let (flows, caller) = (&state.flows, &visitor.caller);
    let job = || door::id_of::<JobId>(id, "job");
    let schedule = || door::id_of::<ScheduleId>(id, "schedule");
    match pressed {
        Pressed::Cancel => flows.cancel_job(caller, job()?).await.map(drop),
        Pressed::Rerun => flows.rerun_job(caller, job()?).await.map(drop),
        Pressed::Run => flows.run_schedule(caller, schedule()?).await.map(drop),
        Pressed::Turn => {
            let id = schedule()?;
            let known = flows.get_schedule(caller, id).await?;
            let change = ScheduleChange {
                enabled: Some(!known.enabled),
                ..ScheduleChange::default()
            };
            flows.change_schedule(caller, id, &change).await.map(drop)
        }
    }
}
