//! Mappings of Provider Accounts (B4): the present state on the row, its history beside it. Lock, judge, write, commit: a
//! mapping is only ever written to a row that this transaction has [`lock`]ed, so what a flow judged is what it replaces.

mod history;
pub mod rejections;
pub mod suggestions;
pub mod tenants;
pub mod unique;

use std::ops::Deref;

use chrono::NaiveDate;
use sea_orm::sea_query::{Expr, ExprTrait, LockType, OnConflict, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::entities::{crm_account, provider_account};
use super::error::StoreError;
use super::provider_accounts::with_domains;
use super::{Signal, WriteTx, bulk};
use crate::domain::account::AccountState;
use crate::domain::caller::Caller;
use crate::domain::context::Context;
use crate::domain::ids::{AccountId, ProviderAccountId};
use crate::domain::mapping::{Mapping, MatchEvidence};
use crate::domain::provider_account::ProviderAccount;

pub use history::{PastChange, evidence, history, taken_away};

/// A Provider Account that nobody else can change until this transaction ends.
#[derive(Debug, Clone)]
pub struct Locked {
    row: provider_account::Model,
    account: ProviderAccount,
}

impl Deref for Locked {
    type Target = ProviderAccount;

    fn deref(&self) -> &ProviderAccount {
        &self.account
    }
}

/// A change of one mapping.
#[derive(Debug, Clone)]
pub struct Change {
    /// Of this account, as it is now.
    pub of: Locked,
    /// What it becomes.
    pub to: Mapping,
    /// Why, in words for people.
    pub reason: Option<String>,
    /// What an automatic mapping rests on.
    pub evidence: Option<MatchEvidence>,
    /// What became effective before stays where it was billed (B15).
    pub cut_over: Option<NaiveDate>,
}

impl Change {
    /// A change that rests on no evidence of ours.
    #[must_use]
    pub const fn by_hand(of: Locked, to: Mapping, reason: Option<String>) -> Self {
        Self {
            of,
            to,
            reason,
            evidence: None,
            cut_over: None,
        }
    }
}

/// Locks Provider Accounts, those that exist, always in the order of their ids, so that two transactions cannot wait for
/// each other.
///
/// # Errors
/// When the database refuses.
pub async fn lock(tx: &WriteTx, ids: &[ProviderAccountId]) -> Result<Vec<Locked>, StoreError> {
    let mut ids: Vec<_> = ids.iter().map(|id| id.as_uuid()).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut locked = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(bulk::IDS_AT_ONCE) {
        let rows = provider_account::Entity::find()
            .filter(provider_account::Column::Id.is_in(chunk.iter().copied()))
            .order_by_asc(provider_account::Column::Id)
            .lock(LockType::Update)
            .all(&**tx)
            .await?;
        let accounts = with_domains(&**tx, rows.clone()).await?;
        let both = rows.into_iter().zip(accounts);
        locked.extend(both.map(|(row, account)| Locked { row, account }));
    }
    Ok(locked)
}

/// Writes changes with their history, and forgets the suggestions for the accounts. `unique` says whether one-to-one is
/// insisted on (B5). Gives the accounts as they are now, in the order given.
///
/// # Errors
/// A unique violation when another Provider Account has the Account and one-to-one is insisted on; PostgreSQL then takes
/// nothing more in this transaction.
pub async fn write(
    tx: &WriteTx,
    context: &Context,
    by: &Caller,
    unique: bool,
    changes: &[Change],
) -> Result<Vec<ProviderAccount>, StoreError> {
    use provider_account::Column;
    let replace = OnConflict::column(Column::Id)
        .update_columns([
            Column::MappingState,
            Column::AccountId,
            Column::AccountName,
            Column::UniqueAccountId,
            Column::MappedBy,
            Column::MappingChangedAt,
            Column::MappingReason,
            Column::MappingVersion,
        ])
        .to_owned();
    let rows = changes.iter().map(|change| new_row(change, unique));
    bulk::insert_or(tx, rows, replace).await?;
    history::insert(tx, context, by, changes).await?;
    let ids: Vec<_> = changes.iter().map(|change| change.of.id).collect();
    suggestions::forget(tx, &ids).await?;
    if !changes.is_empty() {
        tx.signal(Signal::ProviderAccountsChanged);
    }
    Ok(changes.iter().map(changed).collect())
}

fn changed(change: &Change) -> ProviderAccount {
    ProviderAccount {
        mapping: change.to.clone(),
        mapping_version: change.of.mapping_version + 1,
        ..change.of.account.clone()
    }
}

fn new_row(change: &Change, unique: bool) -> provider_account::Model {
    let account_id = change.to.account_id().map(AccountId::as_uuid);
    let (account_name, mapped_by) = match &change.to {
        Mapping::Mapped {
            account_name, by, ..
        } => (Some(account_name.clone()), Some(by.name().to_owned())),
        Mapping::Unmapped { .. } | Mapping::Excluded { .. } => (None, None),
    };
    provider_account::Model {
        mapping_state: change.to.state().name().to_owned(),
        account_id,
        account_name,
        unique_account_id: account_id.filter(|_| unique),
        mapped_by,
        mapping_changed_at: change.to.changed_at(),
        mapping_reason: change.reason.clone(),
        mapping_version: change.of.mapping_version + 1,
        ..change.of.row.clone()
    }
}

/// The Provider Accounts that are mapped to any of these Accounts.
///
/// # Errors
/// When the database refuses.
pub async fn mapped_to(
    connection: &impl ConnectionTrait,
    accounts: &[AccountId],
) -> Result<Vec<(ProviderAccountId, AccountId)>, StoreError> {
    use provider_account::Column;
    let mut found = Vec::new();
    for chunk in accounts.chunks(bulk::IDS_AT_ONCE) {
        let rows: Vec<(uuid::Uuid, uuid::Uuid)> = provider_account::Entity::find()
            .select_only()
            .columns([Column::Id, Column::AccountId])
            .filter(Column::AccountId.is_in(chunk.iter().map(|id| id.as_uuid())))
            .order_by_asc(Column::Id)
            .into_tuple()
            .all(connection)
            .await?;
        found.extend(
            rows.into_iter()
                .map(|(id, account)| (ProviderAccountId::new(id), AccountId::new(account))),
        );
    }
    Ok(found)
}

/// Accounts that have mappings although the mirror of the CRM does not show them as active.
///
/// # Errors
/// When the database refuses.
pub async fn accounts_gone(
    connection: &impl ConnectionTrait,
) -> Result<Vec<AccountId>, StoreError> {
    use provider_account::Column;
    let active = Query::select()
        .expr(Expr::value(1))
        .from(crm_account::Entity)
        .and_where(
            Expr::col((crm_account::Entity, crm_account::Column::Id))
                .equals((provider_account::Entity, Column::AccountId)),
        )
        .and_where(crm_account::Column::State.eq(AccountState::Active.name()))
        .to_owned();
    let rows: Vec<uuid::Uuid> = provider_account::Entity::find()
        .select_only()
        .distinct()
        .column(Column::AccountId)
        .filter(Column::AccountId.is_not_null())
        .filter(Expr::exists(active).not())
        .into_tuple()
        .all(connection)
        .await?;
    Ok(rows.into_iter().map(AccountId::new).collect())
}
