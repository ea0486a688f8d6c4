//! What will break the next invoice (D6): how much of each kind and how old, each with its remedy and where to apply it, and
//! who takes care. Nothing is closed by hand: an exception goes when its fact is mended.

use actix_web::web::{Data, Form, Path, Query};
use actix_web::{HttpRequest, HttpResponse, get, post};
use askama::Template;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use url::form_urlencoded::Serializer;
use uuid::Uuid;

use super::door::{self, Visitor};
use super::shell::{Section, Shell};
use super::words::{ago, capital, in_a_link, sentence};
use crate::domain::caller::Permission;
use crate::domain::exception::{ExceptionKind, KeptException};
use crate::domain::ids::ExceptionId;
use crate::flows::FlowError;
use crate::flows::exceptions::{Filter, KindCount};
use crate::http::state::ApiState;

/// Rows of a page.
const ROWS: u64 = 50;
/// Days that an exception can sleep.
const NAPS: [i64; 3] = [1, 7, 30];

/// What the link or a form says of the list that is looked at.
#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub(super) struct Asked {
    kind: String,
    care: String,
    after: Option<DateTime<Utc>>,
    after_id: Option<Uuid>,
    done: Option<String>,
}

/// Who takes care.
struct Care {
    label: &'static str,
    link: String,
    current: bool,
}

struct KindRow {
    label: String,
    link: String,
    current: bool,
    open: i64,
    day: i64,
    week: i64,
    month: i64,
    older: i64,
}

struct Row {
    id: ExceptionId,
    kind: String,
    detail: String,
    remedy: String,
    link: Option<String>,
    raised: String,
    care: Option<String>,
}

#[derive(Template)]
#[template(path = "exceptions.html", config = "src/http/pages/askama.toml")]
struct Page {
    shell: Shell,
    kinds: Vec<KindRow>,
    total: i64,
    cares: [Care; 3],
    kind: &'static str,
    care: &'static str,
    rows: Vec<Row>,
    next: Option<String>,
    empty: &'static str,
    naps: [i64; 3],
    may_care: bool,
    done: Option<&'static str>,
    problem: Option<String>,
}

impl Asked {
    fn kind(&self) -> Option<ExceptionKind> {
        ExceptionKind::from_name(&self.kind)
    }

    /// Unknown words show what nobody has put off.
    fn care(&self) -> &'static str {
        match self.care.as_str() {
            "nobody" => "nobody",
            "all" => "all",
            _ => "",
        }
    }

    fn filter(&self) -> Filter {
        Filter {
            kind: self.kind(),
            acknowledged: (self.care() == "nobody").then_some(false),
            with_snoozed: self.care() == "all",
            ..Filter::default()
        }
    }
}

fn link(kind: Option<ExceptionKind>, care: &str, more: &[(&str, &str)]) -> String {
    let mut query = Serializer::new(String::new());
    if let Some(kind) = kind {
        query.append_pair("kind", kind.name());
    }
    if !care.is_empty() {
        query.append_pair("care", care);
    }
    query.extend_pairs(more);
    let query = query.finish();
    match query.as_str() {
        "" => "/exceptions".to_owned(),
        query => format!("/exceptions?{query}"),
    }
}

/// The page on which it is mended.
fn page_of(kind: ExceptionKind, subject: &str, may_bill: bool) -> Option<String> {
    let (what, id) = subject.split_once('/')?;
    Some(match what {
        "subscription" => format!("/subscriptions/{id}"),
        "account" if may_bill && kind == ExceptionKind::AccountWithoutContract => {
            format!("/billing-contracts/new?account={id}")
        }
        "account" => format!("/billing-contracts?account={id}"),
        "provider-account" => format!("/provider-accounts/{id}"),
        "provider" => format!("/providers/{id}"),
        "dataverse" => "/crm".to_owned(),
        _ => return None,
    })
}

fn kind_row(count: &KindCount, asked: &Asked) -> KindRow {
    KindRow {
        label: capital(&count.kind.name().replace('-', " ")),
        link: link(Some(count.kind), asked.care(), &[]),
        current: asked.kind() == Some(count.kind),
        open: count.open,
        day: count.within_day,
        week: count.within_week - count.within_day,
        month: count.within_month - count.within_week,
        older: count.open - count.within_month,
    }
}

fn row(it: KeptException, now: DateTime<Utc>, may_bill: bool) -> Row {
    let note = it.note.as_deref().unwrap_or_default();
    let snoozed = it.snoozed_until.filter(|until| *until > now);
    Row {
        link: page_of(it.kind, &it.subject, may_bill),
        kind: capital(&it.kind.name().replace('-', " ")),
        detail: sentence(&it.detail),
        remedy: sentence(&it.remedy),
        raised: ago(it.opened_at, now),
        care: match (&it.acknowledged_by, snoozed) {
            (_, Some(until)) => Some(format!("put off until {}: {note}", until.date_naive())),
            (Some(who), None) => Some(format!("{who} takes care of it: {note}")),
            (None, None) => None,
        },
        id: it.id,
    }
}

