//! Subscriptions: reading one, listing many. What a sync writes is in [`sync`], when a customer was read in [`reads`].

pub mod reads;
pub mod sync;

use std::collections::BTreeMap;
use std::str::FromStr;

use rust_decimal::Decimal;
use sea_orm::sea_query::Cond;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::entities::subscription::{self, Column, Entity};
use super::error::StoreError;
use crate::domain::ids::{
    AccountId, BillingContractId, ProductSubscriptionId, ProviderAccountId, ProviderId,
};
use crate::domain::money::{Currency, from_micros};
use crate::domain::provider_account::ExternalId;
use crate::domain::subscription::{HeldFor, ListedSubscription, Subscription};

/// Which subscriptions to list. All conditions hold together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only of this provider.
    pub provider: Option<ProviderId>,
    /// Only of this customer.
    pub provider_account: Option<ProviderAccountId>,
    /// Only of this Account.
    pub account: Option<AccountId>,
    /// Only in this contract.
    pub contract: Option<BillingContractId>,
    /// Only those held for this reason.
    pub held_for: Option<HeldFor>,
    /// Only those that are (true) or are not (false) listed any more.
    pub gone: Option<bool>,
}

/// Where a listing goes on: after this name and id.
pub type After = (String, Uuid);

pub(super) fn decimal(
    id: Uuid,
    column: &'static str,
    text: Option<&str>,
) -> Result<Option<Decimal>, StoreError> {
    text.map(|text| {
        Decimal::from_str(text)
            .map_err(|_| StoreError::impossible("subscription", column, id, text))
    })
    .transpose()
}

pub(super) fn to_domain(row: subscription::Model) -> Result<Subscription, StoreError> {
    let impossible =
        |column, value: &str| StoreError::impossible("subscription", column, row.id, value);
    let external =
        |column, text: &str| ExternalId::parse(text).map_err(|_| impossible(column, text));
    let facts: BTreeMap<String, String> = serde_json::from_value(row.facts.clone())
        .map_err(|_| impossible("facts", &row.facts.to_string()))?;
    let currency = row
        .currency
        .as_deref()
        .map(|text| Currency::parse(text).map_err(|_| impossible("currency", text)));
    let held_for = row
        .held_for
        .as_deref()
        .map(|text| HeldFor::from_name(text).ok_or_else(|| impossible("held_for", text)));
    let parent = row.parent_external_id.as_deref();
    Ok(Subscription {
        id: ProductSubscriptionId::new(row.id),
        provider_id: ProviderId::new(row.provider_id),
        provider_account_id: ProviderAccountId::new(row.provider_account_id),
        listed: ListedSubscription {
            external_id: external("external_id", &row.external_id)?,
            parent_id: parent
                .map(|text| external("parent_external_id", text))
                .transpose()?,
            quantity: from_micros(row.quantity),
            unit_cost: decimal(row.id, "unit_cost", row.unit_cost.as_deref())?,
            currency: currency.transpose()?,
            facts,
            name: row.name.clone(),
            product_id: row.product_id.clone(),
            unit: row.unit.clone(),
            status: row.status.clone(),
            starts_at: row.starts_at,
            ends_at: row.ends_at,
        },
        account_id: row.account_id.map(AccountId::new),
        contract_id: row.contract_id.map(BillingContractId::new),
        held_for: held_for.transpose()?,
        selling_price: decimal(row.id, "selling_price", row.selling_price.as_deref())?,
        first_seen_at: row.first_seen_at,
        gone_since: row.gone_since,
        updated_at: row.updated_at,
        version: row.version,
    })
}

fn condition(filter: &Filter) -> Cond {
    let mut condition = Cond::all();
    let ids = [
        (Column::ProviderId, filter.provider.map(ProviderId::as_uuid)),
        (
            Column::ProviderAccountId,
            filter.provider_account.map(ProviderAccountId::as_uuid),
        ),
        (Column::AccountId, filter.account.map(AccountId::as_uuid)),
        (
            Column::ContractId,
            filter.contract.map(BillingContractId::as_uuid),
        ),
    ];
    for (column, id) in ids {
        if let Some(id) = id {
            condition = condition.add(column.eq(id));
        }
    }
    if let Some(held_for) = filter.held_for {
        condition = condition.add(Column::HeldFor.eq(held_for.name()));
    }
    match filter.gone {
        Some(true) => condition.add(Column::GoneSince.is_not_null()),
        Some(false) => condition.add(Column::GoneSince.is_null()),
        None => condition,
    }
}

/// One page of subscriptions, by name, and where the next begins.
///
/// # Errors
/// When the database refuses.
pub async fn list(
    connection: &impl ConnectionTrait,
    filter: &Filter,
    after: Option<&After>,
    top: u64,
) -> Result<(Vec<Subscription>, Option<After>), StoreError> {
    let mut condition = condition(filter);
    if let Some((name, id)) = after {
        let later = Cond::any().add(Column::NameFolded.gt(name.as_str())).add(
            Cond::all()
                .add(Column::NameFolded.eq(name.as_str()))
                .add(Column::Id.gt(*id)),
        );
        condition = condition.add(later);
    }
    let mut rows = Entity::find()
        .filter(condition)
        .order_by_asc(Column::NameFolded)
        .order_by_asc(Column::Id)
        .limit(top + 1)
        .all(connection)
        .await?;
    let more = rows.len() as u64 > top;
    rows.truncate(usize::try_from(top).unwrap_or(usize::MAX));
    let after = rows
        .last()
        .filter(|_| more)
        .map(|row| (row.name_folded.clone(), row.id));
    let found: Result<Vec<_>, _> = rows.into_iter().map(to_domain).collect();
    Ok((found?, after))
}

/// One subscription.
///
/// # Errors
/// When the database refuses.
pub async fn find(
    connection: &impl ConnectionTrait,
    id: ProductSubscriptionId,
) -> Result<Option<Subscription>, StoreError> {
    Entity::find_by_id(id.as_uuid())
        .one(connection)
        .await?
        .map(to_domain)
        .transpose()
}

/// Whether a contract has subscriptions.
///
/// # Errors
/// When the database refuses.
pub async fn any_in(
    connection: &impl ConnectionTrait,
    contract: BillingContractId,
) -> Result<bool, StoreError> {
    let found = Entity::find()
        .filter(Column::ContractId.eq(contract.as_uuid()))
        .one(connection)
        .await?;
    Ok(found.is_some())
}
