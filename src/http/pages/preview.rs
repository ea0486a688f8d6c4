//! What a sync of a contract's subscriptions would do (D2): new, changed field by field, gone, unchanged. A person selects
//! and proceeds; what changed at the provider since is told instead of taken over.

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data, Form, Path};
use actix_web::{HttpRequest, HttpResponse, get, post};
use askama::Template;
use serde::Deserialize;

use super::contracts;
use super::door::{self, Visitor};
use super::shell::{Section, Shell};
use super::words::{ago, difference, sentence, value};
use crate::domain::caller::Permission;
use crate::domain::ids::{BillingContractId, PreviewId, SubscriptionRunId};
use crate::domain::subscription_sync::ChangeKind;
use crate::flows::FlowError;
use crate::flows::subscriptions::preview::{Preview, PreviewItem};
use crate::flows::subscriptions::proceed::{ChangedSince, Proceeded, Selection};
use crate::http::state::ApiState;

/// Subscriptions of a group shown; the rest goes along with "all".
const MOST_SHOWN: usize = 200;

/// A form that carries only the CSRF secret.
#[derive(Deserialize)]
pub(super) struct Bare {
    csrf: String,
}

struct Item {
    external_id: String,
    name: String,
    customer: String,
    quantity: String,
    status: String,
    quantity_only: bool,
    attaches: bool,
    differences: Vec<(String, String, String)>,
    note: Option<String>,
}

struct Group {
    id: &'static str,
    title: &'static str,
    hint: &'static str,
    total: usize,
    items: Vec<Item>,
}

#[derive(Template)]
#[template(path = "preview.html", config = "src/http/pages/askama.toml")]
struct Page {
    shell: Shell,
    id: PreviewId,
    contract: (BillingContractId, String),
    made: String,
    by: String,
    groups: Vec<Group>,
    unchanged: Vec<Item>,
    unchanged_total: usize,
    failures: Vec<(String, String, Option<String>)>,
    to_do: usize,
    hidden: usize,
    run: Option<SubscriptionRunId>,
    may_sync: bool,
    problem: Option<String>,
}

#[derive(Template)]
#[template(path = "proceeded.html", config = "src/http/pages/askama.toml")]
struct Outcome {
    shell: Shell,
    contract: BillingContractId,
    run: SubscriptionRunId,
    applied: usize,
    changed_since: Vec<(String, String)>,
    unread: Vec<String>,
}

fn item(it: &PreviewItem) -> Item {
    Item {
        external_id: it.external_id.clone(),
        name: it.name.clone(),
        customer: it.provider_account_name.clone(),
        quantity: it.quantity.clone(),
        status: it.status.clone(),
        quantity_only: it.quantity_only,
        attaches: it.attaches,
        differences: it.differences.iter().map(difference).collect(),
        note: it.note.as_deref().map(sentence),
    }
}

/// What a group is called, and what proceeding does to it.
const GROUPS: [(ChangeKind, &str, &str, &str); 4] = [
    (ChangeKind::New, "new", "New", "come into this contract"),
    (
        ChangeKind::Changed,
        "changed",
        "Changed",
        "take the provider's values",
    ),
    (
        ChangeKind::Gone,
        "gone",
        "Gone",
        "are marked as no longer listed; nothing is deleted",
    ),
    (
        ChangeKind::Unchanged,
        "attached",
        "Held until now",
        "are as at the provider, and come into this contract",
    ),
];

fn groups(preview: &Preview) -> Vec<Group> {
    let of = |(kind, id, title, hint)| {
        let mine = |it: &&PreviewItem| it.kind == kind && it.does_something();
        Group {
            id,
            title,
            hint,
            total: preview.items.iter().filter(mine).count(),
            items: preview
                .items
                .iter()
                .filter(mine)
                .take(MOST_SHOWN)
                .map(item)
                .collect(),
        }
    };
    let groups = GROUPS.map(of).into_iter();
    groups.filter(|group| group.total > 0).collect()
}

fn id_of(text: &str) -> Result<PreviewId, FlowError> {
    door::id_of(text, "preview")
}

async fn page(
    state: &Data<ApiState>,
    visitor: &Visitor,
    id: PreviewId,
    problem: Option<String>,
) -> Result<Page, FlowError> {
    let (flows, caller) = (&state.flows, &visitor.caller);
    let preview = flows.get_subscription_preview(caller, id).await?;
    let contract = flows
        .get_billing_contract(caller, preview.contract_id)
        .await?;
    let groups = groups(&preview);
    let idle = |it: &&PreviewItem| !it.does_something();
    let to_do = groups.iter().map(|group| group.total).sum();
    let shown: usize = groups.iter().map(|group| group.items.len()).sum();
    Ok(Page {
        shell: Shell::of(state, visitor, None)
            .await?
            .at(Section::Contracts),
        id,
        contract: (contract.id, contract.terms.name),
        made: ago(preview.made_at, flows.context.now()),
        unchanged: preview
            .items
            .iter()
            .filter(idle)
            .take(MOST_SHOWN)
            .map(item)
            .collect(),
        unchanged_total: preview.items.iter().filter(idle).count(),
        failures: preview
            .failures
            .iter()
            .map(|it| {
                (
                    it.provider_account_name.clone(),
                    sentence(&it.message),
                    it.correlation_id.clone(),
                )
            })
            .collect(),
        by: preview.made_by,
        groups,
        to_do,
        hidden: to_do - shown,
        run: preview.run_id,
        may_sync: visitor.may(Permission::Sync),
        problem,
    })
}

