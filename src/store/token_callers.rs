//! Users and applications that called with a token of the identity provider: the roles of their last one. They own trigger
//! subscriptions and Jobs long after that token has expired. One row a caller.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};
use serde_json::json;
use uuid::Uuid;

use super::WriteTx;
use super::api_keys::roles_from;
use super::entities::token_caller::{ActiveModel, Column, Entity};
use super::error::StoreError;
use crate::domain::caller::{ActorKind, Roles};

/// A caller as their last token showed them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenCaller {
    /// [`crate::domain::caller::Actor::key`].
    pub owner: String,
    /// For people to read.
    pub name: String,
    /// What they may do.
    pub roles: Roles,
    /// When, coarsely.
    pub seen_at: DateTime<Utc>,
}

/// Kind, tenant and object of an owner such as `user:{tenant}/{object}`; `None` for any other.
#[must_use]
pub fn parts_of(owner: &str) -> Option<(ActorKind, Uuid, Uuid)> {
    let (kind, id) = owner.split_once(':')?;
    let kind = match kind {
        "user" => ActorKind::User,
        "app" => ActorKind::App,
        _ => return None,
    };
    let (tenant, object) = id.split_once('/')?;
    Some((kind, tenant.parse().ok()?, object.parse().ok()?))
}

/// One caller.
///
/// # Errors
/// When the database refuses.
pub async fn find(
    connection: &impl ConnectionTrait,
    owner: &str,
) -> Result<Option<TokenCaller>, StoreError> {
    let row = Entity::find_by_id(owner).one(connection).await?;
    row.map(|row| {
        Ok(TokenCaller {
            roles: roles_from(row.roles, "token_caller", &row.owner)?,
            owner: row.owner,
            name: row.name,
            seen_at: row.seen_at,
        })
    })
    .transpose()
}

/// Keeps what a token showed.
///
/// # Errors
/// When the database refuses.
pub async fn keep(tx: &WriteTx, caller: &TokenCaller) -> Result<(), StoreError> {
    let row = ActiveModel {
        owner: Set(caller.owner.clone()),
        name: Set(caller.name.clone()),
        roles: Set(json!(caller.roles)),
        seen_at: Set(caller.seen_at),
    };
    let replace = OnConflict::column(Column::Owner)
        .update_columns([Column::Name, Column::Roles, Column::SeenAt])
        .to_owned();
    Entity::insert(row)
        .on_conflict(replace)
        .exec_without_returning(&**tx)
        .await?;
    Ok(())
}
