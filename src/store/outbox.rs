//! The outbox (decision 1): events are written in the transaction of the change they tell of, and get their place in the
//! one order of events later, from the dispatcher (decision 2).

use sea_orm::{
    ActiveValue::NotSet, ActiveValue::Set, ConnectionTrait, EntityTrait, PaginatorTrait,
};

use super::entities::outbox_event;
use super::error::StoreError;
use super::{Signal, WriteTx};
use crate::domain::context::Context;
use crate::domain::event::{NewEvent, SCHEMA_VERSION};

const CHUNK: usize = 1000;

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
    let mut events = events.into_iter().peekable();
    while events.peek().is_some() {
        let rows = events
            .by_ref()
            .take(CHUNK)
            .map(|event| outbox_event::ActiveModel {
                seq: NotSet,
                id: Set(context.new_uuid()),
                position: Set(None),
                event_type: Set(event.event_type.name().to_owned()),
                schema_version: Set(SCHEMA_VERSION),
                occurred_at: Set(now),
                subject: Set(event.subject),
                data: Set(event.data),
            });
        outbox_event::Entity::insert_many(rows)
            .exec_without_returning(&**tx)
            .await?;
    }
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
