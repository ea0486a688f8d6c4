//! Changing and closing a Billing Contract (D1). The form carries the version it was made from: when somebody else was quicker,
//! what is stored by now stands beside what was typed, and only who has seen that can save.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Form, Path};
use actix_web::{HttpRequest, HttpResponse, get, post};
use askama::Template;
use serde::Deserialize;

use super::contract_form::{self, Purpose, Refused, Typed};
use super::contract_make::refusal;
use super::contracts;
use super::door::{self, Visitor};
use super::shell::{Section, Shell};
use crate::domain::billing_contract::BillingContract;
use crate::domain::caller::Permission;
use crate::domain::ids::BillingContractId;
use crate::flows::FlowError;
use crate::flows::subscriptions::reading::Filter as SubscriptionFilter;
use crate::http::state::ApiState;

/// Subscriptions that are counted one by one.
const MOST_COUNTED: u64 = 500;

#[derive(Template)]
#[template(path = "contract_close.html", config = "src/http/pages/askama.toml")]
struct Closing {
    shell: Shell,
    id: BillingContractId,
    name: String,
    account: String,
    version: i64,
    is_default: bool,
    subscriptions: String,
    reason: String,
    problem: Option<String>,
}

async fn form(
    state: &Data<ApiState>,
    visitor: &Visitor,
    contract: &BillingContract,
    typed: &Typed,
    refused: Refused,
) -> Result<contract_form::Form, FlowError> {
    let shell = Shell::of(state, visitor, None)
        .await?
        .at(Section::Contracts);
    let id = contract.id;
    let to = Purpose {
        title: format!("Change {}", contract.terms.name),
        action: format!("/billing-contracts/{id}/edit"),
        about: ("version", contract.version.to_string()),
        new: false,
        account: contract.account_name.clone(),
        account_link: format!("/billing-contracts?account={}", contract.account_id),
        back: format!("/billing-contracts/{id}"),
    };
    Ok(contract_form::form(shell, to, typed, refused))
}

/// The contract to be changed, for somebody who may; a closed one is shown as it is.
async fn open(
    state: &Data<ApiState>,
    visitor: &Visitor,
    id: &str,
) -> Result<BillingContract, HttpResponse> {
    let found = async {
        visitor.caller.require(Permission::Bill)?;
        let flows = &state.flows;
        flows
            .get_billing_contract(&visitor.caller, contracts::id_of(id)?)
            .await
    };
    let contract = found.await.map_err(|error| door::failed(&error))?;
    match &contract.closed {
        None => Ok(contract),
        Some(closed) => {
            let error = FlowError::Conflict {
                detail: format!(
                    "the billing contract was closed on {}; make a new one",
                    closed.at.date_naive()
                ),
                current: serde_json::Value::Null,
            };
            Err(contracts::refused(state, visitor, contract.id, &error).await)
        }
    }
}

#[get("/billing-contracts/{id}/edit")]
pub(super) async fn ask(
    request: HttpRequest,
    state: Data<ApiState>,
    id: Path<String>,
) -> HttpResponse {
    let visitor = match door::visitor(&request, &state).await {
        Ok(visitor) => visitor,
        Err(refusal) => return *refusal,
    };
    let contract = match open(&state, &visitor, &id).await {
        Ok(contract) => contract,
        Err(answer) => return answer,
    };
    let (typed, refused) = (Typed::of(&contract), Refused::default());
    let shown = form(&state, &visitor, &contract, &typed, refused);
    door::made(StatusCode::OK, shown.await)
}

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Wanted {
    csrf: String,
    version: i64,
    #[serde(flatten)]
    typed: Typed,
}

