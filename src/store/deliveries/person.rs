//! What people do with deliveries: send a test, look at what was given up, send it again.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::{Column, Entity, to_domain};
use crate::domain::context::Context;
use crate::domain::ids::{DeliveryId, SubscriptionId};
use crate::domain::trigger::{Delivery, DeliveryState};
use crate::store::entities::{delivery, trigger_subscription as subscription};
use crate::store::{Signal, StoreError, WriteTx};

/// Puts a test on its way to one subscription. It has no event: its own id stands for the event's.
///
/// # Errors
/// When the database refuses.
pub async fn create_test(
    tx: &WriteTx,
    context: &Context,
    to: SubscriptionId,
) -> Result<Delivery, StoreError> {
    let id = context.new_uuid();
    let now = context.now();
    let row = delivery::ActiveModel {
        id: Set(id),
        subscription_id: Set(to.as_uuid()),
        event_id: Set(id),
        position: Set(0),
        subject: Set(format!("test/{id}")),
        test: Set(true),
        state: Set(DeliveryState::Pending.name().to_owned()),
        attempts: Set(0),
        next_attempt_at: Set(now),
        lease_until: Set(None),
        fence: Set(0),
        last_status: Set(None),
        last_error: Set(None),
        created_at: Set(now),
        delivered_at: Set(None),
    };
    let row = Entity::insert(row).exec_with_returning(&**tx).await?;
    tx.signal(Signal::Deliveries);
    to_domain(row)
}

/// One delivery.
///
/// # Errors
/// When the database refuses.
pub async fn find(
    connection: &impl ConnectionTrait,
    id: DeliveryId,
) -> Result<Option<Delivery>, StoreError> {
    let row = Entity::find_by_id(id.as_uuid()).one(connection).await?;
    row.map(to_domain).transpose()
}

/// A page of deliveries that were given up, of one owner or of all, oldest first: those after `after`.
///
/// # Errors
/// When the database refuses.
pub async fn list_dead(
    connection: &impl ConnectionTrait,
    owner: Option<&str>,
    after: Option<DeliveryId>,
    most: u64,
) -> Result<Vec<Delivery>, StoreError> {
    let mut query = Entity::find()
        .filter(Expr::cust("state = 'dead'"))
        .order_by_asc(Column::Id)
        .limit(most);
    if let Some(owner) = owner {
        let own = Query::select()
            .column(subscription::Column::Id)
            .from(subscription::Entity)
            .and_where(subscription::Column::Owner.eq(owner))
            .to_owned();
        query = query.filter(Column::SubscriptionId.in_subquery(own));
    }
    if let Some(after) = after {
        query = query.filter(Column::Id.gt(after.as_uuid()));
    }
    let rows = query.all(connection).await?;
    rows.into_iter().map(to_domain).collect()
}

/// Puts a delivery that was given up on its way again, with all its tries. False when it is not given up.
///
/// # Errors
/// When the database refuses.
pub async fn redeliver(
    tx: &WriteTx,
    context: &Context,
    id: DeliveryId,
) -> Result<bool, StoreError> {
    let changed = Entity::update_many()
        .col_expr(Column::State, Expr::value(DeliveryState::Pending.name()))
        .col_expr(Column::Attempts, Expr::value(0))
        .col_expr(Column::NextAttemptAt, Expr::value(context.now()))
        .col_expr(
            Column::LeaseUntil,
            Expr::value(Option::<DateTime<Utc>>::None),
        )
        .filter(Column::Id.eq(id.as_uuid()))
        .filter(Expr::cust("state = 'dead'"))
        .exec(&**tx)
        .await?;
    tx.signal(Signal::Deliveries);
    Ok(changed.rows_affected > 0)
}
