//! The outbox, trigger subscriptions and deliveries.
//! Landed migrations are never edited: a change is a new one.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, big_pk_auto, blob, boolean, integer, integer_null, json_binary,
    text, text_null, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid,
};

use super::{index, unique_index};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0005_events"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        outbox_event(manager).await?;
        trigger_subscription(manager).await?;
        delivery(manager).await?;
        Ok(())
    }
}

async fn outbox_event(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("outbox_event")
        .col(big_pk_auto("seq"))
        .col(uuid("id"))
        .col(big_integer_null("position"))
        .col(text("event_type"))
        .col(integer("schema_version"))
        .col(timestamp_with_time_zone("occurred_at"))
        .col(text("subject"))
        .col(json_binary("data"))
        .to_owned();
    manager.create_table(table).await?;
    unique_index(manager, "outbox_event_id", "outbox_event", &["id"]).await?;
    unique_index(
        manager,
        "outbox_event_position",
        "outbox_event",
        &["position"],
    )
    .await?;
    index(
        manager,
        "outbox_event_time",
        "outbox_event",
        &["occurred_at"],
    )
    .await?;
    manager
        .get_connection()
        .execute_unprepared(
            "CREATE INDEX outbox_event_waiting ON outbox_event (seq) WHERE position IS NULL",
        )
        .await
        .map(|_| ())
}

async fn trigger_subscription(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("trigger_subscription")
        .col(uuid("id"))
        .col(text("event_type"))
        .col(text("owner"))
        .col(text_null("natural_key"))
        .col(text_null("workflow_id"))
        .col(text_null("label"))
        .col(text("callback_host"))
        .col(text("callback_key_id"))
        .col(blob("callback_sealed"))
        .col(text("signing_key_id"))
        .col(blob("signing_sealed"))
        .col(blob("unsubscribe_hash"))
        .col(big_integer("from_seq"))
        .col(text("state"))
        .col(text_null("state_reason"))
        .col(timestamp_with_time_zone_null("refused_since"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("retired_at"))
        .col(timestamp_with_time_zone_null("last_delivered_at"))
        .primary_key(Index::create().col("id"))
        .to_owned();
    manager.create_table(table).await?;
    unique_index(
        manager,
        "trigger_subscription_token",
        "trigger_subscription",
        &["unsubscribe_hash"],
    )
    .await?;
    unique_index(
        manager,
        "trigger_subscription_natural",
        "trigger_subscription",
        &["natural_key"],
    )
    .await?;
    index(
        manager,
        "trigger_subscription_owner",
        "trigger_subscription",
        &["owner", "created_at"],
    )
    .await?;
    index(
        manager,
        "trigger_subscription_type",
        "trigger_subscription",
        &["state", "event_type"],
    )
    .await
}

async fn delivery(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("delivery")
        .col(uuid("id"))
        .col(uuid("subscription_id"))
        .col(uuid("event_id"))
        .col(big_integer("position"))
        .col(text("subject"))
        .col(boolean("test"))
        .col(text("state"))
        .col(integer("attempts"))
        .col(timestamp_with_time_zone("next_attempt_at"))
        .col(timestamp_with_time_zone_null("lease_until"))
        .col(big_integer("fence"))
        .col(integer_null("last_status"))
        .col(text_null("last_error"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("delivered_at"))
        .primary_key(Index::create().col("id"))
        .to_owned();
    manager.create_table(table).await?;
    index(
        manager,
        "delivery_due",
        "delivery",
        &["state", "next_attempt_at"],
    )
    .await?;
    index(
        manager,
        "delivery_order",
        "delivery",
        &["subscription_id", "subject", "position"],
    )
    .await?;
    index(manager, "delivery_event", "delivery", &["event_id"]).await
}
