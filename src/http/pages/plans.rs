//! Plans of auto-match: look, apply all or one, take it back (B4). Beside them the two things a person does with a suggestion
//! or without any: say that it is not the one, and have the account created (B7, B8).

use actix_web::http::StatusCode;
use actix_web::web::{Data, Form, Path};
use actix_web::{HttpRequest, HttpResponse, get, post};
use askama::Template;
use serde::Deserialize;

use super::account::{self, evidence_line};
use super::door::{self, Visitor};
use super::shell::{Section, Shell};
use super::words::{ago, confidence, sentence};
use crate::domain::caller::Permission;
use crate::domain::ids::{AccountId, MatchPlanId, ProviderAccountId};
use crate::domain::match_plan::PlanItemState;
use crate::flows::FlowError;
use crate::flows::create_account::CreateAccount;
use crate::flows::match_plans::{Counted, Moving};
use crate::http::state::ApiState;

/// Plans shown.
const MOST_PLANS: u64 = 10;
/// Mappings of a plan shown.
const MOST_ITEMS: u64 = 200;

/// What the forms send.
#[derive(Deserialize)]
pub(super) struct Sent {
    csrf: String,
    provider_account: Option<ProviderAccountId>,
    account: Option<AccountId>,
    name: Option<String>,
    confirmed: Option<String>,
}

struct PlanRow {
    id: MatchPlanId,
    when: String,
    by: String,
    complete: bool,
    says: String,
    planned: u64,
    applied: u64,
}

struct ItemRow {
    id: ProviderAccountId,
    name: String,
    account: String,
    confidence: String,
    evidence: Vec<String>,
    state: &'static str,
    detail: String,
    moves: String,
    planned: bool,
}

#[derive(Template)]
#[template(path = "plans.html", config = "src/http/pages/askama.toml")]
struct Plans {
    shell: Shell,
    rows: Vec<PlanRow>,
    may_map: bool,
}

#[derive(Template)]
#[template(path = "plan.html", config = "src/http/pages/askama.toml")]
struct Plan {
    shell: Shell,
    plan: PlanRow,
    items: Vec<ItemRow>,
    may_map: bool,
}

fn row((plan, counts): Counted, now: chrono::DateTime<chrono::Utc>) -> PlanRow {
    let of = |wanted: PlanItemState| {
        let found = counts.iter().find(|(state, _)| *state == wanted);
        found.map_or(0, |(_, rows)| *rows)
    };
    let says: Vec<String> = counts
        .iter()
        .map(|(state, rows)| format!("{rows} {}", state.name()))
        .collect();
    PlanRow {
        id: plan.id,
        when: ago(plan.created_at, now),
        by: plan.created_by,
        complete: plan.made_at.is_some(),
        says: if says.is_empty() {
            "nothing to map".to_owned()
        } else {
            says.join(", ")
        },
        planned: of(PlanItemState::Planned),
        applied: of(PlanItemState::Applied),
    }
}

fn item((item, subscriptions): Moving) -> ItemRow {
    ItemRow {
        id: item.provider_account_id,
        name: item.name,
        account: item.account_name,
        confidence: confidence(item.confidence),
        evidence: item.reasons.iter().map(evidence_line).collect(),
        state: item.state.name(),
        detail: item.detail.unwrap_or_default(),
        moves: match subscriptions {
            0 => String::new(),
            1 => " · 1 subscription moves along".to_owned(),
            some => format!(" · {some} subscriptions move along"),
        },
        planned: item.state == PlanItemState::Planned,
    }
}

fn id_of(text: &str) -> Result<MatchPlanId, FlowError> {
    door::id_of(text, "match plan")
}

#[get("/match-plans")]
pub(super) async fn list(request: HttpRequest, state: Data<ApiState>) -> HttpResponse {
    door::show(&request, &state, async |visitor| {
        let flows = &state.flows;
        let now = flows.context.now();
        let plans = flows.list_match_plans(&visitor.caller, MOST_PLANS).await?;
        Ok(Plans {
            shell: Shell::of(&state, visitor, None).await?.at(Section::Plans),
            rows: plans.into_iter().map(|plan| row(plan, now)).collect(),
            may_map: visitor.may(Permission::Map),
        })
    })
    .await
}

#[get("/match-plans/{id}")]
pub(super) async fn show(
    request: HttpRequest,
    state: Data<ApiState>,
    id: Path<String>,
) -> HttpResponse {
    door::show(&request, &state, async |visitor| {
        let (flows, id) = (&state.flows, id_of(&id)?);
        let plan = flows.get_match_plan(&visitor.caller, id).await?;
        let items = flows
            .list_match_plan_items(&visitor.caller, id, None, None, MOST_ITEMS)
            .await?;
        Ok(Plan {
            shell: Shell::of(&state, visitor, None).await?.at(Section::Plans),
            plan: row(plan, flows.context.now()),
            items: items.into_iter().map(item).collect(),
            may_map: visitor.may(Permission::Map),
        })
    })
    .await
}

