//! Billing Contracts (D1): the list, of all Accounts or of one, and one contract with its terms, its automation, its
//! subscriptions and its latest syncs.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Form, Path, Query};
use actix_web::{HttpRequest, HttpResponse, get, post};
use askama::Template;
use serde::Deserialize;
use url::form_urlencoded::Serializer;
use uuid::Uuid;

use super::door::{self, Visitor};
use super::reports::RunRow;
use super::shell::{Section, Shell};
use super::words::{ago, cost};
use crate::domain::billing_contract::{Automation, BillingContract};
use crate::domain::caller::Permission;
use crate::domain::ids::{AccountId, BillingContractId, ProductSubscriptionId};
use crate::domain::subscription::Subscription;
use crate::flows::FlowError;
use crate::flows::billing_contracts::{After, ContractChange, Filter};
use crate::flows::subscriptions::reading::{Filter as SubscriptionFilter, RunFilter};
use crate::http::state::ApiState;

/// Contracts of a page.
const ROWS: u64 = 50;
/// Subscriptions of a contract shown.
const MOST_SUBSCRIPTIONS: u64 = 200;
/// Syncs of a contract shown.
const MOST_RUNS: u64 = 5;

/// What the link says.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Asked {
    account: Option<AccountId>,
    closed: Option<String>,
    after: String,
    after_id: Option<Uuid>,
}

struct Row {
    id: BillingContractId,
    name: String,
    account_id: AccountId,
    account: String,
    frequency: &'static str,
    currency: String,
    next_invoice: String,
    closed: bool,
    is_default: bool,
}

#[derive(Template)]
#[template(path = "contracts.html", config = "src/http/pages/askama.toml")]
struct List {
    shell: Shell,
    rows: Vec<Row>,
    account: Option<String>,
    open_link: String,
    closed_link: String,
    closed: bool,
    next: Option<String>,
    /// Where one is made, for who may.
    new_link: Option<String>,
}

/// What an automation switch is called, and whether it is on.
pub(super) struct Switch {
    pub name: &'static str,
    pub label: &'static str,
    pub on: bool,
}

struct SubscriptionRow {
    id: ProductSubscriptionId,
    name: String,
    quantity: String,
    status: String,
    cost: String,
    price: String,
    gone: Option<String>,
}

