//! Deliveries: events on their way to subscriptions. [`claim()`] takes what is due, [`record()`] writes down how it went, both
//! for many at once, because a transaction for each would be the price of a whole delivery again.
//!
//! Deliveries of one subject to one subscription go one after the other: only the one with the lowest position is ever
//! claimed, however long it takes. A claim is a lease: it moves `next_attempt_at` to its own end, so a delivery whose
//! deliverer died is simply due again then. That can deliver twice, and never loses one.

mod claim;
mod person;
mod record;

pub use claim::{Claimed, Due, Quota, claim, due, reclaim_all};
pub use person::{create_test, find, list_dead, redeliver};
pub use record::{Heard, Outcome, Recorded, record};

use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::WriteTx;
use super::entities::delivery::{Column, Entity, Model};
use super::error::StoreError;
use crate::domain::ids::{DeliveryId, EventId, SubscriptionId};
use crate::domain::trigger::{Delivery, DeliveryState};

fn to_domain(row: Model) -> Result<Delivery, StoreError> {
    Ok(Delivery {
        id: DeliveryId::new(row.id),
        subscription_id: SubscriptionId::new(row.subscription_id),
        event_id: EventId::new(row.event_id),
        position: row.position,
        subject: row.subject,
        state: DeliveryState::from_name(&row.state)
            .ok_or_else(|| StoreError::impossible("delivery", "state", row.id, &row.state))?,
        attempts: row.attempts,
        next_attempt_at: row.next_attempt_at,
        last_status: row.last_status,
        last_error: row.last_error,
        delivered_at: row.delivered_at,
    })
}

/// Locks rows in the order of their ids: whoever changes several at once does so, so that no two wait for each other.
async fn lock(
    tx: &WriteTx,
    which: impl sea_orm::sea_query::IntoCondition,
) -> Result<Vec<Uuid>, StoreError> {
    let ids = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(which)
        .order_by_asc(Column::Id)
        .lock_exclusive()
        .into_tuple::<Uuid>()
        .all(&**tx)
        .await?;
    Ok(ids)
}

fn pending_of(subscription: SubscriptionId) -> Expr {
    // Spelled out and not bound, so that both engines see that the partial indexes fit.
    Column::SubscriptionId
        .eq(subscription.as_uuid())
        .and(Expr::cust("state = 'pending'"))
}

/// Whether any delivery is on its way.
///
/// # Errors
/// When the database refuses.
pub async fn any_pending(connection: &impl ConnectionTrait) -> Result<bool, StoreError> {
    let first = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Expr::cust("state = 'pending'"))
        .limit(1)
        .into_tuple::<Uuid>()
        .one(connection)
        .await?;
    Ok(first.is_some())
}

/// Gives what is on its way to one subscription to another, and what was given up, so that it can still be redelivered.
pub(super) async fn hand_over(
    tx: &WriteTx,
    from: SubscriptionId,
    to: SubscriptionId,
) -> Result<(), StoreError> {
    let dead = Column::SubscriptionId
        .eq(from.as_uuid())
        .and(Expr::cust("state = 'dead'"));
    for which in [pending_of(from), dead] {
        lock(tx, which.clone()).await?;
        Entity::update_many()
            .col_expr(Column::SubscriptionId, Expr::value(to.as_uuid()))
            .filter(which)
            .exec(&**tx)
            .await?;
    }
    Ok(())
}

/// Cancels what is on its way to a subscription.
pub(super) async fn cancel_pending(
    tx: &WriteTx,
    subscription: SubscriptionId,
) -> Result<(), StoreError> {
    lock(tx, pending_of(subscription)).await?;
    Entity::update_many()
        .col_expr(Column::State, Expr::value(DeliveryState::Cancelled.name()))
        .filter(pending_of(subscription))
        .exec(&**tx)
        .await?;
    Ok(())
}
