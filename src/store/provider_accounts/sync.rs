//! What a sync of Provider Accounts reads and writes, in bulk (B1): an unchanged page costs one query and no write.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Cond, Expr, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use uuid::Uuid;

use super::listed::ListedDigest;
use crate::domain::context::Context;
use crate::domain::fold::fold;
use crate::domain::ids::{ProviderAccountId, ProviderId};
use crate::domain::mapping::MappingState;
use crate::domain::provider_account::{
    CustomerDetails, DomainSource, ExternalId, ListedCustomer, ProviderAccount,
};
use crate::store::entities::{provider_account, provider_account_domain};
use crate::store::{Signal, StoreError, WriteTx, bulk};

/// What we know of a listed customer, enough to see whether the listing says anything new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Our id.
    pub id: ProviderAccountId,
    name: String,
    tenant_id: Option<String>,
    relationship: String,
    default_domain: Option<String>,
    missing: bool,
}

impl Known {
    /// Whether the listing says what we know already.
    #[must_use]
    pub fn same_as(&self, listed: &ListedCustomer) -> bool {
        !self.missing
            && self.name == listed.name
            && self.tenant_id == listed.tenant_id
            && self.relationship == listed.relationship
            && self.default_domain.as_deref() == listed.default_domain.as_ref().map(|d| d.as_str())
    }
}

/// What we know of these customers of a provider.
///
/// # Errors
/// When the database refuses.
pub async fn known(
    connection: &impl ConnectionTrait,
    provider: ProviderId,
    listed: &[ListedCustomer],
) -> Result<HashMap<String, Known>, StoreError> {
    use provider_account::Column;
    type Row = (
        Uuid,
        String,
        String,
        Option<String>,
        String,
        Option<String>,
        Option<DateTime<Utc>>,
    );
    let rows: Vec<Row> = provider_account::Entity::find()
        .select_only()
        .columns([
            Column::Id,
            Column::ExternalId,
            Column::Name,
            Column::TenantId,
        ])
        .columns([
            Column::Relationship,
            Column::DefaultDomain,
            Column::MissingSince,
        ])
        .filter(Column::ProviderId.eq(provider.as_uuid()))
        .filter(
            Column::ExternalId.is_in(listed.iter().map(|customer| customer.external_id.as_str())),
        )
        .into_tuple()
        .all(connection)
        .await?;
    let known = rows.into_iter().map(
        |(id, external_id, name, tenant_id, relationship, domain, missing)| {
            let known = Known {
                id: ProviderAccountId::new(id),
                name,
                tenant_id,
                relationship,
                default_domain: domain,
                missing: missing.is_some(),
            };
            (external_id, known)
        },
    );
    Ok(known.collect())
}

fn search_text<'a>(
    name: &str,
    external_id: &str,
    domains: impl Iterator<Item = &'a str>,
) -> String {
    let mut text = fold(name);
    for domain in domains {
        text.push(' ');
        text.push_str(domain);
    }
    text.push(' ');
    text.push_str(external_id);
    text
}

/// Adds customers seen for the first time; a customer that appeared twice in the listing is added once. Gives the new
/// accounts, in the order listed.
///
/// # Errors
/// When the database refuses.
pub async fn insert(
    tx: &WriteTx,
    context: &Context,
    provider: ProviderId,
    listed: Vec<ListedCustomer>,
) -> Result<Vec<ProviderAccount>, StoreError> {
    let now = context.now();
    let mut seen = HashSet::new();
    let rows: Vec<provider_account::Model> = listed
        .into_iter()
        .filter(|customer| seen.insert(customer.external_id.clone()))
        .map(|customer| new_row(context.new_uuid(), provider, customer, now))
        .collect();
    let domains: Vec<_> = rows
        .iter()
        .filter_map(|row| Some((row.id, row.default_domain.clone()?, DomainSource::Default)))
        .collect();
    bulk::insert(tx, rows.iter().cloned()).await?;
    insert_domains(tx, domains).await?;
    tx.signal(Signal::ProviderAccountsChanged);
    super::with_domains(&**tx, rows).await
}

fn new_row(
    id: Uuid,
    provider: ProviderId,
    customer: ListedCustomer,
    now: DateTime<Utc>,
) -> provider_account::Model {
    let digest = ListedDigest::of(&customer);
    let default_domain = customer.default_domain.map(|domain| domain.to_string());
    let external_id = customer.external_id.to_string();
    provider_account::Model {
        id,
        provider_id: provider.as_uuid(),
        name_folded: fold(&customer.name),
        search_text: search_text(
            &customer.name,
            &external_id,
            default_domain.as_deref().into_iter(),
        ),
        name: customer.name,
        external_id,
        tenant_id: customer.tenant_id,
        relationship: customer.relationship,
        default_domain,
        country: None,
        city: None,
        postal_code: None,
        sync_enabled: true,
        first_seen_at: now,
        missing_since: None,
        listed_digest: Some(digest.as_uuid()),
        details_fetched_at: None,
        mapping_state: MappingState::Unmapped.name().to_owned(),
        account_id: None,
        account_name: None,
        unique_account_id: None,
        mapped_by: None,
        mapping_changed_at: now,
        mapping_reason: None,
        mapping_version: 1,
    }
}

