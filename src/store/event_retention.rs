//! Deleting what is over: events, their deliveries, and retired subscriptions, after `retention.events_days`. Nothing that
//! is still on its way is ever deleted. Small transactions, so that nobody waits for it.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};

use super::Store;
use super::entities::{delivery, outbox_event, trigger_subscription};
use super::error::StoreError;
use crate::domain::trigger::{DeliveryState, SubscriptionState};

/// Rows deleted in one transaction.
const CHUNK: u64 = 1000;

/// How many rows were deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Purged {
    /// Deliveries.
    pub deliveries: u64,
    /// Events.
    pub events: u64,
    /// Subscriptions.
    pub subscriptions: u64,
}

/// Deletes deliveries made before `before` that are over, events that happened before it and that no delivery needs, and
/// subscriptions retired before it.
///
/// # Errors
/// When the database refuses; what was deleted until then stays deleted.
pub async fn purge(store: &Store, before: DateTime<Utc>) -> Result<Purged, StoreError> {
    Ok(Purged {
        deliveries: purge_of::<delivery::Entity>(store, delivery::Column::Id, || {
            old_deliveries(before)
        })
        .await?,
        events: purge_of::<outbox_event::Entity>(store, outbox_event::Column::Seq, || {
            old_events(before)
        })
        .await?,
        subscriptions: purge_of::<trigger_subscription::Entity>(
            store,
            trigger_subscription::Column::Id,
            || old_subscriptions(before),
        )
        .await?,
    })
}

async fn purge_of<E: EntityTrait>(
    store: &Store,
    key: E::Column,
    old: impl Fn() -> SelectStatement,
) -> Result<u64, StoreError> {
    let mut deleted = 0;
    loop {
        let tx = store.begin().await?;
        let chunk = E::delete_many()
            .filter(key.in_subquery(old()))
            .exec(&*tx)
            .await?;
        tx.commit().await?;
        deleted += chunk.rows_affected;
        if chunk.rows_affected < CHUNK {
            return Ok(deleted);
        }
    }
}

fn old_deliveries(before: DateTime<Utc>) -> SelectStatement {
    use delivery::Column;
    // Ids are UUIDs of version 7, so the primary key is an index of the time of making.
    let milliseconds = u64::try_from(before.timestamp_millis()).unwrap_or_default();
    let first_kept = uuid::Builder::from_unix_timestamp_millis(milliseconds, &[0; 10]).into_uuid();
    delivery::Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::Id.lt(first_kept))
        .filter(Column::State.ne(DeliveryState::Pending.name()))
        .order_by_asc(Column::Id)
        .limit(CHUNK)
        .into_query()
}

fn old_events(before: DateTime<Utc>) -> SelectStatement {
    use outbox_event::Column;
    let needed = Query::select()
        .expr(Expr::value(1))
        .from(delivery::Entity)
        .and_where(
            Expr::col((delivery::Entity, delivery::Column::EventId))
                .equals((outbox_event::Entity, Column::Id)),
        )
        .to_owned();
    outbox_event::Entity::find()
        .select_only()
        .column(Column::Seq)
        .filter(Column::OccurredAt.lt(before))
        .filter(Column::Position.is_not_null())
        .filter(Expr::exists(needed).not())
        .limit(CHUNK)
        .into_query()
}

/// Their deliveries were made before they were retired, so these are gone already.
fn old_subscriptions(before: DateTime<Utc>) -> SelectStatement {
    use trigger_subscription::Column;
    trigger_subscription::Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::State.eq(SubscriptionState::Retired.name()))
        .filter(Column::RetiredAt.lt(before))
        .limit(CHUNK)
        .into_query()
}
