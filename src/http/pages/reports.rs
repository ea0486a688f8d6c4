//! The Subscription Sync Reports (D4): the runs, and for one run every field that changed with its old and new value, who set
//! it going, when, and what failed in the provider's own words.

use actix_web::http::header;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse, get};
use askama::Template;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::door::{self, Visitor};
use super::shell::{Section, Shell};
use super::words::{ago, in_a_link, sentence};
use crate::domain::ids::{BillingContractId, ProductSubscriptionId, SubscriptionRunId};
use crate::domain::subscription_run::{LineKind, ReportLine, RunSource, SubscriptionRun};
use crate::domain::sync_run::RunOutcome;
use crate::flows::FlowError;
use crate::flows::subscriptions::reading::RunFilter;
use crate::http::api::subscription_syncs::csv_of;
use crate::http::state::ApiState;

/// Runs of a page.
const RUNS: u64 = 50;
/// Lines of a page.
const LINES: u64 = 200;

/// A run in a list.
pub(super) struct RunRow {
    pub id: SubscriptionRunId,
    pub when: String,
    pub source: &'static str,
    pub by: String,
    pub outcome: &'static str,
    pub tone: &'static str,
    pub says: String,
}

impl RunRow {
    pub fn of(run: &SubscriptionRun, now: DateTime<Utc>) -> Self {
        let counts = run.counts;
        let failed = counts.failed_customers + counts.unreadable;
        let (outcome, tone) = match run.outcome {
            RunOutcome::Running => ("○ running", "muted"),
            RunOutcome::Complete if failed == 0 => ("✓ complete", "good"),
            RunOutcome::Complete => ("! complete, with failures", "warn"),
            RunOutcome::Incomplete => ("! incomplete", "bad"),
        };
        let said = [
            (counts.new, "new"),
            (counts.changed, "changed"),
            (counts.gone, "gone"),
            (counts.attached, "attached"),
            (counts.held, "held"),
            (failed, "failed"),
        ];
        let said: Vec<_> = said
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        Self {
            id: run.id,
            when: ago(run.started_at, now),
            source: match run.source {
                RunSource::Manual => "by hand",
                RunSource::Automatic => "automatic",
                RunSource::Attachment => "after a mapping or a contract",
            },
            by: run.requested_by.clone(),
            outcome,
            tone,
            says: if said.is_empty() {
                "nothing changed".to_owned()
            } else {
                said.join(", ")
            },
        }
    }
}

/// What the link of the list says.
#[derive(Deserialize)]
pub(super) struct Asked {
    contract: Option<BillingContractId>,
    after: Option<DateTime<Utc>>,
    after_id: Option<Uuid>,
}

#[derive(Template)]
#[template(path = "runs.html", config = "src/http/pages/askama.toml")]
struct Runs {
    shell: Shell,
    rows: Vec<RunRow>,
    next: Option<String>,
}

struct Line {
    when: String,
    subscription: Option<ProductSubscriptionId>,
    name: String,
    kind: &'static str,
    tone: &'static str,
    field: String,
    old: String,
    new: String,
    message: String,
    correlation: String,
}

#[derive(Template)]
#[template(path = "report.html", config = "src/http/pages/askama.toml")]
struct Report {
    shell: Shell,
    run: RunRow,
    contract: Option<BillingContractId>,
    note: Option<String>,
    read: String,
    lines: Vec<Line>,
    next: Option<String>,
}

#[get("/subscription-sync-runs")]
pub(super) async fn list(
    request: HttpRequest,
    state: Data<ApiState>,
    asked: Query<Asked>,
) -> HttpResponse {
    door::show(&request, &state, async |visitor| {
        runs(&state, visitor, &asked).await
    })
    .await
}

