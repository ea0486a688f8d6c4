//! Provider Accounts: the list people work through, and one of them (B2, B3).

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, get};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::mapping::MappingBody;
use crate::domain::ids::{AccountId, ProviderAccountId, ProviderId};
use crate::domain::mapping::MappingState;
use crate::domain::provider_account::ProviderAccount;
use crate::flows::provider_accounts::{After, Filter, MOST_PER_PAGE};
use crate::http::call::{Call, PathId};
use crate::http::paging::{self, Listing};
use crate::http::problem::Outcome;
use crate::http::reading::{Question, search_text};
use crate::http::state::ApiState;
use crate::http::words;

/// Where a domain of a provider account was learnt from.
#[derive(Serialize, ToSchema)]
#[schema(as = DomainSource)]
#[serde(rename_all = "camelCase")]
pub(super) struct DomainSourceBody {
    /// The domain name.
    #[schema(example = "contoso.com")]
    domain: String,
    /// Default domain of the listing, a custom domain, or the domain of a contact's e-mail address.
    #[schema(example = "custom")]
    source: &'static str,
}

/// One customer as one provider knows it.
#[derive(Serialize, ToSchema)]
#[schema(as = ProviderAccount)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProviderAccountBody {
    /// Id of the provider account.
    provider_account_id: Uuid,
    /// The provider it belongs to.
    provider_id: Uuid,
    /// The provider's own id of the customer.
    external_id: String,
    /// Name of the customer at the provider.
    #[schema(example = "Contoso Ltd")]
    name: String,
    /// Microsoft tenant of the customer, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    tenant_id: Option<String>,
    /// The relationship to the customer, as the provider words it.
    #[schema(example = "reseller")]
    relationship: String,
    /// Every known domain of the customer, by name.
    domains: Vec<String>,
    /// The same domains with where each was learnt from.
    domain_sources: Vec<DomainSourceBody>,
    /// Country of the billing address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "DE")]
    country: Option<String>,
    /// City of the billing address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    city: Option<String>,
    /// Postal code of the billing address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    postal_code: Option<String>,
    /// Whether its subscriptions are synced.
    sync_enabled: bool,
    /// When a listing first showed it.
    first_seen_at: DateTime<Utc>,
    /// Since when complete listings no longer show it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    missing_since: Option<DateTime<Utc>>,
    /// Whether its details, and with them its custom domains, have been fetched.
    details_complete: bool,
    /// Its mapping to an account.
    mapping: MappingBody,
}

/// One page of provider accounts.
#[derive(Serialize, ToSchema)]
#[schema(as = ProviderAccountPage)]
pub(super) struct ProviderAccountPage {
    /// The provider accounts of this page, by name.
    value: Vec<ProviderAccountBody>,
    /// The next page; absent on the last one.
    #[serde(rename = "@odata.nextLink", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_link: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProviderAccountQuery {
    /// Only provider accounts in this mapping state.
    #[param(schema_with = words::mapping_state)]
    state: Option<String>,
    /// Only provider accounts of this provider.
    #[param(nullable = false)]
    provider: Option<Uuid>,
    /// Only those whose name, domain or provider's id contains this text; 200 characters at most.
    #[param(nullable = false, max_length = 200)]
    search: Option<String>,
    /// Only those mapped to this account.
    #[param(nullable = false)]
    account_id: Option<Uuid>,
    /// Only those that complete listings of their provider no longer show.
    #[param(nullable = false)]
    missing: Option<bool>,
    /// Rows of a page; 100 when left out, 500 at most.
    #[serde(rename = "$top")]
    #[param(nullable = false, minimum = 1)]
    top: Option<u32>,
    /// Where the listing goes on; part of the next link.
    #[serde(rename = "$skiptoken")]
    #[param(nullable = false)]
    skip_token: Option<String>,
}

