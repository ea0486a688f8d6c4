//! One Provider Account: what the provider says of it, suggestions, and the search for its Account.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse, get};
use askama::Template;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::account_search::{AccountSearch, search};
use super::door::{self, Visitor};
use super::shell::Shell;
use super::words::{ago, confidence, readable_domains};
use crate::domain::caller::Permission;
use crate::domain::ids::{AccountId, ProviderAccountId};
use crate::domain::mapping::{MappedBy, Mapping, Reason};
use crate::domain::provider_account::ProviderAccount;
use crate::flows::FlowError;
use crate::http::state::ApiState;

/// Candidates shown at most.
const MOST_CANDIDATES: usize = 10;

/// What the search box says.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Asked {
    q: String,
}

/// What the search found, to be mapped to.
struct Candidates {
    id: ProviderAccountId,
    version: i64,
    csrf: String,
    found: AccountSearch,
}

struct Suggested {
    id: AccountId,
    name: String,
    confidence: String,
    reasons: Vec<String>,
}

#[derive(Template)]
#[template(path = "candidates.html", config = "src/http/pages/askama.toml")]
struct Fragment {
    candidates: Candidates,
}

#[derive(Template)]
#[template(path = "account.html", config = "src/http/pages/askama.toml")]
struct Page {
    shell: Shell,
    id: ProviderAccountId,
    version: i64,
    name: String,
    state: &'static str,
    provider: String,
    external_id: String,
    domains: String,
    place: String,
    relationship: String,
    first_seen: String,
    mapping: String,
    evidence: Vec<String>,
    may_map: bool,
    /// Its Account, where it is mapped.
    account: Option<AccountId>,
    may_bill: bool,
    suggestions: Vec<Suggested>,
    query: String,
    candidates: Candidates,
    problem: Option<String>,
}

/// Reads the id in a path; one that cannot be read is one that does not exist.
pub(super) fn id_of(text: &str) -> Result<ProviderAccountId, FlowError> {
    door::id_of(text, "provider account")
}

#[get("/provider-accounts/{id}")]
pub(super) async fn show(
    request: HttpRequest,
    state: Data<ApiState>,
    id: Path<String>,
    asked: Query<Asked>,
) -> HttpResponse {
    let visitor = match door::visitor(&request, &state).await {
        Ok(visitor) => visitor,
        Err(refusal) => return *refusal,
    };
    render(&state, &visitor, &id, &asked.q, None, StatusCode::OK).await
}

/// What the search finds, as a fragment.
#[get("/provider-accounts/{id}/candidates")]
pub(super) async fn candidates(
    request: HttpRequest,
    state: Data<ApiState>,
    id: Path<String>,
    asked: Query<Asked>,
) -> HttpResponse {
    door::show(&request, &state, async |visitor| {
        let flows = &state.flows;
        let account = flows
            .get_provider_account(&visitor.caller, id_of(&id)?)
            .await?;
        let candidates = candidates_of(&state, visitor, &account, &asked.q).await;
        Ok(Fragment { candidates })
    })
    .await
}

/// The page, with `problem` on top when something was refused.
pub(super) async fn render(
    state: &Data<ApiState>,
    visitor: &Visitor,
    id: &str,
    query: &str,
    problem: Option<String>,
    status: StatusCode,
) -> HttpResponse {
    let made = async {
        let account = state
            .flows
            .get_provider_account(&visitor.caller, id_of(id)?)
            .await?;
        make(state, visitor, account, query, problem).await
    };
    match made.await {
        Ok(page) => door::page(status, &page),
        Err(error) => door::failed(&error),
    }
}

async fn make(
    state: &Data<ApiState>,
    visitor: &Visitor,
    account: ProviderAccount,
    query: &str,
    problem: Option<String>,
) -> Result<Page, FlowError> {
    let flows = &state.flows;
    let now = flows.context.now();
    let provider = flows
        .get_provider(&visitor.caller, account.provider_id)
        .await?;
    let suggestions = flows.list_suggestions(&visitor.caller, account.id).await?;
    let suggestions = suggestions.into_iter().map(|named| Suggested {
        id: named.suggestion.account_id,
        name: named.account_name,
        confidence: confidence(named.suggestion.confidence),
        reasons: named.suggestion.reasons.iter().map(evidence_line).collect(),
    });
    let evidence = flows.mapping_evidence(&account).await?;
    let place = [&account.postal_code, &account.city, &account.country];
    let place: Vec<&str> = place.into_iter().flatten().map(String::as_str).collect();
    Ok(Page {
        shell: Shell::of(state, visitor, None).await?,
        id: account.id,
        version: account.mapping_version,
        state: account.mapping.state().name(),
        provider: provider.name.clone(),
        domains: domains(&account),
        place: if place.is_empty() {
            "not known".to_owned()
        } else {
            place.join(" ")
        },
        first_seen: ago(account.first_seen_at, now),
        mapping: mapping(&account.mapping, now),
        evidence: evidence
            .iter()
            .flat_map(|it| it.reasons.iter().map(evidence_line))
            .collect(),
        may_map: visitor.may(Permission::Map),
        account: account.mapping.account_id(),
        may_bill: visitor.may(Permission::Bill),
        suggestions: suggestions.collect(),
        query: query.to_owned(),
        candidates: candidates_of(state, visitor, &account, query).await,
        external_id: account.external_id.to_string(),
        relationship: account.relationship,
        name: account.name,
        problem,
    })
}

/// "contoso.com is the account's website (+4.1)".
pub(super) fn evidence_line(reason: &Reason) -> String {
    match reason.weight {
        Some(weight) => format!("{} ({weight:+.1})", reason.text),
        None => reason.text.clone(),
    }
}

fn domains(account: &ProviderAccount) -> String {
    let names = readable_domains(account);
    if !account.details_complete() {
        return format!("{names} (its other domains are not fetched yet)");
    }
    if names.is_empty() {
        "none known".to_owned()
    } else {
        names
    }
}

/// HTML; names are escaped.
fn mapping(mapping: &Mapping, now: DateTime<Utc>) -> String {
    match mapping {
        Mapping::Unmapped { since } => format!("none, since {}", ago(*since, now)),
        Mapping::Excluded { at, reason } => {
            format!("excluded {}: {}", ago(*at, now), escape(reason))
        }
        Mapping::Mapped {
            account_name,
            by,
            at,
            ..
        } => {
            let by = match by {
                MappedBy::Person => "by a person",
                MappedBy::AutoMatch => "by auto-match",
            };
            format!(
                "<strong>{}</strong>, mapped {by} {}",
                escape(account_name),
                ago(*at, now)
            )
        }
    }
}

fn escape(text: &str) -> String {
    askama::filters::escape(text, askama::filters::Html)
        .map(|safe| safe.to_string())
        .unwrap_or_default()
}

async fn candidates_of(
    state: &Data<ApiState>,
    visitor: &Visitor,
    of: &ProviderAccount,
    query: &str,
) -> Candidates {
    Candidates {
        id: of.id,
        version: of.mapping_version,
        csrf: visitor.session.csrf.clone(),
        found: search(state, visitor, query, MOST_CANDIDATES).await,
    }
}
