//! The outbox (decision 1): events are written in the transaction of the change they tell of, and get their place in the
//! one order of events later, from the dispatcher (decision 2).

use sea_orm::{
    ActiveValue::NotSet, ActiveValue::Set, ConnectionTrait, EntityTrait, PaginatorTrait, QueryOrder,
};

use super::entities::outbox_event;
use super::error::StoreError;
use super::{Signal, WriteTx, bulk};
use crate::domain::context::Context;
use crate::domain::event::{NewEvent, SCHEMA_VERSION};
use crate::domain::ids::EventId;

/// Writes events, in the order given.
///
/// # Errors
/// When the database refuses.
pub async fn publish(
    tx: &WriteTx,
    context: &Context,
    events: Vec<NewEvent>,
) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    let now = context.now();
    let rows = events.into_iter().map(|event| outbox_event::ActiveModel {
        seq: NotSet,
        id: Set(context.new_uuid()),
        position: Set(None),
        event_type: Set(event.event_type.name().to_owned()),
        schema_version: Set(SCHEMA_VERSION),
        occurred_at: Set(now),
        subject: Set(event.subject),
        data: Set(event.data),
    });
    bulk::insert(tx, rows).await?;
    tx.signal(Signal::Events);
    Ok(())
}

/// How many events are kept.
///
/// # Errors
/// When the database refuses.
pub async fn count(connection: &impl ConnectionTrait) -> Result<u64, StoreError> {
    Ok(outbox_event::Entity::find().count(connection).await?)
}

/// An event as it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// Its id.
    pub id: EventId,
    /// Its place in the one order, once it has one.
    pub position: Option<i64>,
    /// Its type.
    pub event_type: String,
    /// What it is about.
    pub subject: String,
}

/// Every event that is kept, in the order of writing. For checks; it grows without bound.
///
/// # Errors
/// When the database refuses.
pub async fn all(connection: &impl ConnectionTrait) -> Result<Vec<Written>, StoreError> {
    let rows = outbox_event::Entity::find()
        .order_by_asc(outbox_event::Column::Seq)
        .all(connection)
        .await?;
    let written = rows.into_iter().map(|row| Written {
        id: EventId::new(row.id),
        position: row.position,
        event_type: row.event_type,
        subject: row.subject,
    });
    Ok(written.collect())
}
