//! One-time sign-in links and browser sessions, by the hash of their secret.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde_json::json;

use super::WriteTx;
use super::api_keys::roles_from;
use super::entities::{session, sign_in_link};
use super::error::StoreError;
use crate::domain::api_key::{Session, SignInLink};

/// Adds a link.
///
/// # Errors
/// When the database refuses.
pub async fn insert_link(
    tx: &WriteTx,
    link: &SignInLink,
    secret_hash: &[u8],
) -> Result<(), StoreError> {
    let row = sign_in_link::ActiveModel {
        secret_hash: Set(secret_hash.to_vec()),
        id: Set(link.id),
        name: Set(link.name.clone()),
        roles: Set(json!(link.roles)),
        created_at: Set(link.created_at),
        expires_at: Set(link.expires_at),
        used_at: Set(None),
    };
    sign_in_link::Entity::insert(row)
        .exec_without_returning(&**tx)
        .await?;
    Ok(())
}

/// Uses up a link. `None` when it is unknown, expired, or was used before: of two who try at once, one gets it.
///
/// # Errors
/// When the database refuses.
pub async fn use_link(
    tx: &WriteTx,
    secret_hash: &[u8],
    now: DateTime<Utc>,
) -> Result<Option<SignInLink>, StoreError> {
    use sign_in_link::Column;
    let used = sign_in_link::Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(now))
        .filter(Column::SecretHash.eq(secret_hash.to_vec()))
        .filter(Column::UsedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .exec(&**tx)
        .await?;
    if used.rows_affected != 1 {
        return Ok(None);
    }
    let row = sign_in_link::Entity::find_by_id(secret_hash.to_vec())
        .one(&**tx)
        .await?;
    row.map(|row| {
        Ok(SignInLink {
            id: row.id,
            name: row.name,
            roles: roles_from(row.roles, "sign_in_link", row.id)?,
            created_at: row.created_at,
            expires_at: row.expires_at,
        })
    })
    .transpose()
}

/// Adds a session.
///
/// # Errors
/// When the database refuses.
pub async fn insert(tx: &WriteTx, session: &Session, secret_hash: &[u8]) -> Result<(), StoreError> {
    let row = session::ActiveModel {
        secret_hash: Set(secret_hash.to_vec()),
        id: Set(session.id),
        name: Set(session.name.clone()),
        roles: Set(json!(session.roles)),
        csrf: Set(session.csrf.clone()),
        created_at: Set(session.created_at),
        last_seen_at: Set(session.last_seen_at),
        expires_at: Set(session.expires_at),
    };
    session::Entity::insert(row)
        .exec_without_returning(&**tx)
        .await?;
    Ok(())
}

/// The session with this cookie, expired or not.
///
/// # Errors
/// When the database refuses.
pub async fn find(
    connection: &impl ConnectionTrait,
    secret_hash: &[u8],
) -> Result<Option<Session>, StoreError> {
    let row = session::Entity::find_by_id(secret_hash.to_vec())
        .one(connection)
        .await?;
    row.map(|row| {
        Ok(Session {
            id: row.id,
            name: row.name,
            roles: roles_from(row.roles, "session", row.id)?,
            csrf: row.csrf,
            created_at: row.created_at,
            last_seen_at: row.last_seen_at,
            expires_at: row.expires_at,
        })
    })
    .transpose()
}

/// Remembers that a session was used.
///
/// # Errors
/// When the database refuses.
pub async fn touch(tx: &WriteTx, secret_hash: &[u8], now: DateTime<Utc>) -> Result<(), StoreError> {
    session::Entity::update_many()
        .col_expr(session::Column::LastSeenAt, Expr::value(now))
        .filter(session::Column::SecretHash.eq(secret_hash.to_vec()))
        .exec(&**tx)
        .await?;
    Ok(())
}

/// Ends a session.
///
/// # Errors
/// When the database refuses.
pub async fn delete(tx: &WriteTx, secret_hash: &[u8]) -> Result<(), StoreError> {
    session::Entity::delete_by_id(secret_hash.to_vec())
        .exec(&**tx)
        .await?;
    Ok(())
}
