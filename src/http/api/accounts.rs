//! CRM Accounts: found by text, read by id, from memory while it is fresh (H5).

use std::sync::Arc;

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::domain::account::{Account, AccountState};
use crate::domain::ids::AccountId;
use crate::flows::accounts::MOST_FOUND;
use crate::http::call::{Call, PathId};
use crate::http::paging;
use crate::http::problem::{Outcome, Problem};
use crate::http::reading::{Question, search_text};
use crate::http::state::ApiState;
use crate::http::words;

/// A customer account in Dynamics 365.
#[derive(Serialize, ToSchema)]
#[schema(as = Account)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccountBody<'a> {
    /// Id of the account.
    account_id: Uuid,
    /// Name of the account.
    #[schema(example = "Contoso Ltd")]
    name: &'a str,
    /// Account number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    account_number: Option<&'a str>,
    /// Website, as written in Dynamics 365.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    website: Option<&'a str>,
    /// E-mail address of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    email: Option<&'a str>,
    /// City of the first address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    city: Option<&'a str>,
    /// Country of the first address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    country: Option<&'a str>,
    #[schema(schema_with = words::account_state)]
    state: &'static str,
    /// The account that survived, when this one was merged.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    merged_into_account_id: Option<Uuid>,
    /// The parent account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    parent_account_id: Option<Uuid>,
    /// When it last changed in Dynamics 365.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    modified_at: Option<DateTime<Utc>>,
}

/// Accounts that were found.
#[derive(Serialize, ToSchema)]
#[schema(as = AccountList)]
pub(super) struct AccountListBody<'a> {
    /// The accounts, the best match first.
    value: Vec<AccountBody<'a>>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct AccountQuery {
    /// Part of a name, account number or domain; 200 characters at most.
    #[param(min_length = 1, max_length = 200)]
    search: String,
    /// So many at most; 100 when left out, 100 at most.
    #[serde(rename = "$top")]
    #[param(nullable = false, minimum = 1)]
    top: Option<u32>,
}

impl<'a> From<&'a Account> for AccountBody<'a> {
    fn from(account: &'a Account) -> Self {
        let (state, merged_into) = match account.state {
            AccountState::Active => ("active", None),
            AccountState::Inactive => ("inactive", None),
            AccountState::Merged(into) => ("merged", Some(into.as_uuid())),
        };
        Self {
            account_id: account.id.as_uuid(),
            name: &account.name,
            account_number: account.number.as_deref(),
            website: account.website.as_deref(),
            email: account.email.as_deref(),
            city: account.city.as_deref(),
            country: account.country.as_deref(),
            state,
            merged_into_account_id: merged_into,
            parent_account_id: account.parent_id.map(AccountId::as_uuid),
            modified_at: account.modified_at,
        }
    }
}

/// Search accounts
///
/// Finds accounts in Dynamics 365 by part of a name, account number or domain, the best match first.
#[utoipa::path(
    tag = "Accounts",
    params(AccountQuery),
    responses(
        (status = 200, description = "The accounts that were found.", body = AccountListBody<'_>),
        (status = 502, description = "Dynamics 365 refused or could not be understood."),
    ),
)]
#[get("/accounts")]
pub(in crate::http) async fn search_accounts(
    state: Data<ApiState>,
    call: Call,
    Question(query): Question<AccountQuery>,
) -> Outcome<HttpResponse> {
    let text = search_text(Some(&query.search))?.ok_or_else(|| {
        Problem::invalid("The query parameter `search` is empty; give a part of a name, account number or domain.")
    })?;
    let top = paging::top(query.top, MOST_FOUND as u64)?;
    let top = usize::try_from(top).unwrap_or(MOST_FOUND);
    let found = state.flows.search_accounts(&call.caller, text, top).await?;
    Ok(HttpResponse::Ok().json(AccountListBody {
        value: found.iter().map(Into::into).collect(),
    }))
}

/// Get an account
///
/// Gives one account of Dynamics 365, from memory while that is fresh.
#[utoipa::path(
    tag = "Accounts",
    params(("accountId" = Uuid, Path, description = "Id of the account.")),
    responses(
        (status = 200, description = "The account.", body = AccountBody<'_>),
        (status = 404, description = "There is no such account."),
        (status = 502, description = "Dynamics 365 refused or could not be understood."),
    ),
)]
#[get("/accounts/{accountId}")]
pub(in crate::http) async fn get_account(
    state: Data<ApiState>,
    call: Call,
    id: PathId<AccountId>,
) -> Outcome<HttpResponse> {
    let account: Arc<Account> = state.flows.get_account(&call.caller, id.0).await?;
    Ok(HttpResponse::Ok().json(AccountBody::from(&*account)))
}
