//! Writing down how claimed deliveries went, many in one transaction.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};
use uuid::Uuid;

use super::{Column, Entity, lock};
use crate::domain::context::Context;
use crate::domain::ids::{DeliveryId, SubscriptionId};
use crate::domain::trigger::DeliveryState;
use crate::store::entities::trigger_subscription as subscription;
use crate::store::{StoreError, WriteTx};

/// How one try went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It arrived.
    Delivered,
    /// To be tried again then.
    TryAt(DateTime<Utc>),
    /// Given up.
    Dead,
    /// It was not tried after all: due again at once, and no try counts.
    Released,
}

/// What the receiver had to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// That we may not, or that nothing is there (401, 403, 404).
    Refusal,
    /// Anything else.
    OtherAnswer,
    /// Nothing.
    Silence,
}

/// One try to be written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The delivery.
    pub id: DeliveryId,
    /// To whom it was.
    pub subscription: SubscriptionId,
    /// The token of its claim.
    pub fence: i64,
    /// How it went.
    pub outcome: Outcome,
    /// What the receiver had to say.
    pub heard: Heard,
    /// HTTP status of the answer; `None` without one.
    pub status: Option<u16>,
    /// What went wrong, in words; never the callback URL.
    pub error: Option<String>,
}

/// Writes down tries. What arrived has arrived, even when its lease had run out; any other outcome of a lost lease is
/// dropped, because somebody else is at it. Gives, for each subscription, since when its receiver has only refused.
///
/// Rows are locked in one order, subscriptions before deliveries and each by id, so that nobody waits for each other.
///
/// # Errors
/// When the database refuses.
pub async fn record(
    tx: &WriteTx,
    context: &Context,
    tries: &[Recorded],
) -> Result<BTreeMap<SubscriptionId, Option<DateTime<Utc>>>, StoreError> {
    let now = context.now();
    let refused_since = subscriptions(tx, tries, now).await?;
    let ids = tries.iter().map(|recorded| recorded.id.as_uuid());
    lock(tx, Column::Id.is_in(ids)).await?;
    let mut delivered: BTreeMap<Option<u16>, Vec<Uuid>> = BTreeMap::new();
    for recorded in tries {
        if recorded.outcome == Outcome::Delivered {
            let ids = delivered.entry(recorded.status).or_default();
            ids.push(recorded.id.as_uuid());
        } else {
            not_delivered(tx, recorded, now).await?;
        }
    }
    for (status, ids) in delivered {
        mark_delivered(tx, ids, status, now).await?;
    }
    Ok(refused_since)
}

/// Locks the subscriptions, and writes when they last got something and since when their receivers refuse.
async fn subscriptions(
    tx: &WriteTx,
    tries: &[Recorded],
    now: DateTime<Utc>,
) -> Result<BTreeMap<SubscriptionId, Option<DateTime<Utc>>>, StoreError> {
    let ids: BTreeSet<Uuid> = tries
        .iter()
        .map(|recorded| recorded.subscription.as_uuid())
        .collect();
    let rows = subscription::Entity::find()
        .filter(subscription::Column::Id.is_in(ids))
        .order_by_asc(subscription::Column::Id)
        .lock_exclusive()
        .all(&**tx)
        .await?;
    let mut refused_since = BTreeMap::new();
    for row in rows {
        let id = SubscriptionId::new(row.id);
        let of_it = || tries.iter().filter(|recorded| recorded.subscription == id);
        let heard = |what| of_it().any(|recorded| recorded.heard == what);
        let since = if heard(Heard::OtherAnswer) {
            None
        } else if heard(Heard::Refusal) {
            row.refused_since.or(Some(now))
        } else {
            row.refused_since
        };
        let arrived = of_it().any(|recorded| recorded.outcome == Outcome::Delivered);
        refused_since.insert(id, since);
        if arrived || since != row.refused_since {
            let last = if arrived {
                Some(now)
            } else {
                row.last_delivered_at
            };
            let mut row = row.into_active_model();
            row.refused_since = Set(since);
            row.last_delivered_at = Set(last);
            subscription::Entity::update(row).exec(&**tx).await?;
        }
    }
    Ok(refused_since)
}

async fn mark_delivered(
    tx: &WriteTx,
    ids: Vec<Uuid>,
    status: Option<u16>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    Entity::update_many()
        .col_expr(Column::State, Expr::value(DeliveryState::Delivered.name()))
        .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
        .col_expr(Column::LastStatus, Expr::value(status.map(i32::from)))
        .col_expr(Column::LastError, Expr::value(Option::<String>::None))
        .col_expr(Column::DeliveredAt, Expr::value(Some(now)))
        .col_expr(
            Column::LeaseUntil,
            Expr::value(Option::<DateTime<Utc>>::None),
        )
        .filter(Column::Id.is_in(ids))
        .filter(Column::State.eq(DeliveryState::Pending.name()))
        .exec(&**tx)
        .await?;
    Ok(())
}

async fn not_delivered(
    tx: &WriteTx,
    recorded: &Recorded,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let (state, at, tried) = match recorded.outcome {
        Outcome::TryAt(at) => (DeliveryState::Pending, at, 1),
        Outcome::Dead => (DeliveryState::Dead, now, 1),
        Outcome::Released | Outcome::Delivered => (DeliveryState::Pending, now, 0),
    };
    let mut update = Entity::update_many()
        .col_expr(Column::State, Expr::value(state.name()))
        .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(tried))
        .col_expr(Column::NextAttemptAt, Expr::value(at))
        .col_expr(
            Column::LeaseUntil,
            Expr::value(Option::<DateTime<Utc>>::None),
        );
    if tried > 0 {
        update = update
            .col_expr(
                Column::LastStatus,
                Expr::value(recorded.status.map(i32::from)),
            )
            .col_expr(Column::LastError, Expr::value(recorded.error.clone()));
    }
    update
        .filter(Column::Id.eq(recorded.id.as_uuid()))
        .filter(Column::Fence.eq(recorded.fence))
        .filter(Column::State.eq(DeliveryState::Pending.name()))
        .exec(&**tx)
        .await?;
    Ok(())
}