impl From<ProviderAccount> for ProviderAccountBody {
    fn from(account: ProviderAccount) -> Self {
        let mapping = MappingBody::of(&account);
        let details_complete = account.details_complete();
        let domains = account
            .domain_names()
            .into_iter()
            .map(str::to_owned)
            .collect();
        let name = |domain: &crate::domain::provider_account::AccountDomain| {
            domain.name.as_str().to_owned()
        };
        Self {
            provider_account_id: account.id.as_uuid(),
            provider_id: account.provider_id.as_uuid(),
            external_id: account.external_id.as_str().to_owned(),
            name: account.name,
            tenant_id: account.tenant_id,
            relationship: account.relationship,
            domains,
            domain_sources: account
                .domains
                .iter()
                .map(|domain| DomainSourceBody {
                    domain: name(domain),
                    source: domain.source.name(),
                })
                .collect(),
            country: account.country,
            city: account.city,
            postal_code: account.postal_code,
            sync_enabled: account.sync_enabled,
            first_seen_at: account.first_seen_at,
            missing_since: account.missing_since,
            details_complete,
            mapping,
        }
    }
}

fn filter(query: &ProviderAccountQuery) -> Outcome<Filter> {
    let known = MappingState::ALL.map(MappingState::name);
    let state = query.state.as_deref();
    Ok(Filter {
        state: state
            .map(|word| words::read("state", word, &known, MappingState::from_name))
            .transpose()?,
        provider: query.provider.map(ProviderId::new),
        search: search_text(query.search.as_deref())?.map(str::to_owned),
        missing: query.missing.unwrap_or_default(),
        account: query.account_id.map(AccountId::new),
    })
}

/// List provider accounts
///
/// Gives the provider accounts that fit every given condition, by name, in pages.
#[utoipa::path(
    tag = "Provider Accounts",
    params(ProviderAccountQuery),
    responses((status = 200, description = "One page of provider accounts.", body = ProviderAccountPage)),
    extensions(("x-ms-pageable" = json!({"nextLinkName": "@odata.nextLink"}))),
)]
#[get("/provider-accounts")]
pub(in crate::http) async fn list_provider_accounts(
    state: Data<ApiState>,
    call: Call,
    request: HttpRequest,
    Question(query): Question<ProviderAccountQuery>,
) -> Outcome<Json<ProviderAccountPage>> {
    let filter = filter(&query)?;
    let top = paging::top(query.top, MOST_PER_PAGE)?;
    let bound = (
        &filter.state,
        filter.provider,
        &filter.search,
        filter.missing,
        filter.account,
    );
    let listing = Listing::new(&state, &call, "ListProviderAccounts", &bound);
    let after = listing
        .position::<(String, Uuid)>(query.skip_token.as_deref())?
        .map(|(name_folded, id)| After { name_folded, id });
    let page = state
        .flows
        .list_provider_accounts(&call.caller, &filter, after.as_ref(), top)
        .await?;
    Ok(Json(ProviderAccountPage {
        next_link: page
            .after
            .map(|after| listing.next_link(&request, &(after.name_folded, after.id))),
        value: page.accounts.into_iter().map(Into::into).collect(),
    }))
}

/// Get a provider account
///
/// Gives one provider account with its domains and its mapping.
#[utoipa::path(
    tag = "Provider Accounts",
    params(("providerAccountId" = Uuid, Path, description = "Id of the provider account.")),
    responses(
        (status = 200, description = "The provider account.", body = ProviderAccountBody),
        (status = 404, description = "There is no such provider account."),
    ),
)]
#[get("/provider-accounts/{providerAccountId}")]
pub(in crate::http) async fn get_provider_account(
    state: Data<ApiState>,
    call: Call,
    id: PathId<ProviderAccountId>,
) -> Outcome<Json<ProviderAccountBody>> {
    let account = state.flows.get_provider_account(&call.caller, id.0).await?;
    let evidence = state.flows.mapping_evidence(&account).await?;
    let body = ProviderAccountBody::from(account);
    Ok(Json(ProviderAccountBody {
        mapping: body.mapping.resting_on(evidence),
        ..body
    }))
}
