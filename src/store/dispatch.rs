//! The one order of events (decision 2): committed events get the next gapless positions and become deliveries, in one
//! transaction of the holder of the lease.
//!
//! What surprises: an event that was written earlier (`seq`) can be committed, and so be seen, later than its successor;
//! that is why there are positions at all. Whoever changes subscriptions takes [`exclude`] first, so that no delivery is
//! made for a subscription that is just being retired or superseded.

use std::time::Duration;

use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter,
    QueryOrder, QuerySelect, Statement,
};
use uuid::Uuid;

use super::entities::{delivery, outbox_event, trigger_subscription};
use super::error::StoreError;
use super::leases::{self, Lease};
use super::{Signal, Store, WriteTx, bulk};
use crate::domain::context::Context;
use crate::domain::trigger::{DeliveryState, SubscriptionState};

const LEASE: &str = "event-dispatch";

/// What one transaction did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dispatched {
    /// Events that got their position.
    pub events: usize,
    /// Deliveries made of them.
    pub deliveries: usize,
}

/// Takes or prolongs the right to dispatch; `None` while another instance has it.
///
/// # Errors
/// When the database refuses.
pub async fn lease(
    store: &Store,
    context: &Context,
    holder: Uuid,
    duration: Duration,
) -> Result<Option<Lease>, StoreError> {
    leases::acquire(store, context, LEASE, holder, duration).await
}

/// Keeps dispatching out of the way until `tx` ends. To be called first in a transaction that changes subscriptions.
///
/// # Errors
/// When the database refuses.
pub async fn exclude(tx: &WriteTx, context: &Context) -> Result<(), StoreError> {
    leases::exclude(tx, context, LEASE).await
}

/// Whether any committed event waits for its position.
///
/// # Errors
/// When the database refuses.
pub async fn waiting(store: &Store) -> Result<bool, StoreError> {
    let first = outbox_event::Entity::find()
        .select_only()
        .column(outbox_event::Column::Seq)
        .filter(outbox_event::Column::Position.is_null())
        .order_by_asc(outbox_event::Column::Seq)
        .limit(1)
        .into_tuple::<i64>()
        .one(store.reader())
        .await?;
    Ok(first.is_some())
}

/// Dispatches at most `most` events.
///
/// # Errors
/// [`StoreError::NamedLeaseLost`] when another instance took over; then nothing was done.
pub async fn dispatch(
    store: &Store,
    context: &Context,
    lease: Lease,
    most: u32,
) -> Result<Dispatched, StoreError> {
    let tx = store.begin().await?;
    let last = leases::guard(&tx, context, lease).await?;
    let placed = place(&tx, last, most).await?;
    let Some(end) = placed.last() else {
        return Ok(Dispatched::default());
    };
    leases::set_value(&tx, lease, end.position).await?;
    let deliveries = make_deliveries(&tx, context, &placed).await?;
    if deliveries > 0 {
        tx.signal(Signal::Deliveries);
    }
    tx.commit().await?;
    Ok(Dispatched {
        events: placed.len(),
        deliveries,
    })
}

#[derive(FromQueryResult)]
struct Placed {
    seq: i64,
    id: Uuid,
    position: i64,
    event_type: String,
    subject: String,
}

/// Gives the positions after `last`. One statement, because two would see different events on PostgreSQL.
async fn place(tx: &WriteTx, last: i64, most: u32) -> Result<Vec<Placed>, StoreError> {
    const SQL: &str = "UPDATE outbox_event SET position = $1 + numbered.place \
        FROM (SELECT seq, row_number() OVER (ORDER BY seq) AS place \
              FROM (SELECT seq FROM outbox_event WHERE position IS NULL ORDER BY seq LIMIT $2) AS first_ones) AS numbered \
        WHERE outbox_event.seq = numbered.seq \
        RETURNING outbox_event.seq, outbox_event.id, outbox_event.position, outbox_event.event_type, outbox_event.subject";
    let statement = Statement::from_sql_and_values(
        tx.get_database_backend(),
        SQL,
        [last.into(), i64::from(most).into()],
    );
    let mut placed = Placed::find_by_statement(statement).all(&**tx).await?;
    placed.sort_unstable_by_key(|event| event.position);
    Ok(placed)
}

async fn make_deliveries(
    tx: &WriteTx,
    context: &Context,
    events: &[Placed],
) -> Result<usize, StoreError> {
    use trigger_subscription::Column;
    let subscriptions = trigger_subscription::Entity::find()
        .select_only()
        .columns([Column::Id, Column::EventType, Column::FromSeq])
        .filter(Column::State.eq(SubscriptionState::Active.name()))
        .into_tuple::<(Uuid, String, i64)>()
        .all(&**tx)
        .await?;
    let now = context.now();
    let rows: Vec<delivery::ActiveModel> = events
        .iter()
        .flat_map(|event| {
            let wanted = subscriptions
                .iter()
                .filter(move |(_, event_type, from_seq)| {
                    *event_type == event.event_type && *from_seq <= event.seq
                });
            wanted.map(move |(subscription, ..)| delivery::ActiveModel {
                id: Set(context.new_uuid()),
                subscription_id: Set(*subscription),
                event_id: Set(event.id),
                position: Set(event.position),
                subject: Set(event.subject.clone()),
                test: Set(false),
                state: Set(DeliveryState::Pending.name().to_owned()),
                attempts: Set(0),
                next_attempt_at: Set(now),
                lease_until: Set(None),
                fence: Set(0),
                last_status: Set(None),
                last_error: Set(None),
                created_at: Set(now),
                delivered_at: Set(None),
            })
        })
        .collect();
    let made = rows.len();
    bulk::insert(tx, rows).await?;
    Ok(made)
}

/// The number of the next event that will be written, for a subscription that begins now.
pub(super) async fn next_seq(connection: &impl ConnectionTrait) -> Result<i64, StoreError> {
    let last = outbox_event::Entity::find()
        .select_only()
        .column_as(outbox_event::Column::Seq.max(), "last")
        .into_tuple::<Option<i64>>()
        .one(connection)
        .await?;
    Ok(last.flatten().unwrap_or_default() + 1)
}