async fn runs(state: &Data<ApiState>, visitor: &Visitor, asked: &Asked) -> Result<Runs, FlowError> {
    let flows = &state.flows;
    let now = flows.context.now();
    let filter = RunFilter {
        contract: asked.contract,
        ..RunFilter::default()
    };
    let after = asked.after.zip(asked.after_id);
    let mut found = flows
        .list_subscription_runs(&visitor.caller, filter, after, RUNS + 1)
        .await?;
    let more = found.len() as u64 > RUNS;
    found.truncate(usize::try_from(RUNS).unwrap_or(usize::MAX));
    let of = asked
        .contract
        .map_or(String::new(), |id| format!("&contract={id}"));
    let next = found.last().filter(|_| more).map(|last| {
        let (at, id) = (in_a_link(last.started_at), last.id);
        format!("/subscription-sync-runs?after={at}&after_id={id}{of}")
    });
    Ok(Runs {
        shell: Shell::of(state, visitor, None)
            .await?
            .at(Section::Contracts),
        rows: found.iter().map(|run| RunRow::of(run, now)).collect(),
        next,
    })
}

fn line(it: ReportLine, now: DateTime<Utc>) -> Line {
    let (kind, tone) = match it.kind {
        LineKind::New => ("✓ new", "good"),
        LineKind::Field => ("changed", ""),
        LineKind::Gone => ("– gone", "warn"),
        LineKind::Attached => ("✓ attached", "good"),
        LineKind::Moved => ("moved", ""),
        LineKind::Held => ("○ held", "warn"),
        LineKind::Failed => ("! failed", "bad"),
    };
    Line {
        when: ago(it.at, now),
        subscription: it.subscription_id,
        name: it.name,
        kind,
        tone,
        field: it.field.unwrap_or_default(),
        old: it.old.unwrap_or_default(),
        new: it.new.unwrap_or_default(),
        message: it.message.unwrap_or_default(),
        correlation: it.correlation_id.unwrap_or_default(),
    }
}

/// Which lines the link asks for.
#[derive(Deserialize)]
pub(super) struct From {
    after: Option<Uuid>,
}

fn id_of(text: &str) -> Result<SubscriptionRunId, FlowError> {
    door::id_of(text, "sync report")
}

#[get("/subscription-sync-runs/{id}")]
pub(super) async fn show(
    request: HttpRequest,
    state: Data<ApiState>,
    id: Path<String>,
    from: Query<From>,
) -> HttpResponse {
    door::show(&request, &state, async |visitor| {
        report(&state, visitor, &id, from.after).await
    })
    .await
}

async fn report(
    state: &Data<ApiState>,
    visitor: &Visitor,
    id: &str,
    after: Option<Uuid>,
) -> Result<Report, FlowError> {
    let (flows, id) = (&state.flows, id_of(id)?);
    let now = flows.context.now();
    let run = flows.get_subscription_run(&visitor.caller, id).await?;
    let mut lines = flows
        .list_report_lines(&visitor.caller, id, after, LINES + 1)
        .await?;
    let more = lines.len() as u64 > LINES;
    lines.truncate(usize::try_from(LINES).unwrap_or(usize::MAX));
    let last = lines.last().filter(|_| more);
    let counts = run.counts;
    Ok(Report {
        shell: Shell::of(state, visitor, None)
            .await?
            .at(Section::Contracts),
        contract: run.contract_id,
        note: run.note.as_deref().map(sentence),
        read: format!(
            "Subscriptions read: {}, of customers: {}, unchanged: {}",
            counts.listed, counts.customers, counts.unchanged
        ),
        next: last.map(|last| format!("/subscription-sync-runs/{id}?after={}", last.id)),
        run: RunRow::of(&run, now),
        lines: lines.into_iter().map(|it| line(it, now)).collect(),
    })
}

/// The whole report for a spreadsheet.
#[get("/subscription-sync-runs/{id}/report.csv")]
pub(super) async fn csv(
    request: HttpRequest,
    state: Data<ApiState>,
    id: Path<String>,
) -> HttpResponse {
    let visitor = match door::visitor(&request, &state).await {
        Ok(visitor) => visitor,
        Err(refusal) => return *refusal,
    };
    let made = async { csv_of(&state.flows, &visitor.caller, id_of(&id)?).await };
    match made.await {
        Ok(mut answer) => {
            let headers = answer.headers_mut();
            headers.insert(
                header::CACHE_CONTROL,
                header::HeaderValue::from_static("no-store"),
            );
            answer
        }
        Err(error) => door::failed(&error),
    }
}