#[post("/billing-contracts/{id}/edit")]
pub(super) async fn change(
    request: HttpRequest,
    state: Data<ApiState>,
    id: Path<String>,
    wanted: Form<Wanted>,
) -> HttpResponse {
    let visitor = match door::poster(&request, &state, &wanted.csrf).await {
        Ok(visitor) => visitor,
        Err(refusal) => return *refusal,
    };
    let before = match open(&state, &visitor, &id).await {
        Ok(contract) => contract,
        Err(answer) => return answer,
    };
    let id = before.id;
    let (flows, caller) = (&state.flows, &visitor.caller);
    let (status, mut refused) = match wanted.typed.read_change(wanted.version) {
        Err(mistakes) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            Refused::at_fields(mistakes),
        ),
        Ok(change) => match flows.change_billing_contract(caller, id, change).await {
            Ok(_) => return door::go_to(&format!("/billing-contracts/{id}?done=changed")),
            Err(error) => match refusal(&error) {
                Some(refused) => refused,
                None => return door::failed(&error),
            },
        },
    };
    let now = match open(&state, &visitor, &id.to_string()).await {
        Ok(contract) => contract,
        Err(answer) => return answer,
    };
    if now.version != wanted.version {
        let told = "Somebody changed this contract while you did. Where it differs, what is stored now stands beside the \
                    field; save again to have what the fields say.";
        refused.problem = Some(told.to_owned());
        refused.stored = Some(Typed::of(&now));
    }
    let shown = form(&state, &visitor, &now, &wanted.typed, refused);
    door::made(status, shown.await)
}

async fn closing(
    state: &Data<ApiState>,
    visitor: &Visitor,
    contract: BillingContract,
    reason: &str,
    problem: Option<String>,
) -> Result<Closing, FlowError> {
    let filter = SubscriptionFilter {
        contract: Some(contract.id),
        ..SubscriptionFilter::default()
    };
    let flows = &state.flows;
    let (inside, more) = flows
        .list_subscriptions(&visitor.caller, &filter, None, MOST_COUNTED)
        .await?;
    Ok(Closing {
        shell: Shell::of(state, visitor, None)
            .await?
            .at(Section::Contracts),
        id: contract.id,
        name: contract.terms.name,
        account: contract.account_name,
        version: contract.version,
        is_default: contract.terms.is_default,
        subscriptions: match (inside.len(), more.is_some()) {
            (0, _) => String::new(),
            (1, _) => "one subscription".to_owned(),
            (many, true) => format!("more than {many} subscriptions"),
            (many, false) => format!("{many} subscriptions"),
        },
        reason: reason.to_owned(),
        problem,
    })
}

/// Asks whether to close it, and says what follows.
#[get("/billing-contracts/{id}/close")]
pub(super) async fn ask_to_close(
    request: HttpRequest,
    state: Data<ApiState>,
    id: Path<String>,
) -> HttpResponse {
    let visitor = match door::visitor(&request, &state).await {
        Ok(visitor) => visitor,
        Err(refusal) => return *refusal,
    };
    match open(&state, &visitor, &id).await {
        Ok(contract) => {
            let shown = closing(&state, &visitor, contract, "", None);
            door::made(StatusCode::OK, shown.await)
        }
        Err(answer) => answer,
    }
}

/// What the confirmation sends.
#[derive(Deserialize)]
pub(super) struct Confirmed {
    csrf: String,
    version: i64,
    #[serde(default)]
    reason: String,
}

#[post("/billing-contracts/{id}/close")]
pub(super) async fn close(
    request: HttpRequest,
    state: Data<ApiState>,
    id: Path<String>,
    confirmed: Form<Confirmed>,
) -> HttpResponse {
    let visitor = match door::poster(&request, &state, &confirmed.csrf).await {
        Ok(visitor) => visitor,
        Err(refusal) => return *refusal,
    };
    let contract = match open(&state, &visitor, &id).await {
        Ok(contract) => contract,
        Err(answer) => return answer,
    };
    let (flows, reason) = (&state.flows, confirmed.reason.trim());
    let closed = async {
        if reason.is_empty() {
            let why = "say why, so that the next person knows".to_owned();
            return Err(FlowError::Invalid(why));
        }
        flows
            .close_billing_contract(
                &visitor.caller,
                contract.id,
                reason,
                Some(confirmed.version),
            )
            .await
    };
    let error = match closed.await {
        Ok(_) => return door::go_to(&format!("/billing-contracts/{}?done=closed", contract.id)),
        Err(error) => error,
    };
    let Some((status, problem)) = door::said_on_page(&error) else {
        return door::failed(&error);
    };
    let again = match open(&state, &visitor, &id).await {
        Ok(contract) => contract,
        Err(answer) => return answer,
    };
    let shown = closing(&state, &visitor, again, reason, Some(problem));
    door::made(status, shown.await)
}
