//! The search for an Account of the CRM, wherever a page asks for one.

use actix_web::web::Data;

use super::door::Visitor;
use super::words::sentence;
use crate::domain::account::{Account, AccountState};
use crate::domain::ids::AccountId;
use crate::http::state::ApiState;

/// One Account that was found.
pub(super) struct FoundAccount {
    pub id: AccountId,
    pub name: String,
    pub facts: String,
    pub active: bool,
}

/// What the search found.
#[derive(Default)]
pub(super) struct AccountSearch {
    pub query: String,
    pub rows: Vec<FoundAccount>,
    /// Whether there may be more than are shown.
    pub full: bool,
    pub problem: Option<String>,
}

/// Searches the CRM. That it cannot be reached is said on the page, not instead of it.
pub(super) async fn search(
    state: &Data<ApiState>,
    visitor: &Visitor,
    query: &str,
    most: usize,
) -> AccountSearch {
    let query = query.trim();
    let mut search = AccountSearch {
        query: query.to_owned(),
        ..AccountSearch::default()
    };
    if query.is_empty() {
        return search;
    }
    let flows = &state.flows;
    match flows.search_accounts(&visitor.caller, query, most).await {
        Ok(accounts) => {
            search.full = accounts.len() == most;
            search.rows = accounts.iter().map(found).collect();
        }
        Err(error) => search.problem = Some(sentence(&error.to_string())),
    }
    search
}

fn found(account: &Account) -> FoundAccount {
    let facts = [
        &account.number,
        &account.website,
        &account.email,
        &account.city,
        &account.country,
    ];
    let facts: Vec<&str> = facts.into_iter().flatten().map(String::as_str).collect();
    FoundAccount {
        id: account.id,
        name: account.name.clone(),
        facts: facts.join(" · "),
        active: account.state == AccountState::Active,
    }
}
