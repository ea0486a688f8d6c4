//! The facts that exceptions about subscriptions are judged by (D6), each gathered for many at once.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DerivePartialModel, EntityTrait, QueryFilter, QuerySelect,
};
use uuid::Uuid;

use super::bulk;
use super::entities::{billing_contract, provider_account, subscription};
use super::error::StoreError;
use super::license_changes::{self, Undone};
use super::subscriptions::decimal;
use crate::domain::ids::{AccountId, ProductSubscriptionId, ProviderAccountId, ProviderId};
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
    /// Its provider.
    pub provider_id: ProviderId,
    /// Its name.
    pub name: String,
    /// The name of its customer.
    pub customer: String,
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
    /// Which of its changes failed or are overdue.
    pub undone: Undone,
    /// What a unit costs.
    pub unit_cost: Option<Decimal>,
    /// In which currency.
    pub currency: Option<Currency>,
    /// What a unit is sold for.
    pub selling_price: Option<Decimal>,
    /// Whether the provider lists it no more.
    pub gone: bool,
}

/// What is asked of a subscription's row; its other half, with the provider's further words, is not needed.
#[derive(DerivePartialModel)]
#[sea_orm(entity = "subscription::Entity")]
struct Row {
    id: Uuid,
    provider_id: Uuid,
    provider_account_id: Uuid,
    name: String,
    product_id: Option<String>,
    unit: Option<String>,
    quantity: i64,
    unit_cost: Option<String>,
    currency: Option<String>,
    account_id: Option<Uuid>,
    contract_id: Option<Uuid>,
    held_for: Option<String>,
    selling_price: Option<String>,
    gone_since: Option<DateTime<Utc>>,
}

/// The facts of these subscriptions, those that exist. Changes are overdue that should have been made before `late`.
///
/// # Errors
/// When the database refuses.
pub async fn of_subscriptions(
    connection: &impl ConnectionTrait,
    ids: &[ProductSubscriptionId],
    late: DateTime<Utc>,
) -> Result<Vec<SubscriptionFacts>, StoreError> {
    let rows = subscription::Entity::find()
        .filter(subscription::Column::Id.is_in(ids.iter().map(|id| id.as_uuid())))
        .into_partial_model::<Row>()
        .all(connection)
        .await?;
    let contracts = contracts(connection, &rows).await?;
    let customers = customer_names(connection, &rows).await?;
    let sums = license_changes::sums(connection, ids).await?;
    let undone = license_changes::undone(connection, ids, late).await?;
    let mut facts = Vec::with_capacity(rows.len());
    for row in rows {
        let id = ProductSubscriptionId::new(row.id);
        facts.push(SubscriptionFacts {
            id,
            provider_id: ProviderId::new(row.provider_id),
            undone: undone.get(&id).copied().unwrap_or_default(),
            account_id: row.account_id.map(AccountId::new),
            held_for: row.held_for.as_deref().and_then(HeldFor::from_name),
            contract: row.contract_id.and_then(|id| contracts.get(&id).cloned()),
            quantity: from_micros(row.quantity),
            logged: sums.get(&id).copied(),
            unit_cost: decimal(row.id, "unit_cost", row.unit_cost.as_deref())?,
            currency: row
                .currency
                .as_deref()
                .and_then(|code| Currency::parse(code).ok()),
            selling_price: decimal(row.id, "selling_price", row.selling_price.as_deref())?,
            gone: row.gone_since.is_some(),
            customer: customers
                .get(&row.provider_account_id)
                .cloned()
                .unwrap_or_default(),
            name: row.name,
            product_id: row.product_id,
            unit: row.unit,
        });
    }
    Ok(facts)
}

async fn customer_names(
    connection: &impl ConnectionTrait,
    rows: &[Row],
) -> Result<HashMap<Uuid, String>, StoreError> {
    use provider_account::Column;
    let ids: HashSet<Uuid> = rows.iter().map(|row| row.provider_account_id).collect();
    let names: Vec<(Uuid, String)> = provider_account::Entity::find()
        .select_only()
        .columns([Column::Id, Column::Name])
        .filter(Column::Id.is_in(ids))
        .into_tuple()
        .all(connection)
        .await?;
    Ok(names.into_iter().collect())
}

async fn contracts(
    connection: &impl ConnectionTrait,
    rows: &[Row],
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

/// An Account that needs a contract and has none open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithoutContract {
    /// The Account.
    pub account_id: AccountId,
    /// Its name, where a customer is mapped to it.
    pub name: Option<String>,
    /// The providers of the customers that are mapped to it.
    pub providers: Vec<ProviderId>,
    /// Whether it has subscriptions that a provider still lists.
    pub has_subscriptions: bool,
}

