//! What a sync of subscriptions locks and writes, in bulk (D2): an unchanged customer costs no row of a subscription.

use std::collections::HashMap;

use sea_orm::sea_query::{Cond, LockType, OnConflict};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::to_domain;
use crate::domain::fold::fold;
use crate::domain::ids::{
    AccountId, BillingContractId, ProductSubscriptionId, ProviderAccountId, ProviderId,
};
use crate::domain::mapping::MappingState;
use crate::domain::money::micros;
use crate::domain::provider_account::ExternalId;
use crate::domain::subscription::{HeldFor, Subscription};
use crate::store::entities::provider_account;
use crate::store::entities::subscription::{self, Column, Entity};
use crate::store::{StoreError, WriteTx, bulk};

/// What a sync of subscriptions has to know of a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// Our id.
    pub id: ProviderAccountId,
    /// The provider.
    pub provider_id: ProviderId,
    /// The provider's id.
    pub external_id: ExternalId,
    /// Its name.
    pub name: String,
    /// The Account it is mapped to.
    pub account_id: Option<AccountId>,
}

type CustomerRow = (Uuid, Uuid, String, String, Option<Uuid>);

fn customer(
    (id, provider, external_id, name, account): CustomerRow,
) -> Result<Customer, StoreError> {
    Ok(Customer {
        id: ProviderAccountId::new(id),
        provider_id: ProviderId::new(provider),
        external_id: ExternalId::parse(&external_id).map_err(|_| {
            StoreError::impossible("provider_account", "external_id", id, &external_id)
        })?,
        name,
        account_id: account.map(AccountId::new),
    })
}

fn customers() -> sea_orm::Select<provider_account::Entity> {
    use provider_account::Column;
    provider_account::Entity::find()
        .select_only()
        .columns([
            Column::Id,
            Column::ProviderId,
            Column::ExternalId,
            Column::Name,
            Column::AccountId,
        ])
        .order_by_asc(Column::Id)
}

/// The customers whose subscriptions are synced: neither disabled, excluded nor missing (B2); of a provider, or mapped to
/// an Account.
///
/// # Errors
/// When the database refuses.
pub async fn synced(
    connection: &impl ConnectionTrait,
    provider: Option<ProviderId>,
    account: Option<AccountId>,
) -> Result<Vec<Customer>, StoreError> {
    use provider_account::Column;
    let mut condition = Cond::all()
        .add(Column::SyncEnabled.eq(true))
        .add(Column::MissingSince.is_null())
        .add(Column::MappingState.ne(MappingState::Excluded.name()));
    if let Some(provider) = provider {
        condition = condition.add(Column::ProviderId.eq(provider.as_uuid()));
    }
    if let Some(account) = account {
        condition = condition.add(Column::AccountId.eq(account.as_uuid()));
    }
    let rows: Vec<CustomerRow> = customers()
        .filter(condition)
        .into_tuple()
        .all(connection)
        .await?;
    rows.into_iter().map(customer).collect()
}

/// Locks customers, always in the order of their ids: their mapping and their subscriptions are nobody else's until this
/// transaction ends.
///
/// # Errors
/// When the database refuses.
pub async fn lock(tx: &WriteTx, ids: &[ProviderAccountId]) -> Result<Vec<Customer>, StoreError> {
    let mut ids: Vec<_> = ids.iter().map(|id| id.as_uuid()).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut locked = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(bulk::IDS_AT_ONCE) {
        let rows: Vec<CustomerRow> = customers()
            .filter(provider_account::Column::Id.is_in(chunk.iter().copied()))
            .lock(LockType::Update)
            .into_tuple()
            .all(&**tx)
            .await?;
        for row in rows {
            locked.push(customer(row)?);
        }
    }
    Ok(locked)
}

/// The subscriptions of these customers, by id.
///
/// # Errors
/// When the database refuses.
pub async fn of_customers(
    connection: &impl ConnectionTrait,
    ids: &[ProviderAccountId],
) -> Result<Vec<Subscription>, StoreError> {
    let mut found = Vec::new();
    for chunk in ids.chunks(bulk::IDS_AT_ONCE) {
        let of = Column::ProviderAccountId.is_in(chunk.iter().map(|id| id.as_uuid()));
        let rows = Entity::find()
            .filter(of)
            .order_by_asc(Column::Id)
            .all(connection)
            .await?;
        for row in rows {
            found.push(to_domain(row)?);
        }
    }
    Ok(found)
}

