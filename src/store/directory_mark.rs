//! Whether the mirror of the CRM holds everything, and which reading it is of. Evidence from half a directory is
//! dangerous: the second Account at a domain may be on the page that has not come yet.

use std::collections::HashMap;

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::entities::{crm_account, crm_feed};
use super::error::StoreError;
use crate::domain::account::AccountState;
use crate::domain::ids::AccountId;
use crate::domain::ports::crm::DirectoryTable;

/// Names one complete reading of the mirrored tables. Two equal marks, and no full reading came between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryMark(Vec<(String, i64)>);

/// The mark of the present reading; `None` while a table was never read to the end, or is being read anew.
///
/// # Errors
/// When the database refuses.
pub async fn complete(
    connection: &impl ConnectionTrait,
) -> Result<Option<DirectoryMark>, StoreError> {
    let tables = [
        DirectoryTable::Accounts.name(),
        DirectoryTable::Contacts.name(),
    ];
    let rows = crm_feed::Entity::find()
        .filter(crm_feed::Column::TableName.is_in(tables))
        .filter(crm_feed::Column::ReadingEverything.eq(false))
        .filter(crm_feed::Column::CompletedAt.is_not_null())
        .order_by_asc(crm_feed::Column::TableName)
        .all(connection)
        .await?;
    let mark: Vec<_> = rows
        .into_iter()
        .map(|row| (row.table_name, row.generation))
        .collect();
    Ok((mark.len() == tables.len()).then_some(DirectoryMark(mark)))
}

/// The row versions of those of these Accounts that are active (a thousand at most).
///
/// # Errors
/// When the database refuses.
pub async fn active_versions(
    connection: &impl ConnectionTrait,
    ids: &[AccountId],
) -> Result<HashMap<AccountId, i64>, StoreError> {
    use crm_account::Column;
    let rows: Vec<(uuid::Uuid, i64)> = crm_account::Entity::find()
        .select_only()
        .columns([Column::Id, Column::RowVersion])
        .filter(Column::Id.is_in(ids.iter().map(|id| id.as_uuid())))
        .filter(Column::State.eq(AccountState::Active.name()))
        .into_tuple()
        .all(connection)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(id, version)| (AccountId::new(id), version))
        .collect())
}
