//! Provider Accounts: reading one, listing many, counting by state (B3). What a sync writes is in [`sync`], what a mapping
//! writes in [`super::mappings`].

pub mod listed;
pub mod sync;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Cond, Expr, ExprTrait, LikeExpr};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::entities::{provider_account, provider_account_domain};
use super::error::StoreError;
use crate::domain::domain_name::DomainName;
use crate::domain::domain_name::searchable;
use crate::domain::fold::fold;
use crate::domain::ids::{AccountId, ProviderAccountId, ProviderId};
use crate::domain::mapping::{MappedBy, Mapping, MappingState};
use crate::domain::provider_account::{AccountDomain, DomainSource, ExternalId, ProviderAccount};

/// Which Provider Accounts to list. All conditions hold together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only this mapping state.
    pub state: Option<MappingState>,
    /// Only this provider.
    pub provider: Option<ProviderId>,
    /// Part of the name, a domain or the provider's id, without regard to case and accents.
    pub search: Option<String>,
    /// Only those that complete listings no longer show.
    pub missing: bool,
    /// Only those mapped to this Account.
    pub account: Option<AccountId>,
}

/// Where a listing goes on: after this name and id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct After {
    /// Folded name of the last row shown.
    pub name_folded: String,
    /// Id of the last row shown.
    pub id: Uuid,
}

/// Rows of one listing, and where it goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The accounts, by name.
    pub accounts: Vec<ProviderAccount>,
    /// The rest begins after this; `None` at the end.
    pub after: Option<After>,
}

/// How many Provider Accounts are in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Without an Account.
    pub unmapped: u64,
    /// With one.
    pub mapped: u64,
    /// Never to be mapped.
    pub excluded: u64,
    /// No longer in complete listings, whatever their state.
    pub missing: u64,
}

fn condition(filter: &Filter) -> Cond {
    use provider_account::Column;
    let mut condition = Cond::all();
    if let Some(state) = filter.state {
        condition = condition.add(Column::MappingState.eq(state.name()));
    }
    if let Some(provider) = filter.provider {
        condition = condition.add(Column::ProviderId.eq(provider.as_uuid()));
    }
    if let Some(account) = filter.account {
        condition = condition.add(Column::AccountId.eq(account.as_uuid()));
    }
    if filter.missing {
        condition = condition.add(Column::MissingSince.is_not_null());
    }
    if let Some(search) = filter
        .search
        .as_deref()
        .map(fold)
        .filter(|text| !text.is_empty())
    {
        let domain = filter.search.as_deref().and_then(searchable);
        let mut found = Cond::any().add(contains(&search));
        if let Some(domain) = domain {
            found = found.add(contains(&domain));
        }
        condition = condition.add(found);
    }
    condition
}

fn contains(text: &str) -> Expr {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_");
    let pattern = LikeExpr::new(format!("%{escaped}%")).escape('\\');
    Expr::col(provider_account::Column::SearchText).like(pattern)
}

/// One page of Provider Accounts, by name.
///
/// # Errors
/// When the database refuses.
pub async fn list(
    connection: &impl ConnectionTrait,
    filter: &Filter,
    after: Option<&After>,
    top: u64,
) -> Result<Listing, StoreError> {
    use provider_account::Column;
    let mut condition = condition(filter);
    if let Some(after) = after {
        let later = Cond::any()
            .add(Column::NameFolded.gt(after.name_folded.as_str()))
            .add(
                Cond::all()
                    .add(Column::NameFolded.eq(after.name_folded.as_str()))
                    .add(Column::Id.gt(after.id)),
            );
        condition = condition
            .add(Column::NameFolded.gte(after.name_folded.as_str()))
            .add(later);
    }
    let mut rows = provider_account::Entity::find()
        .filter(condition)
        .order_by_asc(Column::NameFolded)
        .order_by_asc(Column::Id)
        .limit(top + 1)
        .all(connection)
        .await?;
    let more = rows.len() as u64 > top;
    rows.truncate(usize::try_from(top).unwrap_or(usize::MAX));
    let after = rows.last().filter(|_| more).map(|row| After {
        name_folded: row.name_folded.clone(),
        id: row.id,
    });
    Ok(Listing {
        accounts: with_domains(connection, rows).await?,
        after,
    })
}

/// One Provider Account.
///
/// # Errors
/// When the database refuses.
pub async fn find(
    connection: &impl ConnectionTrait,
    id: ProviderAccountId,
) -> Result<Option<ProviderAccount>, StoreError> {
    let row = provider_account::Entity::find_by_id(id.as_uuid())
        .one(connection)
        .await?;
    let found = with_domains(connection, row.into_iter().collect()).await?;
    Ok(found.into_iter().next())
}

/// The Provider Accounts with these ids, in no order.
///
/// # Errors
/// When the database refuses.
pub async fn find_many(
    connection: &impl ConnectionTrait,
    ids: &[ProviderAccountId],
) -> Result<Vec<ProviderAccount>, StoreError> {
    let ids = ids.iter().map(|id| id.as_uuid());
    let rows = provider_account::Entity::find()
        .filter(provider_account::Column::Id.is_in(ids))
        .all(connection)
        .await?;
    with_domains(connection, rows).await
}