/// How many subscriptions customers have at their providers; who has none is not among them.
///
/// # Errors
/// When the database refuses.
pub async fn count_of_customers(
    connection: &impl ConnectionTrait,
    ids: &[ProviderAccountId],
) -> Result<HashMap<ProviderAccountId, u64>, StoreError> {
    let mut counts = HashMap::with_capacity(ids.len());
    for chunk in ids.chunks(bulk::IDS_AT_ONCE) {
        let rows: Vec<(Uuid, i64)> = Entity::find()
            .select_only()
            .column(Column::ProviderAccountId)
            .column_as(Column::Id.count(), "count")
            .filter(Column::ProviderAccountId.is_in(chunk.iter().map(|id| id.as_uuid())))
            .filter(Column::GoneSince.is_null())
            .group_by(Column::ProviderAccountId)
            .into_tuple()
            .all(connection)
            .await?;
        counts.extend(
            rows.into_iter()
                .map(|(id, count)| (ProviderAccountId::new(id), count.unsigned_abs())),
        );
    }
    Ok(counts)
}

/// The subscriptions of an Account that are in no contract, or in this one.
///
/// # Errors
/// When the database refuses.
pub async fn to_land(
    connection: &impl ConnectionTrait,
    account: AccountId,
    contract: BillingContractId,
) -> Result<Vec<Subscription>, StoreError> {
    let homeless = Cond::any()
        .add(Column::ContractId.is_null())
        .add(Column::ContractId.eq(contract.as_uuid()));
    let rows = Entity::find()
        .filter(Column::AccountId.eq(account.as_uuid()))
        .filter(homeless)
        .order_by_asc(Column::Id)
        .all(connection)
        .await?;
    rows.into_iter().map(to_domain).collect()
}

fn to_row(it: Subscription) -> Result<subscription::Model, StoreError> {
    let listed = it.listed;
    let quantity = micros(listed.quantity).ok_or_else(|| {
        StoreError::impossible("subscription", "quantity", it.id, listed.quantity)
    })?;
    Ok(subscription::Model {
        id: it.id.as_uuid(),
        provider_id: it.provider_id.as_uuid(),
        provider_account_id: it.provider_account_id.as_uuid(),
        external_id: listed.external_id.to_string(),
        parent_external_id: listed.parent_id.map(|id| id.to_string()),
        name_folded: fold(&listed.name),
        name: listed.name,
        product_id: listed.product_id,
        unit: listed.unit,
        quantity,
        status: listed.status,
        starts_at: listed.starts_at,
        ends_at: listed.ends_at,
        unit_cost: listed.unit_cost.map(|cost| cost.normalize().to_string()),
        currency: listed.currency.map(|currency| currency.to_string()),
        facts: serde_json::json!(listed.facts),
        account_id: it.account_id.map(AccountId::as_uuid),
        contract_id: it.contract_id.map(BillingContractId::as_uuid),
        held_for: it.held_for.map(|held| HeldFor::name(held).to_owned()),
        selling_price: it.selling_price.map(|price| price.normalize().to_string()),
        first_seen_at: it.first_seen_at,
        gone_since: it.gone_since,
        updated_at: it.updated_at,
        version: it.version,
    })
}

/// Writes subscriptions, new ones and those whose customers this transaction has [`lock`]ed.
///
/// # Errors
/// When the database refuses.
pub async fn write(tx: &WriteTx, subscriptions: Vec<Subscription>) -> Result<(), StoreError> {
    let replace = OnConflict::column(Column::Id)
        .update_columns([
            Column::ParentExternalId,
            Column::Name,
            Column::NameFolded,
            Column::ProductId,
            Column::Unit,
            Column::Quantity,
            Column::Status,
            Column::StartsAt,
            Column::EndsAt,
            Column::UnitCost,
            Column::Currency,
            Column::Facts,
            Column::AccountId,
            Column::ContractId,
            Column::HeldFor,
            Column::SellingPrice,
            Column::GoneSince,
            Column::UpdatedAt,
            Column::Version,
        ])
        .to_owned();
    let rows: Result<Vec<_>, _> = subscriptions.into_iter().map(to_row).collect();
    bulk::insert_or(tx, rows?, replace).await.map(drop)
}

/// The ids of every subscription, in pages of their order. For what looks at all of them.
///
/// # Errors
/// When the database refuses.
pub async fn ids_after(
    connection: &impl ConnectionTrait,
    after: Option<ProductSubscriptionId>,
    top: u64,
) -> Result<Vec<ProductSubscriptionId>, StoreError> {
    let mut query = Entity::find().select_only().column(Column::Id);
    if let Some(after) = after {
        query = query.filter(Column::Id.gt(after.as_uuid()));
    }
    let ids: Vec<Uuid> = query
        .order_by_asc(Column::Id)
        .limit(top)
        .into_tuple()
        .all(connection)
        .await?;
    Ok(ids.into_iter().map(ProductSubscriptionId::new).collect())
}
