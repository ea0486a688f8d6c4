//! One-to-one mapping (B5). While it is insisted on, `unique_account_id` repeats the Account of every mapping and a unique
//! index refuses a second one; while it is not, the column is empty and the index has nothing to say.

use std::collections::{BTreeMap, HashMap};

use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;

use crate::domain::ids::{AccountId, ProviderAccountId};
use crate::store::entities::provider_account;
use crate::store::{StoreError, WriteTx};

/// A Provider Account that has an Account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Holder {
    /// The Provider Account.
    pub provider_account_id: ProviderAccountId,
    /// Its name at the provider.
    pub name: String,
    /// The Account it is mapped to.
    #[serde(skip)]
    pub account_id: AccountId,
    /// That Account's name when the mapping was made.
    #[serde(skip)]
    pub account_name: String,
}

/// An Account with several mappings, which one-to-one does not allow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SharedAccount {
    /// The Account.
    pub account_id: AccountId,
    /// Its name.
    pub account_name: String,
    /// Who is mapped to it.
    pub provider_accounts: Vec<Holder>,
}

type Row = (uuid::Uuid, String, uuid::Uuid, Option<String>);

fn select_holders() -> sea_orm::Select<provider_account::Entity> {
    use provider_account::Column;
    provider_account::Entity::find()
        .select_only()
        .columns([
            Column::Id,
            Column::Name,
            Column::AccountId,
            Column::AccountName,
        ])
        .order_by_asc(Column::AccountId)
        .order_by_asc(Column::NameFolded)
        .order_by_asc(Column::Id)
}

fn holder((id, name, account, account_name): Row) -> Holder {
    Holder {
        provider_account_id: ProviderAccountId::new(id),
        name,
        account_id: AccountId::new(account),
        account_name: account_name.unwrap_or_default(),
    }
}

/// Who is mapped to these Accounts (a thousand at most).
///
/// # Errors
/// When the database refuses.
pub async fn holders(
    connection: &impl ConnectionTrait,
    accounts: &[AccountId],
) -> Result<Vec<Holder>, StoreError> {
    let rows: Vec<Row> = select_holders()
        .filter(provider_account::Column::AccountId.is_in(accounts.iter().map(|id| id.as_uuid())))
        .into_tuple()
        .all(connection)
        .await?;
    Ok(rows.into_iter().map(holder).collect())
}

/// As [`holders`], by Account.
///
/// # Errors
/// When the database refuses.
pub async fn holder_of_each(
    connection: &impl ConnectionTrait,
    accounts: &[AccountId],
) -> Result<HashMap<AccountId, Holder>, StoreError> {
    let found = holders(connection, accounts).await?;
    Ok(found
        .into_iter()
        .map(|holder| (holder.account_id, holder))
        .collect())
}

/// Accounts with several mappings.
///
/// # Errors
/// When the database refuses.
pub async fn shared_accounts(
    connection: &impl ConnectionTrait,
) -> Result<Vec<SharedAccount>, StoreError> {
    use provider_account::Column;
    let shared = Query::select()
        .column(Column::AccountId)
        .from(provider_account::Entity)
        .and_where(Expr::col(Column::AccountId).is_not_null())
        .group_by_col(Column::AccountId)
        .and_having(Expr::col(Column::Id).count().gt(1))
        .to_owned();
    let rows: Vec<Row> = select_holders()
        .filter(Column::AccountId.in_subquery(shared))
        .into_tuple()
        .all(connection)
        .await?;
    let mut by_account: BTreeMap<AccountId, SharedAccount> = BTreeMap::new();
    for holder in rows.into_iter().map(holder) {
        by_account
            .entry(holder.account_id)
            .or_insert_with(|| SharedAccount {
                account_id: holder.account_id,
                account_name: holder.account_name.clone(),
                provider_accounts: Vec::new(),
            })
            .provider_accounts
            .push(holder);
    }
    Ok(by_account.into_values().collect())
}

/// Begins to insist on one-to-one, or stops.
///
/// # Errors
/// A unique violation when an Account has several mappings.
pub async fn insist(tx: &WriteTx, on: bool) -> Result<(), StoreError> {
    use provider_account::Column;
    let value = if on {
        Expr::col(Column::AccountId)
    } else {
        Expr::value(Option::<uuid::Uuid>::None)
    };
    provider_account::Entity::update_many()
        .col_expr(Column::UniqueAccountId, value)
        .filter(Column::AccountId.is_not_null())
        .exec(&**tx)
        .await?;
    Ok(())
}
