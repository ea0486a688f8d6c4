//! Making a Billing Contract (D1): first its Account is looked up, because no list of them fits into a form, then the form.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Form, Query};
use actix_web::{HttpRequest, HttpResponse, get, post};
use askama::Template;
use serde::Deserialize;

use super::account_search::{AccountSearch, search};
use super::contract_form::{self, Purpose, Refused, Typed};
use super::door::{self, Visitor};
use super::shell::{Section, Shell};
use super::words::sentence;
use crate::domain::caller::Permission;
use crate::domain::ids::AccountId;
use crate::flows::FlowError;
use crate::flows::subscriptions::reading::Filter as SubscriptionFilter;
use crate::http::state::ApiState;

/// Accounts that a search shows.
const MOST_ACCOUNTS: usize = 20;
/// Subscriptions that are looked at for their currency.
const LOOKED_AT: u64 = 50;

/// What the link says.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Asked {
    account: String,
    q: String,
}

#[derive(Template)]
#[template(path = "contract_account.html", config = "src/http/pages/askama.toml")]
struct Picker {
    shell: Shell,
    search: AccountSearch,
    problem: Option<String>,
}

#[derive(Template)]
#[template(path = "found_accounts.html", config = "src/http/pages/askama.toml")]
struct Fragment {
    search: AccountSearch,
}

async fn pick(
    state: &Data<ApiState>,
    visitor: &Visitor,
    query: &str,
    refused: Option<(StatusCode, String)>,
) -> HttpResponse {
    let (status, problem) = match refused {
        Some((status, problem)) => (status, Some(problem)),
        None => (StatusCode::OK, None),
    };
    let picker = async {
        Ok(Picker {
            shell: Shell::of(state, visitor, None)
                .await?
                .at(Section::Contracts),
            search: search(state, visitor, query, MOST_ACCOUNTS).await,
            problem,
        })
    };
    door::made(status, picker.await)
}

/// The Account that a link or a form names, or what to say on the page on which another is chosen.
async fn account(
    state: &Data<ApiState>,
    visitor: &Visitor,
    id: &str,
) -> Result<(AccountId, String), (StatusCode, String)> {
    let said = |status, error: &FlowError| (status, sentence(&error.to_string()));
    let unknown = StatusCode::UNPROCESSABLE_ENTITY;
    let id: AccountId = door::id_of(id, "account").map_err(|error| said(unknown, &error))?;
    match state.flows.get_account(&visitor.caller, id).await {
        Ok(account) => Ok((id, account.name.clone())),
        Err(error @ FlowError::NotFound { .. }) => Err(said(unknown, &error)),
        Err(error) => Err(said(StatusCode::BAD_GATEWAY, &error)),
    }
}

/// The currency of what waits for a contract of the Account.
async fn likely_currency(
    state: &Data<ApiState>,
    visitor: &Visitor,
    account: AccountId,
) -> Result<Option<crate::domain::money::Currency>, FlowError> {
    let filter = SubscriptionFilter {
        account: Some(account),
        ..SubscriptionFilter::default()
    };
    let flows = &state.flows;
    let (held, _) = flows
        .list_subscriptions(&visitor.caller, &filter, None, LOOKED_AT)
        .await?;
    let homeless = held.iter().filter(|it| it.contract_id.is_none());
    Ok(homeless.filter_map(|it| it.listed.currency).next())
}

async fn form(
    state: &Data<ApiState>,
    visitor: &Visitor,
    of: (AccountId, String),
    typed: &Typed,
    refused: Refused,
) -> Result<contract_form::Form, FlowError> {
    let (id, name) = of;
    let shell = Shell::of(state, visitor, None)
        .await?
        .at(Section::Contracts);
    let to = Purpose {
        title: "New billing contract".to_owned(),
        action: "/billing-contracts".to_owned(),
        about: ("account", id.to_string()),
        new: true,
        account: name,
        account_link: format!("/billing-contracts?account={id}"),
        back: "/billing-contracts".to_owned(),
    };
    Ok(contract_form::form(shell, to, typed, refused))
}