/// Of these Accounts, those without an open contract that have subscriptions the provider still lists, or are mapped to a
/// customer that is still there.
///
/// # Errors
/// When the database refuses.
pub async fn accounts_without_contract(
    connection: &impl ConnectionTrait,
    accounts: &[AccountId],
) -> Result<Vec<WithoutContract>, StoreError> {
    if accounts.is_empty() {
        return Ok(Vec::new());
    }
    let ids = || accounts.iter().map(|id| id.as_uuid());
    let with: HashSet<Uuid> = billing_contract::Entity::find()
        .select_only()
        .distinct()
        .column(billing_contract::Column::AccountId)
        .filter(billing_contract::Column::AccountId.is_in(ids()))
        .filter(billing_contract::Column::ClosedAt.is_null())
        .into_tuple()
        .all(connection)
        .await?
        .into_iter()
        .collect();
    let without: Vec<Uuid> = ids().filter(|id| !with.contains(id)).collect();
    if without.is_empty() {
        return Ok(Vec::new());
    }
    let subscribed: Vec<(Option<Uuid>, Uuid)> = subscription::Entity::find()
        .select_only()
        .distinct()
        .columns([
            subscription::Column::AccountId,
            subscription::Column::ProviderId,
        ])
        .filter(subscription::Column::AccountId.is_in(without.iter().copied()))
        .filter(subscription::Column::GoneSince.is_null())
        .into_tuple()
        .all(connection)
        .await?;
    let mapped: Vec<(Option<Uuid>, Uuid, Option<String>)> = provider_account::Entity::find()
        .select_only()
        .distinct()
        .columns([
            provider_account::Column::AccountId,
            provider_account::Column::ProviderId,
            provider_account::Column::AccountName,
        ])
        .filter(provider_account::Column::AccountId.is_in(without))
        .filter(provider_account::Column::MissingSince.is_null())
        .into_tuple()
        .all(connection)
        .await?;
    let mut needing: BTreeMap<Uuid, (Vec<ProviderId>, bool)> = BTreeMap::new();
    let mut names = HashMap::new();
    for (account, provider) in subscribed {
        let Some(account) = account else { continue };
        let (providers, has_subscriptions) = needing.entry(account).or_default();
        providers.push(ProviderId::new(provider));
        *has_subscriptions = true;
    }
    for (account, provider, name) in mapped {
        let Some(account) = account else { continue };
        let (providers, _) = needing.entry(account).or_default();
        providers.push(ProviderId::new(provider));
        names.extend(name.map(|name| (account, name)));
    }
    let found = needing
        .into_iter()
        .map(|(account, (providers, has))| WithoutContract {
            account_id: AccountId::new(account),
            name: names.remove(&account),
            providers,
            has_subscriptions: has,
        });
    Ok(found.collect())
}

/// The Accounts that these customers are mapped to.
///
/// # Errors
/// When the database refuses.
pub async fn accounts_of(
    connection: &impl ConnectionTrait,
    customers: &[ProviderAccountId],
) -> Result<Vec<AccountId>, StoreError> {
    use provider_account::Column;
    let mut accounts = Vec::new();
    for chunk in customers.chunks(bulk::IDS_AT_ONCE) {
        let rows: Vec<Uuid> = provider_account::Entity::find()
            .select_only()
            .distinct()
            .column(Column::AccountId)
            .filter(Column::Id.is_in(chunk.iter().map(|id| id.as_uuid())))
            .filter(Column::AccountId.is_not_null())
            .into_tuple()
            .all(connection)
            .await?;
        accounts.extend(rows.into_iter().map(AccountId::new));
    }
    accounts.sort_unstable();
    accounts.dedup();
    Ok(accounts)
}

/// Every Account that a customer is mapped to.
///
/// # Errors
/// When the database refuses.
pub async fn mapped_accounts(
    connection: &impl ConnectionTrait,
) -> Result<Vec<AccountId>, StoreError> {
    let rows: Vec<Uuid> = provider_account::Entity::find()
        .select_only()
        .distinct()
        .column(provider_account::Column::AccountId)
        .filter(provider_account::Column::AccountId.is_not_null())
        .into_tuple()
        .all(connection)
        .await?;
    Ok(rows.into_iter().map(AccountId::new).collect())
}

/// The customers that these subscriptions belong to.
///
/// # Errors
/// When the database refuses.
pub async fn customers_of(
    connection: &impl ConnectionTrait,
    subscriptions: &[ProductSubscriptionId],
) -> Result<Vec<ProviderAccountId>, StoreError> {
    let mut customers = Vec::new();
    for chunk in subscriptions.chunks(bulk::IDS_AT_ONCE) {
        let rows: Vec<Uuid> = subscription::Entity::find()
            .select_only()
            .distinct()
            .column(subscription::Column::ProviderAccountId)
            .filter(subscription::Column::Id.is_in(chunk.iter().map(|id| id.as_uuid())))
            .into_tuple()
            .all(connection)
            .await?;
        customers.extend(rows.into_iter().map(ProviderAccountId::new));
    }
    Ok(customers)
}