#[derive(Template)]
#[template(path = "contract.html", config = "src/http/pages/askama.toml")]
struct One {
    shell: Shell,
    row: Row,
    facts: Vec<(&'static str, String)>,
    closed: Option<String>,
    switches: [Switch; 4],
    version: i64,
    subscriptions: Vec<SubscriptionRow>,
    more: bool,
    runs: Vec<RunRow>,
    may_sync: bool,
    may_bill: bool,
    done: Option<&'static str>,
    problem: Option<String>,
}

fn row(contract: &BillingContract) -> Row {
    let terms = &contract.terms;
    Row {
        id: contract.id,
        name: terms.name.clone(),
        account_id: contract.account_id,
        account: contract.account_name.clone(),
        frequency: terms.frequency.name(),
        currency: terms.currency.code().to_owned(),
        next_invoice: terms.next_invoice_date.to_string(),
        closed: contract.closed.is_some(),
        is_default: terms.is_default,
    }
}

fn link(account: Option<AccountId>, closed: bool, after: Option<&After>) -> String {
    let mut query = Serializer::new(String::new());
    if let Some(account) = account {
        query.append_pair("account", &account.to_string());
    }
    if closed {
        query.append_pair("closed", "yes");
    }
    if let Some((name, id)) = after {
        query
            .append_pair("after", name)
            .append_pair("after_id", &id.to_string());
    }
    match query.finish().as_str() {
        "" => "/billing-contracts".to_owned(),
        query => format!("/billing-contracts?{query}"),
    }
}

async fn list(state: &Data<ApiState>, visitor: &Visitor, asked: &Asked) -> Result<List, FlowError> {
    let closed = asked.closed.is_some();
    let filter = Filter {
        account: asked.account,
        open: Some(!closed),
        ..Filter::default()
    };
    let after = asked.after_id.map(|id| (asked.after.clone(), id));
    let flows = &state.flows;
    let (found, next) = flows
        .list_billing_contracts(&visitor.caller, &filter, after.as_ref(), ROWS)
        .await?;
    Ok(List {
        shell: Shell::of(state, visitor, None)
            .await?
            .at(Section::Contracts),
        account: asked.account.map(|id| {
            let known = found.first().map(|contract| contract.account_name.clone());
            known.unwrap_or_else(|| id.to_string())
        }),
        rows: found.iter().map(row).collect(),
        open_link: link(asked.account, false, None),
        closed_link: link(asked.account, true, None),
        next: next.map(|after| link(asked.account, closed, Some(&after))),
        new_link: visitor.may(Permission::Bill).then(|| match asked.account {
            Some(id) => format!("/billing-contracts/new?account={id}"),
            None => "/billing-contracts/new".to_owned(),
        }),
        closed,
    })
}

#[get("/billing-contracts")]
pub(super) async fn show_all(
    request: HttpRequest,
    state: Data<ApiState>,
    asked: Query<Asked>,
) -> HttpResponse {
    door::show(&request, &state, async |visitor| {
        list(&state, visitor, &asked).await
    })
    .await
}

fn facts(contract: &BillingContract) -> Vec<(&'static str, String)> {
    let terms = &contract.terms;
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
    let runs = match terms.end_date {
        Some(end) => format!("{} to {end}", terms.start_date),
        None => format!("from {}, open-ended", terms.start_date),
    };
    vec![
        (
            "Billed",
            format!("{}, in {}", terms.frequency.name(), terms.policy.name()),
        ),
        ("Currency", terms.currency.code().to_owned()),
        ("Terms of payment", or_none(&terms.terms)),
        ("Tax", or_none(&terms.tax)),
        ("Payment profile", or_none(&terms.payment_profile)),
        ("Price list", or_none(&terms.default_price_list)),
        ("Runs", runs),
        ("Billed from", terms.go_live_date.to_string()),
        ("Next invoice", terms.next_invoice_date.to_string()),
    ]
}

pub(super) const fn switches(on: Automation) -> [Switch; 4] {
    [
        Switch {
            name: "sync_to_accounting",
            label: "Post the invoice to accounting",
            on: on.sync_to_accounting,
        },
        Switch {
            name: "charge",
            label: "Charge the payment profile",
            on: on.charge,
        },
        Switch {
            name: "generate_pdf",
            label: "Make a PDF",
            on: on.generate_pdf,
        },
        Switch {
            name: "send_email",
            label: "Send it by e-mail",
            on: on.send_email,
        },
    ]
}

fn subscription(it: Subscription, now: chrono::DateTime<chrono::Utc>) -> SubscriptionRow {
    SubscriptionRow {
        id: it.id,
        quantity: it.listed.quantity.to_string(),
        cost: cost(&it.listed),
        status: it.listed.status,
        price: it
            .selling_price
            .map_or_else(|| "by list".to_owned(), |price| price.to_string()),
        gone: it.gone_since.map(|at| ago(at, now)),
        name: it.listed.name,
    }
}

/// What came of what was done last.
#[derive(Default)]
struct Said {
    done: Option<&'static str>,
    problem: Option<String>,
}

/// The page of one contract.
async fn render(
    state: &Data<ApiState>,
    visitor: &Visitor,
    id: BillingContractId,
    status: StatusCode,
    said: Said,
) -> HttpResponse {
    door::made(status, one(state, visitor, id, said).await)
}

async fn one(
    state: &Data<ApiState>,
    visitor: &Visitor,
    id: BillingContractId,
    said: Said,
) -> Result<One, FlowError> {
    let (flows, caller) = (&state.flows, &visitor.caller);
    let now = flows.context.now();
    let contract = flows.get_billing_contract(caller, id).await?;
    let filter = SubscriptionFilter {
        contract: Some(id),
        ..SubscriptionFilter::default()
    };
    let (subscriptions, more) = flows
        .list_subscriptions(caller, &filter, None, MOST_SUBSCRIPTIONS)
        .await?;
    let filter = RunFilter {
        contract: Some(id),
        ..RunFilter::default()
    };
    let runs = flows
        .list_subscription_runs(caller, filter, None, MOST_RUNS)
        .await?;
    let open = contract.closed.is_none();
    Ok(One {
        shell: Shell::of(state, visitor, None)
            .await?
            .at(Section::Contracts),
        row: row(&contract),
        facts: facts(&contract),
        closed: contract
            .closed
            .map(|closed| format!("Closed on {}: {}", closed.at.date_naive(), closed.reason)),
        switches: switches(contract.terms.automation),
        version: contract.version,
        subscriptions: subscriptions
            .into_iter()
            .map(|it| subscription(it, now))
            .collect(),
        more: more.is_some(),
        runs: runs.iter().map(|run| RunRow::of(run, now)).collect(),
        may_sync: open && visitor.may(Permission::Sync),
        may_bill: open && visitor.may(Permission::Bill),
        done: said.done,
        problem: said.problem,
    })
}

pub(super) fn id_of(text: &str) -> Result<BillingContractId, FlowError> {
    door::id_of(text, "billing contract")
}

/// What a redirect to the page says.
#[derive(Deserialize)]
pub(super) struct Done {
    done: Option<String>,
}

#[get("/billing-contracts/{id}")]
pub(super) async fn show(
    request: HttpRequest,
    state: Data<ApiState>,
    id: Path<String>,
    query: Query<Done>,
) -> HttpResponse {
    let visitor = match door::visitor(&request, &state).await {
        Ok(visitor) => visitor,
        Err(refusal) => return *refusal,
    };
    let said = Said {
        done: match query.done.as_deref() {
            Some("automation") => Some("The automation is kept."),
            Some("made") => Some("The contract is made. What waited for it has landed in it."),
            Some("changed") => Some("The contract is changed."),
            Some("closed") => Some("The contract is closed."),
            _ => None,
        },
        ..Said::default()
    };
    match id_of(&id) {
        Ok(id) => render(&state, &visitor, id, StatusCode::OK, said).await,
        Err(error) => door::failed(&error),
    }
}

/// The form of the switches: a switch that is off is not sent.
#[derive(Deserialize)]
pub(super) struct Automated {
    csrf: String,
    version: i64,
    sync_to_accounting: Option<String>,
    charge: Option<String>,
    generate_pdf: Option<String>,
    send_email: Option<String>,
}

/// Changes what happens by itself after an invoice.
#[post("/billing-contracts/{id}/automation")]
pub(super) async fn automate(
    request: HttpRequest,
    state: Data<ApiState>,
    id: Path<String>,
    form: Form<Automated>,
) -> HttpResponse {
    let visitor = match door::poster(&request, &state, &form.csrf).await {
        Ok(visitor) => visitor,
        Err(refusal) => return *refusal,
    };
    let id = match id_of(&id) {
        Ok(id) => id,
        Err(error) => return door::failed(&error),
    };
    let change = ContractChange {
        automation: Some(Automation {
            sync_to_accounting: form.sync_to_accounting.is_some(),
            charge: form.charge.is_some(),
            generate_pdf: form.generate_pdf.is_some(),
            send_email: form.send_email.is_some(),
        }),
        expected_version: Some(form.version),
        ..ContractChange::default()
    };
    let flows = &state.flows;
    match flows
        .change_billing_contract(&visitor.caller, id, change)
        .await
    {
        Ok(_) => door::go_to(&format!("/billing-contracts/{id}?done=automation")),
        Err(error) => refused(&state, &visitor, id, &error).await,
    }
}

/// The page of one contract again, with why something was refused.
pub(super) async fn refused(
    state: &Data<ApiState>,
    visitor: &Visitor,
    id: BillingContractId,
    error: &FlowError,
) -> HttpResponse {
    let Some((status, problem)) = door::said_on_page(error) else {
        return door::failed(error);
    };
    let said = Said {
        problem: Some(problem),
        ..Said::default()
    };
    render(state, visitor, id, status, said).await
}