/// The search for an Account, and once one is chosen the form.
#[get("/billing-contracts/new")]
pub(super) async fn ask(
    request: HttpRequest,
    state: Data<ApiState>,
    asked: Query<Asked>,
) -> HttpResponse {
    let visitor = match door::visitor(&request, &state).await {
        Ok(visitor) => visitor,
        Err(refusal) => return *refusal,
    };
    if let Err(missing) = visitor.caller.require(Permission::Bill) {
        return door::failed(&missing.into());
    }
    if asked.account.is_empty() {
        return pick(&state, &visitor, &asked.q, None).await;
    }
    let of = match account(&state, &visitor, &asked.account).await {
        Ok(of) => of,
        Err(refused) => return pick(&state, &visitor, &asked.q, Some(refused)).await,
    };
    let made = async {
        let currency = likely_currency(&state, &visitor, of.0).await?;
        let today = state.flows.context.now().date_naive();
        let typed = Typed::suggested(today, currency);
        form(&state, &visitor, of, &typed, Refused::default()).await
    };
    door::made(StatusCode::OK, made.await)
}

/// What the search finds, as a fragment.
#[get("/billing-contracts/accounts")]
pub(super) async fn find_accounts(
    request: HttpRequest,
    state: Data<ApiState>,
    asked: Query<Asked>,
) -> HttpResponse {
    door::show(&request, &state, async |visitor| {
        let search = search(&state, visitor, &asked.q, MOST_ACCOUNTS).await;
        Ok(Fragment { search })
    })
    .await
}

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Wanted {
    csrf: String,
    #[serde(default)]
    account: String,
    #[serde(flatten)]
    typed: Typed,
}

#[post("/billing-contracts")]
pub(super) async fn make(
    request: HttpRequest,
    state: Data<ApiState>,
    wanted: Form<Wanted>,
) -> HttpResponse {
    let visitor = match door::poster(&request, &state, &wanted.csrf).await {
        Ok(visitor) => visitor,
        Err(refusal) => return *refusal,
    };
    if let Err(missing) = visitor.caller.require(Permission::Bill) {
        return door::failed(&missing.into());
    }
    let id: AccountId = match door::id_of(&wanted.account, "account") {
        Ok(id) => id,
        Err(error) => {
            let said = (
                StatusCode::UNPROCESSABLE_ENTITY,
                sentence(&error.to_string()),
            );
            return pick(&state, &visitor, "", Some(said)).await;
        }
    };
    let flows = &state.flows;
    let (status, refused) = match wanted.typed.read_new(id) {
        Err(mistakes) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            Refused::at_fields(mistakes),
        ),
        Ok(new) => match flows.create_billing_contract(&visitor.caller, new).await {
            Ok(made) => return door::go_to(&format!("/billing-contracts/{}?done=made", made.id)),
            Err(error) => match refusal(&error) {
                Some(refused) => refused,
                None => return door::failed(&error),
            },
        },
    };
    // The CRM may be what failed: the form is shown anyway.
    let name = account(&state, &visitor, &wanted.account).await;
    let name = name.map_or_else(|_| id.to_string(), |(_, name)| name);
    let shown = form(&state, &visitor, (id, name), &wanted.typed, refused);
    door::made(status, shown.await)
}

/// What is said on the form, where what was typed is kept; the rest has a page of its own.
pub(super) fn refusal(error: &FlowError) -> Option<(StatusCode, Refused)> {
    let said = |problem: String| Refused {
        problem: Some(problem),
        ..Refused::default()
    };
    Some(match error {
        FlowError::Invalid(text) => (StatusCode::UNPROCESSABLE_ENTITY, Refused::by_rule(text)),
        FlowError::Crm(error) => (StatusCode::BAD_GATEWAY, said(sentence(&error.to_string()))),
        other => {
            let (status, problem) = door::said_on_page(other)?;
            (status, said(problem))
        }
    })
}
