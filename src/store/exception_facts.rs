//! The facts that exceptions about subscriptions are judged by (D6), each gathered for many at once.

use std::collections::{HashMap, HashSet};

use rust_decimal::Decimal;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::entities::{billing_contract, subscription};
use super::error::StoreError;
use super::license_changes;
use super::subscriptions::decimal;
use crate::domain::ids::{AccountId, ProductSubscriptionId};
use crate::domain::money::{Currency, from_micros};
use crate::domain::subscription::HeldFor;

/// What matters of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContractFacts {
    /// Its currency.
    pub currency: Currency,
    /// Whether prices come from a list.
    pub has_price_list: bool,
}

/// What matters of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionFacts {
    /// Our id.
    pub id: ProductSubscriptionId,
    /// Its name.
    pub name: String,
    /// Its Account.
    pub account_id: Option<AccountId>,
    /// Why it has no contract.
    pub held_for: Option<HeldFor>,
    /// Its contract.
    pub contract: Option<ContractFacts>,
    /// Its product.
    pub product_id: Option<String>,
    /// Its unit.
    pub unit: Option<String>,
    /// Its quantity.
    pub quantity: Decimal,
    /// What its change log adds up to.
    pub logged: Option<Decimal>,
    /// What a unit costs.
    pub unit_cost: Option<Decimal>,
    /// In which currency.
    pub currency: Option<Currency>,
    /// What a unit is sold for.
    pub selling_price: Option<Decimal>,
    /// Whether the provider lists it no more.
    pub gone: bool,
}

/// The facts of these subscriptions, those that exist.
///
/// # Errors
/// When the database refuses.
pub async fn of_subscriptions(
    connection: &impl ConnectionTrait,
    ids: &[ProductSubscriptionId],
) -> Result<Vec<SubscriptionFacts>, StoreError> {
    let rows = subscription::Entity::find()
        .filter(subscription::Column::Id.is_in(ids.iter().map(|id| id.as_uuid())))
        .all(connection)
        .await?;
    let contracts = contracts(connection, &rows).await?;
    let sums = license_changes::sums(connection, ids).await?;
    let mut facts = Vec::with_capacity(rows.len());
    for row in rows {
        let id = ProductSubscriptionId::new(row.id);
        facts.push(SubscriptionFacts {
            id,
            account_id: row.account_id.map(AccountId::new),
            held_for: row.held_for.as_deref().and_then(HeldFor::from_name),
            contract: row.contract_id.and_then(|id| contracts.get(&id).cloned()),
            quantity: from_micros(row.quantity),
            logged: sums.get(&id).copied(),
            unit_cost: decimal(&row, "unit_cost", row.unit_cost.as_deref())?,
            currency: row
                .currency
                .as_deref()
                .and_then(|code| Currency::parse(code).ok()),
            selling_price: decimal(&row, "selling_price", row.selling_price.as_deref())?,
            gone: row.gone_since.is_some(),
            name: row.name,
            product_id: row.product_id,
            unit: row.unit,
        });
    }
    Ok(facts)
}

async fn contracts(
    connection: &impl ConnectionTrait,
    rows: &[subscription::Model],
) -> Result<HashMap<Uuid, ContractFacts>, StoreError> {
    use billing_contract::Column;
    let ids: HashSet<Uuid> = rows.iter().filter_map(|row| row.contract_id).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(Uuid, String, Option<String>)> = billing_contract::Entity::find()
        .select_only()
        .columns([Column::Id, Column::Currency, Column::DefaultPriceList])
        .filter(Column::Id.is_in(ids))
        .into_tuple()
        .all(connection)
        .await?;
    let facts = rows.into_iter().filter_map(|(id, code, list)| {
        let currency = Currency::parse(&code).ok()?;
        let facts = ContractFacts {
            currency,
            has_price_list: list.is_some(),
        };
        Some((id, facts))
    });
    Ok(facts.collect())
}

/// Of these Accounts, those that have subscriptions the provider still lists, and no open contract.
///
/// # Errors
/// When the database refuses.
pub async fn accounts_without_contract(
    connection: &impl ConnectionTrait,
    accounts: &[AccountId],
) -> Result<Vec<AccountId>, StoreError> {
    if accounts.is_empty() {
        return Ok(Vec::new());
    }
    let ids = || accounts.iter().map(|id| id.as_uuid());
    let with: Vec<Uuid> = billing_contract::Entity::find()
        .select_only()
        .distinct()
        .column(billing_contract::Column::AccountId)
        .filter(billing_contract::Column::AccountId.is_in(ids()))
        .filter(billing_contract::Column::ClosedAt.is_null())
        .into_tuple()
        .all(connection)
        .await?;
    let without = ids().filter(|id| !with.contains(id));
    let needing: Vec<Option<Uuid>> = subscription::Entity::find()
        .select_only()
        .distinct()
        .column(subscription::Column::AccountId)
        .filter(subscription::Column::AccountId.is_in(without))
        .filter(subscription::Column::GoneSince.is_null())
        .into_tuple()
        .all(connection)
        .await?;
    Ok(needing.into_iter().flatten().map(AccountId::new).collect())
}
