//! Billing Contracts (D1): reading, listing, writing under the version that was judged.

use sea_orm::sea_query::{Cond, LockType};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::entities::billing_contract::{self, Column, Entity};
use super::error::StoreError;
use super::{WriteTx, bulk};
use crate::domain::billing_contract::{
    BillingContract, BillingPolicy, Closed, ContractTerms, Frequency,
};
use crate::domain::fold::fold;
use crate::domain::ids::{AccountId, BillingContractId};
use crate::domain::money::Currency;

/// Which contracts to list. All conditions hold together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only of this Account.
    pub account: Option<AccountId>,
    /// Only those that are open (true) or closed (false).
    pub open: Option<bool>,
    /// Only in this currency.
    pub currency: Option<Currency>,
}

/// Where a listing goes on: after this name and id.
pub type After = (String, Uuid);

fn to_row(contract: &BillingContract) -> billing_contract::Model {
    let terms = &contract.terms;
    billing_contract::Model {
        id: contract.id.as_uuid(),
        account_id: contract.account_id.as_uuid(),
        account_name: contract.account_name.clone(),
        name_folded: fold(&terms.name),
        name: terms.name.clone(),
        frequency: terms.frequency.name().to_owned(),
        policy: terms.policy.name().to_owned(),
        terms: terms.terms.clone(),
        currency: terms.currency.to_string(),
        tax: terms.tax.clone(),
        payment_profile: terms.payment_profile.clone(),
        start_date: terms.start_date,
        end_date: terms.end_date,
        go_live_date: terms.go_live_date,
        next_invoice_date: terms.next_invoice_date,
        default_price_list: terms.default_price_list.clone(),
        is_default: terms.is_default,
        products: serde_json::json!(terms.products),
        automation: serde_json::json!(terms.automation),
        closed_at: contract.closed.as_ref().map(|closed| closed.at),
        closed_reason: contract.closed.as_ref().map(|closed| closed.reason.clone()),
        created_at: contract.created_at,
        updated_at: contract.updated_at,
        version: contract.version,
    }
}

fn to_domain(row: billing_contract::Model) -> Result<BillingContract, StoreError> {
    let impossible =
        |column, value: &str| StoreError::impossible("billing_contract", column, row.id, value);
    let terms = ContractTerms {
        frequency: Frequency::from_name(&row.frequency)
            .ok_or_else(|| impossible("frequency", &row.frequency))?,
        policy: BillingPolicy::from_name(&row.policy)
            .ok_or_else(|| impossible("policy", &row.policy))?,
        currency: Currency::parse(&row.currency)
            .map_err(|_| impossible("currency", &row.currency))?,
        automation: serde_json::from_value(row.automation.clone())
            .map_err(|_| impossible("automation", &row.automation.to_string()))?,
        products: serde_json::from_value(row.products.clone())
            .map_err(|_| impossible("products", &row.products.to_string()))?,
        name: row.name,
        terms: row.terms,
        tax: row.tax,
        payment_profile: row.payment_profile,
        start_date: row.start_date,
        end_date: row.end_date,
        go_live_date: row.go_live_date,
        next_invoice_date: row.next_invoice_date,
        default_price_list: row.default_price_list,
        is_default: row.is_default,
    };
    Ok(BillingContract {
        id: BillingContractId::new(row.id),
        account_id: AccountId::new(row.account_id),
        account_name: row.account_name,
        terms,
        closed: row.closed_at.map(|at| Closed {
            at,
            reason: row.closed_reason.unwrap_or_default(),
        }),
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    })
}

/// Adds a contract.
///
/// # Errors
/// A unique violation when the Account has a contract of this name, or already a default in this currency.
pub async fn insert(tx: &WriteTx, contract: &BillingContract) -> Result<(), StoreError> {
    Entity::insert(to_row(contract).into_active_model())
        .exec_without_returning(&**tx)
        .await?;
    Ok(())
}

/// Writes a contract that this transaction has [`lock`]ed.
///
/// # Errors
/// A unique violation, as [`insert`].
pub async fn update(tx: &WriteTx, contract: &BillingContract) -> Result<(), StoreError> {
    Entity::update(to_row(contract).into_active_model().reset_all())
        .exec(&**tx)
        .await?;
    Ok(())
}

/// One contract, which nobody else can change until this transaction ends.
///
/// # Errors
/// When the database refuses.
pub async fn lock(
    tx: &WriteTx,
    id: BillingContractId,
) -> Result<Option<BillingContract>, StoreError> {
    Entity::find_by_id(id.as_uuid())
        .lock(LockType::Update)
        .one(&**tx)
        .await?
        .map(to_domain)
        .transpose()
}

/// One contract.
///
/// # Errors
/// When the database refuses.
pub async fn find(
    connection: &impl ConnectionTrait,
    id: BillingContractId,
) -> Result<Option<BillingContract>, StoreError> {
    Entity::find_by_id(id.as_uuid())
        .one(connection)
        .await?
        .map(to_domain)
        .transpose()
}

/// The open contracts of these Accounts.
///
/// # Errors
/// When the database refuses.
pub async fn open_of(
    connection: &impl ConnectionTrait,
    accounts: &[AccountId],
) -> Result<Vec<BillingContract>, StoreError> {
    let mut found = Vec::new();
    for chunk in accounts.chunks(bulk::IDS_AT_ONCE) {
        let rows = Entity::find()
            .filter(Column::AccountId.is_in(chunk.iter().map(|id| id.as_uuid())))
            .filter(Column::ClosedAt.is_null())
            .order_by_asc(Column::Id)
            .all(connection)
            .await?;
        for row in rows {
            found.push(to_domain(row)?);
        }
    }
    Ok(found)
}

/// As [`open_of`], and nobody closes or changes them until this transaction ends.
///
/// # Errors
/// When the database refuses.
pub async fn hold_open_of(
    tx: &WriteTx,
    accounts: &[AccountId],
) -> Result<Vec<BillingContract>, StoreError> {
    let mut found = Vec::new();
    for chunk in accounts.chunks(bulk::IDS_AT_ONCE) {
        let rows = Entity::find()
            .filter(Column::AccountId.is_in(chunk.iter().map(|id| id.as_uuid())))
            .filter(Column::ClosedAt.is_null())
            .order_by_asc(Column::Id)
            .lock(LockType::Share)
            .all(&**tx)
            .await?;
        for row in rows {
            found.push(to_domain(row)?);
        }
    }
    Ok(found)
}

/// One page of contracts, by name, and where the next begins.
///
/// # Errors
/// When the database refuses.
pub async fn list(
    connection: &impl ConnectionTrait,
    filter: &Filter,
    after: Option<&After>,
    top: u64,
) -> Result<(Vec<BillingContract>, Option<After>), StoreError> {
    let mut condition = Cond::all();
    if let Some(account) = filter.account {
        condition = condition.add(Column::AccountId.eq(account.as_uuid()));
    }
    if let Some(currency) = filter.currency {
        condition = condition.add(Column::Currency.eq(currency.code()));
    }
    match filter.open {
        Some(true) => condition = condition.add(Column::ClosedAt.is_null()),
        Some(false) => condition = condition.add(Column::ClosedAt.is_not_null()),
        None => {}
    }
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
    let contracts: Result<Vec<_>, _> = rows.into_iter().map(to_domain).collect();
    Ok((contracts?, after))
}