const fn empty(total: i64, asked_for_all: bool) -> &'static str {
    match (total, asked_for_all) {
        (0, _) => {
            "Nothing stands in the way of the next invoice, as far as the service knows. New exceptions appear here."
        }
        (_, true) => "There is none of this kind. Choose another kind, or show all.",
        (_, false) => "Somebody takes care of each, or has put it off. Show all to see them.",
    }
}

async fn page(
    state: &Data<ApiState>,
    visitor: &Visitor,
    asked: &Asked,
    problem: Option<String>,
) -> Result<Page, FlowError> {
    let flows = &state.flows;
    let (now, care) = (flows.context.now(), asked.care());
    let may_bill = visitor.may(Permission::Bill);
    let counts = flows.count_exceptions(&visitor.caller).await?;
    let after = asked.after.zip(asked.after_id);
    let filter = asked.filter();
    let mut found = flows
        .list_exceptions(&visitor.caller, &filter, after, ROWS + 1)
        .await?;
    let more = found.len() as u64 > ROWS;
    found.truncate(usize::try_from(ROWS).unwrap_or(usize::MAX));
    let next = found.last().filter(|_| more).map(|last| {
        let at = in_a_link(last.opened_at);
        let id = last.id.to_string();
        link(asked.kind(), care, &[("after", &at), ("after_id", &id)])
    });
    let cares = [
        ("", "Open"),
        ("nobody", "Nobody takes care"),
        ("all", "All"),
    ];
    let total = counts.iter().map(|count| count.open).sum();
    Ok(Page {
        shell: Shell::of(state, visitor, None)
            .await?
            .at(Section::Exceptions),
        kinds: counts.iter().map(|count| kind_row(count, asked)).collect(),
        total,
        cares: cares.map(|(name, label)| Care {
            label,
            link: link(asked.kind(), name, &[]),
            current: name == care,
        }),
        kind: asked.kind().map_or("", ExceptionKind::name),
        care,
        rows: found.into_iter().map(|it| row(it, now, may_bill)).collect(),
        next,
        empty: empty(total, care == "all" || asked.kind().is_some()),
        naps: NAPS,
        may_care: visitor.may(Permission::Map),
        done: match asked.done.as_deref() {
            Some("acknowledge") => {
                Some("You take care of it. It stays here until its fact is mended.")
            }
            Some("snooze") => {
                Some("It is put off. It comes back by itself if it is not mended by then.")
            }
            _ => None,
        },
        problem,
    })
}

#[get("/exceptions")]
pub(super) async fn show(
    request: HttpRequest,
    state: Data<ApiState>,
    asked: Query<Asked>,
) -> HttpResponse {
    door::show(&request, &state, async |visitor| {
        page(&state, visitor, &asked, None).await
    })
    .await
}

/// What the form of one exception sends.
#[derive(Deserialize)]
pub(super) struct Cared {
    csrf: String,
    what: String,
    #[serde(default)]
    reason: String,
    days: Option<i64>,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    care: String,
}

/// Takes care of an exception, or puts it off.
#[post("/exceptions/{id}/care")]
pub(super) async fn take_care(
    request: HttpRequest,
    state: Data<ApiState>,
    id: Path<String>,
    form: Form<Cared>,
) -> HttpResponse {
    let visitor = match door::poster(&request, &state, &form.csrf).await {
        Ok(visitor) => visitor,
        Err(refusal) => return *refusal,
    };
    let asked = Asked {
        kind: form.kind.clone(),
        care: form.care.clone(),
        ..Asked::default()
    };
    let done = async {
        let id: ExceptionId = door::id_of(&id, "exception")?;
        let (flows, caller) = (&state.flows, &visitor.caller);
        if form.what == "snooze" {
            let days = form.days.filter(|days| NAPS.contains(days)).unwrap_or(1);
            let until = flows.context.now() + TimeDelta::days(days);
            flows
                .snooze_exception(caller, id, until, &form.reason)
                .await?;
            return Ok("snooze");
        }
        flows
            .acknowledge_exception(caller, id, &form.reason)
            .await?;
        Ok("acknowledge")
    };
    let error = match done.await {
        Ok(done) => {
            let back = link(asked.kind(), asked.care(), &[("done", done)]);
            return door::go_to(&back);
        }
        Err(error) => error,
    };
    let Some((status, problem)) = door::said_on_page(&error) else {
        return door::failed(&error);
    };
    door::made(status, page(&state, &visitor, &asked, Some(problem)).await)
}
