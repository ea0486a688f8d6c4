//! Creations of CRM Accounts that are under way or done (B8).

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::entities::account_creation::{ActiveModel, Column, Entity};
use super::{StoreError, WriteTx};
use crate::domain::account::NewAccount;
use crate::domain::ids::{AccountId, ProviderAccountId};

/// A creation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Creation {
    /// For this Provider Account.
    pub provider_account_id: ProviderAccountId,
    /// Id that the Account has or will have.
    pub account_id: AccountId,
    /// What it is to hold.
    pub content: NewAccount,
    /// Who asked for it.
    pub requested_by: String,
    /// When.
    pub requested_at: DateTime<Utc>,
    /// When it was there and mapped.
    pub done_at: Option<DateTime<Utc>>,
}

/// The latest creation for a Provider Account.
///
/// # Errors
/// When the database refuses, or the row cannot be read.
pub async fn find(
    connection: &impl ConnectionTrait,
    of: ProviderAccountId,
) -> Result<Option<Creation>, StoreError> {
    let Some(row) = Entity::find_by_id(of.as_uuid()).one(connection).await? else {
        return Ok(None);
    };
    let content = serde_json::from_value(row.content.clone()).map_err(|_| {
        StoreError::impossible("account_creation", "content", of.as_uuid(), &row.content)
    })?;
    Ok(Some(Creation {
        provider_account_id: of,
        account_id: AccountId::new(row.account_id),
        content,
        requested_by: row.requested_by,
        requested_at: row.requested_at,
        done_at: row.done_at,
    }))
}

/// Keeps a creation in the place of an earlier one.
///
/// # Errors
/// When the database refuses.
pub async fn keep(tx: &WriteTx, creation: &Creation) -> Result<(), StoreError> {
    let row = ActiveModel {
        provider_account_id: Set(creation.provider_account_id.as_uuid()),
        account_id: Set(creation.account_id.as_uuid()),
        content: Set(serde_json::json!(creation.content)),
        requested_by: Set(creation.requested_by.clone()),
        requested_at: Set(creation.requested_at),
        done_at: Set(creation.done_at),
    };
    let replace = OnConflict::column(Column::ProviderAccountId)
        .update_columns([
            Column::AccountId,
            Column::Content,
            Column::RequestedBy,
            Column::RequestedAt,
            Column::DoneAt,
        ])
        .to_owned();
    Entity::insert(row)
        .on_conflict(replace)
        .exec_without_returning(&**tx)
        .await?;
    Ok(())
}

/// Says that the Account is there and mapped.
///
/// # Errors
/// When the database refuses.
pub async fn done(
    tx: &WriteTx,
    of: ProviderAccountId,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    Entity::update_many()
        .col_expr(Column::DoneAt, Expr::value(at))
        .filter(Column::ProviderAccountId.eq(of.as_uuid()))
        .exec(&**tx)
        .await?;
    Ok(())
}
