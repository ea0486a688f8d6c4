//! API keys, by public id. The hash of the secret goes in and comes out; the secret never does.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
};
use serde_json::{Value, json};

use super::entities::api_key::{ActiveModel, Column, Entity, Model};
use super::error::StoreError;
use super::{Signal, WriteTx};
use crate::domain::api_key::ApiKey;
use crate::domain::caller::Roles;
use crate::domain::ids::ApiKeyId;

/// Roles as they stand in a JSON column.
pub(super) fn roles_from(
    value: Value,
    table: &'static str,
    id: impl ToString,
) -> Result<Roles, StoreError> {
    let text = value.to_string();
    serde_json::from_value(value).map_err(|_| StoreError::impossible(table, "roles", id, text))
}

fn to_domain(row: Model) -> Result<(ApiKey, Vec<u8>), StoreError> {
    let key = ApiKey {
        id: ApiKeyId::new(row.id),
        name: row.name,
        roles: roles_from(row.roles, "api_key", row.id)?,
        created_at: row.created_at,
        created_by: row.created_by,
        revoked_at: row.revoked_at,
        last_used_at: row.last_used_at,
    };
    Ok((key, row.secret_hash))
}

/// Every key, the newest first, revoked ones too.
///
/// # Errors
/// When the database refuses.
pub async fn list(connection: &impl ConnectionTrait) -> Result<Vec<ApiKey>, StoreError> {
    let rows = Entity::find()
        .order_by_desc(Column::Id)
        .all(connection)
        .await?;
    rows.into_iter()
        .map(|row| to_domain(row).map(|(key, _)| key))
        .collect()
}

/// One key and the hash of its secret.
///
/// # Errors
/// When the database refuses.
pub async fn find(
    connection: &impl ConnectionTrait,
    id: ApiKeyId,
) -> Result<Option<(ApiKey, Vec<u8>)>, StoreError> {
    Entity::find_by_id(id.as_uuid())
        .one(connection)
        .await?
        .map(to_domain)
        .transpose()
}

/// Adds a key.
///
/// # Errors
/// When the database refuses.
pub async fn insert(tx: &WriteTx, key: &ApiKey, secret_hash: &[u8]) -> Result<(), StoreError> {
    let row = ActiveModel {
        id: Set(key.id.as_uuid()),
        name: Set(key.name.clone()),
        secret_hash: Set(secret_hash.to_vec()),
        roles: Set(json!(key.roles)),
        created_at: Set(key.created_at),
        created_by: Set(key.created_by.clone()),
        revoked_at: Set(key.revoked_at),
        last_used_at: Set(key.last_used_at),
    };
    Entity::insert(row).exec_without_returning(&**tx).await?;
    tx.signal(Signal::KeysChanged);
    Ok(())
}

/// Revokes a key. Says whether this call did it: `false` when it was revoked before, or is unknown.
///
/// # Errors
/// When the database refuses.
pub async fn revoke(tx: &WriteTx, id: ApiKeyId, at: DateTime<Utc>) -> Result<bool, StoreError> {
    let updated = Entity::update_many()
        .col_expr(Column::RevokedAt, Expr::value(at))
        .filter(Column::Id.eq(id.as_uuid()))
        .filter(Column::RevokedAt.is_null())
        .exec(&**tx)
        .await?;
    tx.signal(Signal::KeysChanged);
    Ok(updated.rows_affected == 1)
}

/// Remembers that a key was used. No signal: nobody has to look.
///
/// # Errors
/// When the database refuses.
pub async fn touch(tx: &WriteTx, id: ApiKeyId, at: DateTime<Utc>) -> Result<(), StoreError> {
    Entity::update_many()
        .col_expr(Column::LastUsedAt, Expr::value(at))
        .filter(Column::Id.eq(id.as_uuid()))
        .exec(&**tx)
        .await?;
    Ok(())
}
