//! `/`: the environment, the providers with their last sync, and the Provider Accounts by view (B3).

use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse, get};
use askama::Template;
use serde::Deserialize;
use url::form_urlencoded::Serializer;

use super::door;
use super::providers::Providers;
use super::shell::{Shell, View};
use super::words::{ago, readable_domains, stopped};
use crate::domain::caller::Permission;
use crate::domain::ids::ProviderAccountId;
use crate::domain::mapping::{Mapping, MappingState};
use crate::domain::provider_account::ProviderAccount;
use crate::flows::FlowError;
use crate::flows::provider_accounts::{After, Filter};
use crate::http::state::ApiState;

/// Rows of a page.
const ROWS: u64 = 50;

/// What the link says.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Asked {
    view: String,
    search: String,
    after: String,
    after_id: Option<uuid::Uuid>,
    done: Option<String>,
    id: Option<ProviderAccountId>,
}

/// What was just done, and how to take it back.
struct Done {
    text: String,
    undo: Option<Undo>,
}

struct Undo {
    id: ProviderAccountId,
    version: i64,
}

struct Row {
    id: ProviderAccountId,
    name: String,
    state: &'static str,
    missing: bool,
    /// Whether the visitor can map it, so that it is offered.
    to_map: bool,
    account: String,
    domains: String,
    first_seen: String,
}

#[derive(Template)]
#[template(path = "home.html", config = "src/http/pages/askama.toml")]
struct Home {
    shell: Shell,
    heading: String,
    view: &'static str,
    search: String,
    providers: Providers,
    rows: Vec<Row>,
    total: String,
    next: Option<String>,
    empty: &'static str,
    done: Option<Done>,
    problem: Option<String>,
}

#[get("/")]
pub(super) async fn show(
    request: HttpRequest,
    state: Data<ApiState>,
    asked: Query<Asked>,
) -> HttpResponse {
    door::show(&request, &state, async |visitor| {
        home(&state, visitor, &asked).await
    })
    .await
}

async fn home(
    state: &Data<ApiState>,
    visitor: &door::Visitor,
    asked: &Asked,
) -> Result<Home, FlowError> {
    let flows = &state.flows;
    let view = View::from_name(&asked.view);
    let search: String = asked.search.trim().chars().take(200).collect();
    let filter = Filter {
        search: Some(search.clone()).filter(|s| !s.is_empty()),
        ..view.filter()
    };
    let after = asked.after_id.map(|id| After {
        name_folded: asked.after.clone(),
        id,
    });
    let listing = flows
        .list_provider_accounts(&visitor.caller, &filter, after.as_ref(), ROWS)
        .await?;
    let now = flows.context.now();
    let rows: Vec<Row> = listing
        .accounts
        .into_iter()
        .map(|account| row(account, visitor.may(Permission::Map), now))
        .collect();
    let shell = Shell::of(state, visitor, Some(view)).await?;
    let all = view.count(&shell.counts);
    Ok(Home {
        heading: format!("{} provider accounts", view.label()),
        view: view.name(),
        total: if search.is_empty() {
            all.to_string()
        } else {
            format!("{all}, searched for “{search}”")
        },
        next: listing.after.map(|after| next(view, &search, &after)),
        empty: empty(view, &search, &shell),
        done: done(state, visitor, asked).await?,
        problem: None,
        providers: Providers::of(state, visitor).await?,
        search,
        shell,
        rows,
    })
}

fn row(account: ProviderAccount, may_map: bool, now: chrono::DateTime<chrono::Utc>) -> Row {
    let domains = readable_domains(&account);
    Row {
        id: account.id,
        state: account.mapping.state().name(),
        missing: account.missing_since.is_some(),
        to_map: may_map && account.mapping.state() == MappingState::Unmapped,
        account: match &account.mapping {
            Mapping::Mapped { account_name, .. } => account_name.clone(),
            Mapping::Excluded { reason, .. } => reason.clone(),
            Mapping::Unmapped { .. } => String::new(),
        },
        domains,
        first_seen: ago(account.first_seen_at, now),
        name: account.name,
    }
}

fn next(view: View, search: &str, after: &After) -> String {
    let mut query = Serializer::new("/?".to_owned());
    // The path is there already; only what follows is encoded.
    query.append_pair("view", view.name());
    if !search.is_empty() {
        query.append_pair("search", search);
    }
    query
        .append_pair("after", &after.name_folded)
        .append_pair("after_id", &after.id.to_string());
    query.finish().replacen("/?&", "/?", 1)
}

fn empty(view: View, search: &str, shell: &Shell) -> &'static str {
    let nothing_at_all = View::All.count(&shell.counts) == 0;
    match view {
        _ if !search.is_empty() => {
            "Nothing matches. Try a shorter part of the name, or another view."
        }
        _ if nothing_at_all => {
            "There are no provider accounts yet. Sync a provider to see its customers here."
        }
        View::Unmapped => "Every provider account is mapped or excluded. Nothing to do here.",
        View::Mapped => "No provider account is mapped yet. Open one under Unmapped to map it.",
        View::Excluded => "Nothing is excluded from mapping.",
        View::Missing => "Every known customer was in its provider's last complete listing.",
        View::All => "There are no provider accounts.",
    }
}

/// The line after a change, with a way back where there is one.
async fn done(
    state: &Data<ApiState>,
    visitor: &door::Visitor,
    asked: &Asked,
) -> Result<Option<Done>, FlowError> {
    let (Some(done), Some(id)) = (asked.done.as_deref(), asked.id) else {
        return Ok(None);
    };
    let account = match state.flows.get_provider_account(&visitor.caller, id).await {
        Ok(account) => account,
        Err(FlowError::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let text = match (done, &account.mapping) {
        ("mapped", Mapping::Mapped { account_name, .. }) => {
            let undo = Undo {
                id,
                version: account.mapping_version,
            };
            let text = stopped(format!("{} is mapped to {account_name}", account.name));
            return Ok(Some(Done {
                text,
                undo: Some(undo),
            }));
        }
        ("unmapped", Mapping::Unmapped { .. }) => format!("{} is unmapped.", account.name),
        ("excluded", Mapping::Excluded { .. }) => {
            format!("{} is excluded from mapping.", account.name)
        }
        ("included", Mapping::Unmapped { .. }) => format!("{} can be mapped again.", account.name),
        _ => return Ok(None),
    };
    Ok(Some(Done { text, undo: None }))
}
