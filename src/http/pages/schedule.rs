//! One Scheduled Job (D5): when it runs next, what it did last, and, for those that people keep, the form of its expression,
//! its time zone, and whether it is on. It has a page of its own because the list of jobs renews itself under the reader.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Form, Path, Query};
use actix_web::{HttpRequest, HttpResponse, get, post};
use askama::Template;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::door::{self, Visitor};
use super::jobs;
use super::shell::Shell;
use super::words::{sentence, until};
use crate::domain::caller::Permission;
use crate::domain::ids::ScheduleId;
use crate::flows::FlowError;
use crate::flows::schedules::{Keeper, Schedule, ScheduleChange, next_run, zones};
use crate::http::state::ApiState;

/// Runs to come that are shown.
const RUNS: usize = 5;
/// Runs that were, shown.
const MOST_JOBS: usize = 10;

/// What the form sends.
#[derive(Deserialize, Clone)]
pub(super) struct Typed {
    csrf: String,
    cron: String,
    time_zone: String,
    enabled: Option<String>,
}

#[derive(Template)]
#[template(path = "schedule.html", config = "src/http/pages/askama.toml")]
struct Page {
    shell: Shell,
    id: ScheduleId,
    what: String,
    /// HTML of fixed words and times.
    next: String,
    last: String,
    runs: Vec<String>,
    kept: String,
    changes: bool,
    may_sync: bool,
    cron: String,
    time_zone: String,
    enabled: bool,
    zones: Vec<&'static str>,
    jobs: Vec<jobs::JobRow>,
    done: Option<&'static str>,
    problem: Option<String>,
    wrong_zone: bool,
}

/// The next runs, in the clock of the zone.
fn runs(of: &Schedule, now: DateTime<Utc>) -> Vec<String> {
    let zone: chrono_tz::Tz = of.time_zone.parse().unwrap_or(chrono_tz::UTC);
    let mut after = now;
    let mut runs = Vec::with_capacity(RUNS);
    while runs.len() < RUNS {
        let Ok(next) = next_run(&of.cron, &of.time_zone, after) else {
            break;
        };
        let there = next.with_timezone(&zone);
        runs.push(there.format("%A, %Y-%m-%d %H:%M %Z").to_string());
        after = next;
    }
    runs
}

/// Why the form is shown again.
struct Refused {
    typed: Typed,
    problem: String,
}

async fn page(
    state: &Data<ApiState>,
    visitor: &Visitor,
    id: &str,
    done: Option<&str>,
    refused: Option<Refused>,
) -> Result<Page, FlowError> {
    let (flows, caller) = (&state.flows, &visitor.caller);
    let now = flows.context.now();
    let known = flows
        .get_schedule(caller, door::id_of(id, "schedule")?)
        .await?;
    let history = flows.list_schedule_jobs(caller, known.id).await?;
    let providers = jobs::providers(state, visitor).await?;
    let keeper = known.keeper();
    let changes = keeper == Keeper::People && visitor.may(Permission::Configure);
    let typed = refused.as_ref().map(|it| it.typed.clone());
    let (cron, time_zone, enabled) = match typed {
        Some(typed) => (typed.cron, typed.time_zone, typed.enabled.is_some()),
        None => (known.cron.clone(), known.time_zone.clone(), known.enabled),
    };
    let problem = refused.map(|it| it.problem);
    Ok(Page {
        shell: Shell::of(state, visitor, None).await?,
        id: known.id,
        what: jobs::what(&known.work, &providers),
        next: if known.enabled {
            until(known.next_run_at, now)
        } else {
            "never: it is off".to_owned()
        },
        last: jobs::last_run(&known, now),
        runs: if known.enabled {
            runs(&known, now)
        } else {
            Vec::new()
        },
        kept: jobs::kept(keeper, known.enabled),
        may_sync: visitor.may(Permission::Sync),
        zones: if changes { zones() } else { Vec::new() },
        jobs: history
            .into_iter()
            .take(MOST_JOBS)
            .map(|it| jobs::job(it, &providers, now))
            .collect(),
        done: (done == Some("changed")).then_some("The schedule is changed."),
        wrong_zone: problem.as_ref().is_some_and(|it| it.contains("time zone")),
        problem,
        changes,
        cron,
        time_zone,
        enabled,
    })
}

/// What a redirect to the page says.
#[derive(Deserialize)]
pub(super) struct Done {
    done: Option<String>,
}

#[get("/schedules/{id}")]
pub(super) async fn show(
    request: HttpRequest,
    state: Data<ApiState>,
    id: Path<String>,
    query: Query<Done>,
) -> HttpResponse {
    door::show(&request, &state, async |visitor| {
        page(&state, visitor, &id, query.done.as_deref(), None).await
    })
    .await
}

#[post("/schedules/{id}")]
pub(super) async fn change(
    request: HttpRequest,
    state: Data<ApiState>,
    id: Path<String>,
    form: Form<Typed>,
) -> HttpResponse {
    let visitor = match door::poster(&request, &state, &form.csrf).await {
        Ok(visitor) => visitor,
        Err(refusal) => return *refusal,
    };
    let changed = async {
        let change = ScheduleChange {
            cron: Some(form.cron.split_whitespace().collect::<Vec<_>>().join(" ")),
            time_zone: Some(form.time_zone.trim().to_owned()),
            enabled: Some(form.enabled.is_some()),
        };
        let id = door::id_of(&id, "schedule")?;
        state
            .flows
            .change_schedule(&visitor.caller, id, &change)
            .await
    };
    match changed.await {
        Ok(changed) => door::go_to(&format!("/schedules/{}?done=changed", changed.id)),
        Err(FlowError::Invalid(why)) => {
            let refused = Refused {
                typed: form.into_inner(),
                problem: sentence(&why),
            };
            let again = page(&state, &visitor, &id, None, Some(refused));
            door::made(StatusCode::UNPROCESSABLE_ENTITY, again.await)
        }
        Err(error) => door::failed(&error),
    }
}
