//! Named leases: work that one instance does at a time, with a fencing token that each of its commits checks. `value` is
//! a counter that belongs to the work (the last event position).

use std::time::Duration;

use chrono::TimeDelta;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect,
};
use uuid::Uuid;

use super::entities::lease;
use super::error::StoreError;
use super::{Store, WriteTx};
use crate::domain::context::Context;

/// The right to do a piece of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    name: &'static str,
    fence: i64,
}

/// Takes the lease when it is free or has lapsed, or prolongs it when `holder` has it already; else `None`.
///
/// # Errors
/// When the database refuses.
pub async fn acquire(
    store: &Store,
    context: &Context,
    name: &'static str,
    holder: Uuid,
    duration: Duration,
) -> Result<Option<Lease>, StoreError> {
    let now = context.now();
    let tx = store.begin().await?;
    let row = lock(&tx, context, name).await?;
    let mine = row.holder == holder && row.fence > 0;
    if !mine && row.until > now {
        return Ok(None);
    }
    let fence = if mine { row.fence } else { row.fence + 1 };
    let mut row = row.into_active_model();
    row.holder = Set(holder);
    row.fence = Set(fence);
    row.until = Set(now + TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX));
    lease::Entity::update(row).exec(&*tx).await?;
    tx.commit().await?;
    Ok(Some(Lease { name, fence }))
}

/// Gives the lease back, so that another instance need not wait for its end. One that was lost stays as it is.
///
/// # Errors
/// When the database refuses.
pub async fn release(store: &Store, context: &Context, lease: Lease) -> Result<(), StoreError> {
    free(
        store,
        context,
        lease::Column::Name
            .eq(lease.name)
            .and(lease::Column::Fence.eq(lease.fence)),
    )
    .await
}

/// Frees every lease. Only for the start of a process that holds the exclusive lock of a SQLite file: nobody else can
/// hold one.
///
/// # Errors
/// When the database refuses.
pub async fn free_all(store: &Store, context: &Context) -> Result<(), StoreError> {
    free(store, context, lease::Column::Fence.gt(0)).await
}

/// The next holder gets a fence of its own, because the row no longer names the old one.
async fn free(store: &Store, context: &Context, which: Expr) -> Result<(), StoreError> {
    let tx = store.begin().await?;
    lease::Entity::update_many()
        .col_expr(lease::Column::Until, Expr::value(context.now()))
        .col_expr(lease::Column::Holder, Expr::value(Uuid::nil()))
        .filter(which)
        .exec(&*tx)
        .await?;
    tx.commit().await
}

/// Locks the lease's row until the end of `tx`, makes sure that the lease is still ours, and gives its counter.
///
/// # Errors
/// [`StoreError::NamedLeaseLost`] when another instance took over.
pub async fn guard(tx: &WriteTx, context: &Context, lease: Lease) -> Result<i64, StoreError> {
    let row = lock(tx, context, lease.name).await?;
    if row.fence == lease.fence {
        Ok(row.value)
    } else {
        Err(StoreError::NamedLeaseLost(lease.name))
    }
}

/// Sets the counter of a lease that [`guard`] locked in this transaction.
///
/// # Errors
/// When the database refuses.
pub async fn set_value(tx: &WriteTx, lease: Lease, value: i64) -> Result<(), StoreError> {
    let row = lease::ActiveModel {
        name: Set(lease.name.to_owned()),
        value: Set(value),
        ..Default::default()
    };
    lease::Entity::update(row).exec(&**tx).await?;
    Ok(())
}

/// Waits for whoever commits under the lease just now and keeps the next one out until `tx` ends, without taking the
/// lease.
///
/// # Errors
/// When the database refuses.
pub async fn exclude(tx: &WriteTx, context: &Context, name: &str) -> Result<(), StoreError> {
    lock(tx, context, name).await.map(|_| ())
}

async fn lock(tx: &WriteTx, context: &Context, name: &str) -> Result<lease::Model, StoreError> {
    let find = || {
        lease::Entity::find_by_id(name.to_owned())
            .lock_exclusive()
            .one(&**tx)
    };
    if let Some(row) = find().await? {
        return Ok(row);
    }
    let free = lease::ActiveModel {
        name: Set(name.to_owned()),
        holder: Set(Uuid::nil()),
        fence: Set(0),
        until: Set(context.now()),
        value: Set(0),
    };
    let nothing = OnConflict::column(lease::Column::Name)
        .do_nothing()
        .to_owned();
    lease::Entity::insert(free)
        .on_conflict(nothing)
        .exec_without_returning(&**tx)
        .await?;
    let row = find().await?;
    row.ok_or_else(|| StoreError::impossible("lease", "name", name, "a row that vanished"))
}
