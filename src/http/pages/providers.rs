//! The providers with their last sync, live while one is under way, and the button that starts one.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Form, Path};
use actix_web::{HttpRequest, HttpResponse, get, post};
use askama::Template;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::door::{self, Visitor};
use super::words::{ago, sentence};
use crate::domain::caller::Permission;
use crate::domain::ids::ProviderId;
use crate::domain::job::{Job, JobState, JobWork};
use crate::domain::provider::Provider;
use crate::domain::sync_run::{RunOutcome, SyncRun};
use crate::flows::FlowError;
use crate::http::state::ApiState;

/// How far a sync is.
pub(super) struct Progress {
    pub done: i64,
    pub total: Option<i64>,
    pub text: String,
}

/// One provider.
pub(super) struct Row {
    pub id: ProviderId,
    pub name: String,
    pub enabled: bool,
    /// HTML of fixed words, numbers and a time.
    pub last: String,
    pub tone: &'static str,
    /// Why the last sync failed, with the remedy; empty when it did not.
    pub reason: String,
    pub progress: Option<Progress>,
}

/// All of them.
pub(super) struct Providers {
    pub rows: Vec<Row>,
    pub working: bool,
    pub may_sync: bool,
    pub may_connect: bool,
    pub csrf: String,
}

#[derive(Template)]
#[template(path = "providers.html", config = "src/http/pages/askama.toml")]
struct Fragment {
    providers: Providers,
}

/// A form that carries only the CSRF secret.
#[derive(Deserialize)]
pub(super) struct Bare {
    csrf: String,
}

impl Providers {
    pub async fn of(state: &Data<ApiState>, visitor: &Visitor) -> Result<Self, FlowError> {
        let flows = &state.flows;
        let now = flows.context.now();
        let providers = flows.list_providers(&visitor.caller).await?;
        let mut rows = Vec::with_capacity(providers.len());
        for provider in providers {
            let work = JobWork::SyncProviderAccounts {
                provider_id: provider.id,
            };
            let job = flows.unfinished_job(&visitor.caller, &work).await?;
            let runs = flows
                .list_sync_runs(&visitor.caller, Some(provider.id), 1)
                .await?;
            rows.push(row(provider.provider, job.as_ref(), runs.first(), now));
        }
        Ok(Self {
            working: rows.iter().any(|row| row.progress.is_some()),
            may_sync: visitor.may(Permission::Sync),
            may_connect: visitor.may(Permission::Configure),
            csrf: visitor.session.csrf.clone(),
            rows,
        })
    }
}

fn row(provider: Provider, job: Option<&Job>, run: Option<&SyncRun>, now: DateTime<Utc>) -> Row {
    let (last, tone) = match run {
        None => ("never synced".to_owned(), "muted"),
        Some(run) => last(run, now),
    };
    Row {
        reason: reason(job, run),
        id: provider.id,
        name: provider.name,
        enabled: provider.enabled,
        last,
        tone,
        progress: job.map(|job| progress(job, now)),
    }
}

/// What the provider or the service said when it failed; their texts end in what to do.
fn reason(job: Option<&Job>, run: Option<&SyncRun>) -> String {
    let of_job = job
        .filter(|job| job.state == JobState::Retry)
        .and_then(|job| job.error.clone());
    let of_run = run
        .filter(|run| run.outcome == RunOutcome::Incomplete || run.counts.failed > 0)
        .and_then(|run| run.notes.first().cloned());
    match of_job.or(of_run) {
        Some(text) => sentence(&text),
        None => String::new(),
    }
}

fn last(run: &SyncRun, now: DateTime<Utc>) -> (String, &'static str) {
    let counts = run.counts;
    let at = ago(run.finished_at.unwrap_or(run.started_at), now);
    match run.outcome {
        RunOutcome::Running => (format!("syncing since {at}"), "muted"),
        RunOutcome::Complete if counts.failed == 0 => (
            format!(
                "✓ synced {at}: {} listed, {} new, {} changed",
                counts.listed, counts.new, counts.changed
            ),
            "good",
        ),
        RunOutcome::Complete => (
            format!(
                "! synced {at}: {} listed, {} new, {} failed",
                counts.listed, counts.new, counts.failed
            ),
            "warn",
        ),
        RunOutcome::Incomplete => (
            format!(
                "! broke off {at} after {} customers; nothing was marked as missing",
                counts.listed
            ),
            "bad",
        ),
    }
}

fn progress(job: &Job, now: DateTime<Utc>) -> Progress {
    let text = match (job.state, job.progress_total) {
        (JobState::Waiting, _) => "waiting for its turn".to_owned(),
        (JobState::Retry, _) => format!(
            "failed; the next try is {}",
            within((job.run_at - now).num_seconds())
        ),
        (_, None) => format!("{} customers listed", job.progress_done),
        (_, Some(total)) => format!(
            "{} of {total}{}",
            job.progress_done,
            time_left(job, total, now)
        ),
    };
    Progress {
        done: job.progress_done,
        total: job.progress_total,
        text,
    }
}

fn within(seconds: i64) -> String {
    match seconds {
        ..=1 => "due now".to_owned(),
        2..120 => format!("in {seconds} s"),
        _ => format!("in {} min", seconds / 60),
    }
}

fn time_left(job: &Job, total: i64, now: DateTime<Utc>) -> String {
    let elapsed = job
        .started_at
        .map_or(0, |started| (now - started).num_seconds());
    if job.progress_done <= 0 || elapsed < 2 {
        return String::new();
    }
    let left = elapsed * (total - job.progress_done).max(0) / job.progress_done;
    if left < 60 {
        format!(", {left} s left")
    } else {
        format!(", {} min left", left / 60)
    }
}

/// The fragment that refreshes itself while a sync is under way.
#[get("/providers")]
pub(super) async fn show(request: HttpRequest, state: Data<ApiState>) -> HttpResponse {
    let visitor = match door::visitor(&request, &state).await {
        Ok(visitor) => visitor,
        Err(refusal) => return *refusal,
    };
    match Providers::of(&state, &visitor).await {
        Ok(providers) => door::page(StatusCode::OK, &Fragment { providers }),
        Err(error) => door::failed(&error),
    }
}

/// Starts a sync.
#[post("/providers/{id}/sync")]
pub(super) async fn sync(
    request: HttpRequest,
    state: Data<ApiState>,
    id: Path<String>,
    form: Form<Bare>,
) -> HttpResponse {
    let (visitor, id) = match door::poster_about(&request, &state, &id, &form.csrf).await {
        Ok(both) => both,
        Err(refusal) => return *refusal,
    };
    match state.flows.request_sync(&visitor.caller, id).await {
        Ok(_) => door::go_to("/"),
        Err(error) => door::failed(&error),
    }
}