/// Counts by state, of one provider or of all.
///
/// # Errors
/// When the database refuses.
pub async fn counts(
    connection: &impl ConnectionTrait,
    provider: Option<ProviderId>,
) -> Result<Counts, StoreError> {
    use provider_account::Column;
    let by_state: Vec<(String, i64)> = provider_account::Entity::find()
        .select_only()
        .column(Column::MappingState)
        .column_as(Column::MappingState.count(), "rows")
        .filter(condition(&Filter {
            provider,
            ..Filter::default()
        }))
        .group_by(Column::MappingState)
        .into_tuple()
        .all(connection)
        .await?;
    let count = |wanted: MappingState| {
        by_state
            .iter()
            .find(|(name, _)| name == wanted.name())
            .map_or(0, |(_, rows)| u64::try_from(*rows).unwrap_or_default())
    };
    let missing = condition(&Filter {
        provider,
        missing: true,
        ..Filter::default()
    });
    Ok(Counts {
        unmapped: count(MappingState::Unmapped),
        mapped: count(MappingState::Mapped),
        excluded: count(MappingState::Excluded),
        missing: provider_account::Entity::find()
            .filter(missing)
            .count(connection)
            .await?,
    })
}

/// Adds the domains to rows, in one query.
pub(super) async fn with_domains(
    connection: &impl ConnectionTrait,
    rows: Vec<provider_account::Model>,
) -> Result<Vec<ProviderAccount>, StoreError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let found = provider_account_domain::Entity::find()
        .filter(
            provider_account_domain::Column::ProviderAccountId.is_in(rows.iter().map(|row| row.id)),
        )
        .order_by_asc(provider_account_domain::Column::Domain)
        .order_by_asc(provider_account_domain::Column::Source)
        .all(connection)
        .await?;
    let mut domains: HashMap<Uuid, Vec<AccountDomain>> = HashMap::with_capacity(rows.len());
    for row in found {
        let domain = to_account_domain(&row)?;
        domains
            .entry(row.provider_account_id)
            .or_default()
            .push(domain);
    }
    rows.into_iter()
        .map(|row| {
            let domains = domains.remove(&row.id).unwrap_or_default();
            to_domain(row, domains)
        })
        .collect()
}

fn to_account_domain(row: &provider_account_domain::Model) -> Result<AccountDomain, StoreError> {
    let impossible = |column, value: &str| {
        StoreError::impossible(
            "provider_account_domain",
            column,
            row.provider_account_id,
            value,
        )
    };
    Ok(AccountDomain {
        name: DomainName::parse(&row.domain).map_err(|_| impossible("domain", &row.domain))?,
        source: DomainSource::from_name(&row.source)
            .ok_or_else(|| impossible("source", &row.source))?,
    })
}

fn to_domain(
    row: provider_account::Model,
    domains: Vec<AccountDomain>,
) -> Result<ProviderAccount, StoreError> {
    let mapping = mapping_of(&row)?;
    let external_id = ExternalId::parse(&row.external_id).map_err(|_| {
        StoreError::impossible("provider_account", "external_id", row.id, &row.external_id)
    })?;
    Ok(ProviderAccount {
        id: ProviderAccountId::new(row.id),
        provider_id: ProviderId::new(row.provider_id),
        external_id,
        name: row.name,
        tenant_id: row.tenant_id,
        relationship: row.relationship,
        domains,
        country: row.country,
        city: row.city,
        postal_code: row.postal_code,
        sync_enabled: row.sync_enabled,
        first_seen_at: row.first_seen_at,
        missing_since: row.missing_since,
        details_fetched_at: row.details_fetched_at,
        mapping,
        mapping_version: row.mapping_version,
    })
}

fn mapping_of(row: &provider_account::Model) -> Result<Mapping, StoreError> {
    let impossible =
        |column, value: &str| StoreError::impossible("provider_account", column, row.id, value);
    let state = MappingState::from_name(&row.mapping_state)
        .ok_or_else(|| impossible("mapping_state", &row.mapping_state))?;
    Ok(match state {
        MappingState::Unmapped => Mapping::Unmapped {
            since: row.mapping_changed_at,
        },
        MappingState::Excluded => Mapping::Excluded {
            at: row.mapping_changed_at,
            reason: row.mapping_reason.clone().unwrap_or_default(),
        },
        MappingState::Mapped => Mapping::Mapped {
            account_id: row
                .account_id
                .map(AccountId::new)
                .ok_or_else(|| impossible("account_id", "null while mapped"))?,
            account_name: row.account_name.clone().unwrap_or_default(),
            by: row
                .mapped_by
                .as_deref()
                .and_then(MappedBy::from_name)
                .ok_or_else(|| {
                    impossible("mapped_by", row.mapped_by.as_deref().unwrap_or("null"))
                })?,
            at: row.mapping_changed_at,
        },
    })
}

/// What changes whenever the provider told something new of a Provider Account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    listed: Option<Uuid>,
    details_fetched_at: Option<DateTime<Utc>>,
}

/// The stamp of every Provider Account.
///
/// # Errors
/// When the database refuses.
pub async fn stamps(
    connection: &impl ConnectionTrait,
) -> Result<Vec<(ProviderAccountId, Stamp)>, StoreError> {
    use provider_account::Column;
    let rows: Vec<(Uuid, Option<Uuid>, Option<DateTime<Utc>>)> = provider_account::Entity::find()
        .select_only()
        .columns([Column::Id, Column::ListedDigest, Column::DetailsFetchedAt])
        .into_tuple()
        .all(connection)
        .await?;
    let stamped = rows.into_iter().map(|(id, listed, details_fetched_at)| {
        let stamp = Stamp {
            listed,
            details_fetched_at,
        };
        (ProviderAccountId::new(id), stamp)
    });
    Ok(stamped.collect())
}