/// Makes a preview.
#[post("/billing-contracts/{id}/preview")]
pub(super) async fn make(
    request: HttpRequest,
    state: Data<ApiState>,
    id: Path<String>,
    form: Form<Bare>,
) -> HttpResponse {
    let visitor = match door::poster(&request, &state, &form.csrf).await {
        Ok(visitor) => visitor,
        Err(refusal) => return *refusal,
    };
    let id = match contracts::id_of(&id) {
        Ok(id) => id,
        Err(error) => return door::failed(&error),
    };
    match state.flows.preview_subscriptions(&visitor.caller, id).await {
        Ok(preview) => door::go_to(&format!("/subscription-previews/{}", preview.id)),
        Err(error) => contracts::refused(&state, &visitor, id, &error).await,
    }
}

#[get("/subscription-previews/{id}")]
pub(super) async fn show(
    request: HttpRequest,
    state: Data<ApiState>,
    id: Path<String>,
) -> HttpResponse {
    door::show(&request, &state, async |visitor| {
        page(&state, visitor, id_of(&id)?, None).await
    })
    .await
}

/// What the form sends: as many ids as boxes are ticked, or that all is meant.
#[derive(Default)]
struct Chosen {
    csrf: String,
    all: bool,
    ids: Vec<String>,
}

impl Chosen {
    fn read(body: &[u8]) -> Self {
        let mut chosen = Self::default();
        for (name, value) in url::form_urlencoded::parse(body) {
            match &*name {
                "csrf" => chosen.csrf = value.into_owned(),
                "what" => chosen.all = value == "all",
                "id" => chosen.ids.push(value.into_owned()),
                _ => {}
            }
        }
        chosen
    }
}

/// Takes over what was selected.
#[post("/subscription-previews/{id}/proceed")]
pub(super) async fn proceed(
    request: HttpRequest,
    state: Data<ApiState>,
    id: Path<String>,
    body: Bytes,
) -> HttpResponse {
    let chosen = Chosen::read(&body);
    let visitor = match door::poster(&request, &state, &chosen.csrf).await {
        Ok(visitor) => visitor,
        Err(refusal) => return *refusal,
    };
    let id = match id_of(&id) {
        Ok(id) => id,
        Err(error) => return door::failed(&error),
    };
    let selection = if chosen.all {
        Selection::Everything
    } else {
        Selection::These(chosen.ids)
    };
    let done = state
        .flows
        .proceed_with_preview(&visitor.caller, id, &selection);
    let error = match done.await {
        Ok(proceeded) => {
            let result = result(&state, &visitor, id, proceeded).await;
            return door::made(StatusCode::OK, result);
        }
        Err(error) => error,
    };
    let Some((status, problem)) = door::said_on_page(&error) else {
        return door::failed(&error);
    };
    door::made(status, page(&state, &visitor, id, Some(problem)).await)
}

/// How one differs from what the preview showed.
fn since(it: &ChangedSince) -> (String, String) {
    let name = it.then.name.clone();
    let Some(now) = &it.now else {
        return (name, "is not there any more".to_owned());
    };
    let (then_says, now_says) = (says(&it.then), says(now));
    (name, format!("was: {then_says}; is now: {now_says}"))
}

fn says(it: &PreviewItem) -> String {
    let differences: Vec<_> = it
        .differences
        .iter()
        .map(|it| {
            format!(
                "{} {} → {}",
                it.field,
                value(it.old.as_deref()),
                value(it.new.as_deref())
            )
        })
        .collect();
    let differences = differences.join(", ");
    if differences.is_empty() {
        format!("{}, {} × {}", it.kind.name(), it.quantity, it.status)
    } else {
        differences
    }
}

async fn result(
    state: &Data<ApiState>,
    visitor: &Visitor,
    id: PreviewId,
    done: Proceeded,
) -> Result<Outcome, FlowError> {
    let preview = state
        .flows
        .get_subscription_preview(&visitor.caller, id)
        .await?;
    Ok(Outcome {
        shell: Shell::of(state, visitor, None)
            .await?
            .at(Section::Contracts),
        contract: preview.contract_id,
        run: done.run.id,
        applied: done.applied,
        changed_since: done.changed_since.iter().map(since).collect(),
        unread: done.unread.into_iter().map(|it| it.name).collect(),
    })
}