/// Asks for a plan.
#[post("/match-plans")]
pub(super) async fn make(
    request: HttpRequest,
    state: Data<ApiState>,
    form: Form<Sent>,
) -> HttpResponse {
    let visitor = match door::poster(&request, &state, &form.csrf).await {
        Ok(visitor) => visitor,
        Err(refusal) => return *refusal,
    };
    match state.flows.request_match_plan(&visitor.caller).await {
        Ok(_) => door::go_to("/match-plans"),
        Err(error) => door::failed(&error),
    }
}

/// Applies a plan, or one mapping of it.
#[post("/match-plans/{id}/apply")]
pub(super) async fn apply(
    request: HttpRequest,
    state: Data<ApiState>,
    id: Path<String>,
    form: Form<Sent>,
) -> HttpResponse {
    step(&request, &state, &id, &form, true).await
}

/// Undoes a plan.
#[post("/match-plans/{id}/undo")]
pub(super) async fn undo(
    request: HttpRequest,
    state: Data<ApiState>,
    id: Path<String>,
    form: Form<Sent>,
) -> HttpResponse {
    step(&request, &state, &id, &form, false).await
}

async fn step(
    request: &HttpRequest,
    state: &Data<ApiState>,
    id: &str,
    form: &Sent,
    forward: bool,
) -> HttpResponse {
    let visitor = match door::poster(request, state, &form.csrf).await {
        Ok(visitor) => visitor,
        Err(refusal) => return *refusal,
    };
    let done = async {
        let (flows, id) = (&state.flows, id_of(id)?);
        let one = form.provider_account.map(|one| [one]);
        let only = one.as_ref().map(<[_; 1]>::as_slice);
        if forward {
            flows.request_apply(&visitor.caller, id, only).await?;
        } else {
            flows.request_undo(&visitor.caller, id, only).await?;
        }
        Ok::<_, FlowError>(id)
    };
    match done.await {
        Ok(id) => door::go_to(&format!("/match-plans/{id}")),
        Err(error) => door::failed(&error),
    }
}

/// Says that a suggestion is not the one.
#[post("/provider-accounts/{id}/reject")]
pub(super) async fn reject(
    request: HttpRequest,
    state: Data<ApiState>,
    id: Path<String>,
    form: Form<Sent>,
) -> HttpResponse {
    let visitor = match door::poster(&request, &state, &form.csrf).await {
        Ok(visitor) => visitor,
        Err(refusal) => return *refusal,
    };
    let done = async {
        let account = form
            .account
            .ok_or_else(|| FlowError::Invalid("choose the suggestion to reject".to_owned()))?;
        let of = account::id_of(&id)?;
        let flows = &state.flows;
        flows
            .reject_suggestion(&visitor.caller, of, account, None)
            .await
    };
    answer(&state, &visitor, &id, done.await).await
}

/// Has the account created and maps it.
#[post("/provider-accounts/{id}/create")]
pub(super) async fn create(
    request: HttpRequest,
    state: Data<ApiState>,
    id: Path<String>,
    form: Form<Sent>,
) -> HttpResponse {
    let visitor = match door::poster(&request, &state, &form.csrf).await {
        Ok(visitor) => visitor,
        Err(refusal) => return *refusal,
    };
    let done = async {
        let wanted = CreateAccount {
            name: form.name.clone().filter(|name| !name.trim().is_empty()),
            confirmed: form.confirmed.is_some(),
            ..CreateAccount::default()
        };
        let of = account::id_of(&id)?;
        let flows = &state.flows;
        flows
            .create_account_and_map(&visitor.caller, of, &wanted)
            .await?;
        Ok(())
    };
    answer(&state, &visitor, &id, done.await).await
}

async fn answer(
    state: &Data<ApiState>,
    visitor: &Visitor,
    id: &str,
    done: Result<(), FlowError>,
) -> HttpResponse {
    let error = match done {
        Ok(()) => return door::go_to(&format!("/provider-accounts/{id}")),
        Err(error) => error,
    };
    let status = match &error {
        FlowError::Conflict { .. } | FlowError::Stale(_) => StatusCode::CONFLICT,
        FlowError::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        FlowError::Crm(_) => StatusCode::BAD_GATEWAY,
        _ => return door::failed(&error),
    };
    let problem = Some(sentence(&error.to_string()));
    account::render(state, visitor, id, "", problem, status).await
}