/// Takes over what the listing says of known customers. Their details are due again: what changed may have changed them.
///
/// # Errors
/// When the database refuses.
pub async fn update_listed(
    tx: &WriteTx,
    changed: Vec<(ProviderAccountId, ListedCustomer)>,
) -> Result<(), StoreError> {
    use provider_account::Column;
    let mut changed: HashMap<Uuid, ListedCustomer> = changed
        .into_iter()
        .map(|(id, customer)| (id.as_uuid(), customer))
        .collect();
    let ids: Vec<Uuid> = changed.keys().copied().collect();
    let mut domains = Vec::new();
    let mut rows = Vec::with_capacity(ids.len());
    for mut row in rows_with_ids(tx, &ids).await? {
        let Some(customer) = changed.remove(&row.id) else {
            continue;
        };
        row.listed_digest = Some(ListedDigest::of(&customer).as_uuid());
        row.name_folded = fold(&customer.name);
        row.name = customer.name;
        row.tenant_id = customer.tenant_id;
        row.relationship = customer.relationship;
        row.default_domain = customer.default_domain.map(|domain| domain.to_string());
        row.missing_since = None;
        row.details_fetched_at = None;
        row.search_text = search_text(
            &row.name,
            &row.external_id,
            row.default_domain.as_deref().into_iter(),
        );
        domains.extend(
            row.default_domain
                .clone()
                .map(|d| (row.id, d, DomainSource::Default)),
        );
        rows.push(row);
    }
    let columns = [
        Column::Name,
        Column::NameFolded,
        Column::SearchText,
        Column::TenantId,
        Column::Relationship,
        Column::DefaultDomain,
        Column::MissingSince,
        Column::ListedDigest,
        Column::DetailsFetchedAt,
    ];
    upsert(tx, rows, &columns).await?;
    delete_domains(tx, &ids, &[DomainSource::Default]).await?;
    insert_domains(tx, domains).await?;
    tx.signal(Signal::ProviderAccountsChanged);
    Ok(())
}

/// Accounts whose details are due: never fetched, or fetched before `stale_before` (at most `most_stale` of those, the
/// oldest first). Missing accounts are left alone: the provider would not know them.
///
/// # Errors
/// When the database refuses.
pub async fn due_for_details(
    connection: &impl ConnectionTrait,
    provider: ProviderId,
    stale_before: DateTime<Utc>,
    most_stale: u64,
) -> Result<Vec<(ProviderAccountId, ExternalId)>, StoreError> {
    use provider_account::Column;
    let of = |condition: Cond| {
        provider_account::Entity::find()
            .select_only()
            .columns([Column::Id, Column::ExternalId])
            .filter(Column::ProviderId.eq(provider.as_uuid()))
            .filter(Column::MissingSince.is_null())
            .filter(condition)
    };
    let mut rows: Vec<(Uuid, String)> = of(Cond::all().add(Column::DetailsFetchedAt.is_null()))
        .into_tuple()
        .all(connection)
        .await?;
    let stale: Vec<(Uuid, String)> = of(Cond::all().add(Column::DetailsFetchedAt.lt(stale_before)))
        .order_by_asc(Column::DetailsFetchedAt)
        .limit(most_stale)
        .into_tuple()
        .all(connection)
        .await?;
    rows.extend(stale);
    rows.into_iter()
        .map(|(id, external_id)| {
            let parsed = ExternalId::parse(&external_id).map_err(|_| {
                StoreError::impossible("provider_account", "external_id", id, &external_id)
            })?;
            Ok((ProviderAccountId::new(id), parsed))
        })
        .collect()
}

