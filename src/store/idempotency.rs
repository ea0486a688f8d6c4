//! Rows of calls that their sender may repeat (decision 10). A row is written by the transaction that does what was asked,
//! first without an answer, then with it, and is seen by others only together with the effect: there is no state of a row
//! that a crash could leave behind. `super::held_call` holds that transaction.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter,
};

use super::WriteTx;
use super::entities::idempotency::{ActiveModel, Column, Entity};
use super::error::StoreError;

/// Answers are kept so long; the sweep removes them later.
pub const KEPT: TimeDelta = TimeDelta::hours(24);

/// What a call is remembered under.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CallKey {
    /// [`crate::domain::caller::Actor::key`] of the caller.
    pub owner: String,
    /// What was asked for: method and path template.
    pub operation: String,
    /// The caller's own text.
    pub key: String,
}

impl CallKey {
    fn row(&self) -> (String, String, String) {
        let row = self.clone();
        (row.owner, row.operation, row.key)
    }
}

/// A call with its key, on its way in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepeatableCall {
    /// What it is remembered under.
    pub key: CallKey,
    /// SHA-256 of everything that makes two requests the same.
    pub request_hash: Vec<u8>,
    /// When it came in.
    pub at: DateTime<Utc>,
}

/// The first call with a key, as it was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// SHA-256 of its request.
    pub request_hash: Vec<u8>,
    /// HTTP status.
    pub status: u16,
    /// The sealed answer.
    pub answer: String,
}

/// The answer to the first call with this key, unless it is older than [`KEPT`].
///
/// # Errors
/// When the database refuses.
pub async fn find(
    connection: &impl ConnectionTrait,
    call: &RepeatableCall,
) -> Result<Option<Answered>, StoreError> {
    let found = Entity::find_by_id(call.key.row())
        .filter(Column::CreatedAt.gt(call.at - KEPT))
        .one(connection)
        .await?;
    Ok(found.and_then(|row| {
        Some(Answered {
            request_hash: row.request_hash,
            status: u16::try_from(row.status?).ok()?,
            answer: row.body?,
        })
    }))
}

/// Takes the key for a call. `false` when another call has it, which then has committed: on PostgreSQL this waits for one
/// that has not ended yet.
///
/// # Errors
/// When the database refuses.
pub async fn take(tx: &WriteTx, call: &RepeatableCall) -> Result<bool, StoreError> {
    let (owner, operation, key) = call.key.row();
    let row = ActiveModel {
        owner: Set(owner),
        operation: Set(operation),
        key: Set(key),
        request_hash: Set(call.request_hash.clone()),
        status: Set(None),
        location: Set(None),
        body: Set(None),
        created_at: Set(call.at),
    };
    let over = Expr::col((Entity, Column::CreatedAt)).lte(call.at - KEPT);
    let instead = OnConflict::columns([Column::Owner, Column::Operation, Column::Key])
        .update_columns([
            Column::RequestHash,
            Column::Status,
            Column::Body,
            Column::CreatedAt,
        ])
        .action_and_where(over)
        .to_owned();
    let written = Entity::insert(row)
        .on_conflict(instead)
        .exec_without_returning(&**tx)
        .await?;
    Ok(written == 1)
}

/// Keeps the answer to the call that has the key. It may show secrets, so it is sealed, headers and all; the column
/// `location` stays empty.
///
/// # Errors
/// When the database refuses.
pub async fn answer(
    tx: &WriteTx,
    key: &CallKey,
    status: u16,
    answer: &str,
) -> Result<(), StoreError> {
    Entity::update_many()
        .col_expr(Column::Status, Expr::value(i32::from(status)))
        .col_expr(Column::Body, Expr::value(answer))
        .filter(Column::Owner.eq(&key.owner))
        .filter(Column::Operation.eq(&key.operation))
        .filter(Column::Key.eq(&key.key))
        .exec(&**tx)
        .await?;
    Ok(())
}

/// Forgets a call that came to nothing.
///
/// # Errors
/// When the database refuses.
pub async fn forget(tx: &WriteTx, key: &CallKey) -> Result<(), StoreError> {
    Entity::delete_by_id(key.row()).exec(&**tx).await?;
    Ok(())
}