/// Keeps fetched details.
///
/// # Errors
/// When the database refuses.
pub async fn save_details(
    tx: &WriteTx,
    context: &Context,
    fetched: Vec<(ProviderAccountId, CustomerDetails)>,
) -> Result<(), StoreError> {
    use provider_account::Column;
    let now = context.now();
    let mut fetched: HashMap<Uuid, CustomerDetails> = fetched
        .into_iter()
        .map(|(id, details)| (id.as_uuid(), details))
        .collect();
    let ids: Vec<Uuid> = fetched.keys().copied().collect();
    let mut domains = Vec::new();
    let mut rows = Vec::with_capacity(ids.len());
    for mut row in rows_with_ids(tx, &ids).await? {
        let Some(details) = fetched.remove(&row.id) else {
            continue;
        };
        let custom = details.custom_domains.iter().map(|domain| domain.as_str());
        row.search_text = search_text(
            &row.name,
            &row.external_id,
            row.default_domain.as_deref().into_iter().chain(custom),
        );
        row.country = details.country;
        row.city = details.city;
        row.postal_code = details.postal_code;
        row.details_fetched_at = Some(now);
        let of = |source| move |domain| (row.id, domain, source);
        domains.extend(
            details
                .custom_domains
                .iter()
                .map(ToString::to_string)
                .map(of(DomainSource::Custom)),
        );
        domains.extend(
            details
                .contact_email_domains
                .iter()
                .map(ToString::to_string)
                .map(of(DomainSource::ContactEmail)),
        );
        rows.push(row);
    }
    let columns = [
        Column::SearchText,
        Column::Country,
        Column::City,
        Column::PostalCode,
        Column::DetailsFetchedAt,
    ];
    upsert(tx, rows, &columns).await?;
    delete_domains(
        tx,
        &ids,
        &[DomainSource::Custom, DomainSource::ContactEmail],
    )
    .await?;
    insert_domains(tx, domains).await?;
    tx.signal(Signal::ProviderAccountsChanged);
    Ok(())
}

/// The provider's ids of all accounts not already missing.
///
/// # Errors
/// When the database refuses.
pub async fn present(
    connection: &impl ConnectionTrait,
    provider: ProviderId,
) -> Result<Vec<(ProviderAccountId, String)>, StoreError> {
    use provider_account::Column;
    let rows: Vec<(Uuid, String)> = provider_account::Entity::find()
        .select_only()
        .columns([Column::Id, Column::ExternalId])
        .filter(Column::ProviderId.eq(provider.as_uuid()))
        .filter(Column::MissingSince.is_null())
        .into_tuple()
        .all(connection)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(id, external_id)| (ProviderAccountId::new(id), external_id))
        .collect())
}

/// Marks accounts as missing since now.
///
/// # Errors
/// When the database refuses.
pub async fn mark_missing(
    tx: &WriteTx,
    context: &Context,
    ids: &[ProviderAccountId],
) -> Result<(), StoreError> {
    for chunk in ids.chunks(bulk::IDS_AT_ONCE) {
        provider_account::Entity::update_many()
            .col_expr(
                provider_account::Column::MissingSince,
                Expr::value(Some(context.now())),
            )
            .filter(provider_account::Column::Id.is_in(chunk.iter().map(|id| id.as_uuid())))
            .exec(&**tx)
            .await?;
    }
    if !ids.is_empty() {
        tx.signal(Signal::ProviderAccountsChanged);
    }
    Ok(())
}

async fn rows_with_ids(
    tx: &WriteTx,
    ids: &[Uuid],
) -> Result<Vec<provider_account::Model>, StoreError> {
    let mut rows = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(bulk::IDS_AT_ONCE) {
        let found = provider_account::Entity::find()
            .filter(provider_account::Column::Id.is_in(chunk.iter().copied()));
        rows.extend(found.all(&**tx).await?);
    }
    Ok(rows)
}

async fn upsert(
    tx: &WriteTx,
    rows: Vec<provider_account::Model>,
    columns: &[provider_account::Column],
) -> Result<(), StoreError> {
    let replace = OnConflict::column(provider_account::Column::Id)
        .update_columns(columns.iter().copied())
        .to_owned();
    bulk::insert_or(tx, rows, replace).await.map(drop)
}

async fn delete_domains(
    tx: &WriteTx,
    ids: &[Uuid],
    sources: &[DomainSource],
) -> Result<(), StoreError> {
    use provider_account_domain::Column;
    for chunk in ids.chunks(bulk::IDS_AT_ONCE) {
        provider_account_domain::Entity::delete_many()
            .filter(Column::ProviderAccountId.is_in(chunk.iter().copied()))
            .filter(Column::Source.is_in(sources.iter().map(|source| source.name())))
            .exec(&**tx)
            .await?;
    }
    Ok(())
}

async fn insert_domains(
    tx: &WriteTx,
    domains: Vec<(Uuid, String, DomainSource)>,
) -> Result<(), StoreError> {
    let unique: HashSet<_> = domains.into_iter().collect();
    let rows =
        unique.into_iter().map(
            |(id, domain, source)| provider_account_domain::ActiveModel {
                provider_account_id: Set(id),
                domain: Set(domain),
                source: Set(source.name().to_owned()),
            },
        );
    let there = OnConflict::new().do_nothing().to_owned();
    bulk::insert_or(tx, rows, there).await.map(drop)
}
