//! Subscriptions, what was read of each customer and when, previews, the report of syncs, and the change log (D, E1).
//! Quantities are whole millionths, so that they add up exactly; prices are canonical decimal text.
//! Landed migrations are never edited: a change is a new one.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, boolean, json_binary, text, text_null, timestamp_with_time_zone,
    timestamp_with_time_zone_null, uuid, uuid_null,
};

use super::{folded, index, unique_index};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0017_subscriptions"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        subscription(manager).await?;
        subscription_read(manager).await?;
        subscription_preview(manager).await?;
        subscription_run(manager).await?;
        subscription_report_line(manager).await?;
        license_change(manager).await
    }
}

async fn subscription(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("subscription")
        .col(uuid("id"))
        .col(uuid("provider_id"))
        .col(uuid("provider_account_id"))
        .col(text("external_id"))
        .col(text_null("parent_external_id"))
        .col(text("name"))
        .col(folded(manager, "name_folded"))
        .col(text_null("product_id"))
        .col(text_null("unit"))
        .col(big_integer("quantity"))
        .col(text("status"))
        .col(timestamp_with_time_zone_null("starts_at"))
        .col(timestamp_with_time_zone_null("ends_at"))
        .col(text_null("unit_cost"))
        .col(text_null("currency"))
        .col(json_binary("facts"))
        .col(uuid_null("account_id"))
        .col(uuid_null("contract_id"))
        .col(text_null("held_for"))
        .col(text_null("selling_price"))
        .col(timestamp_with_time_zone("first_seen_at"))
        .col(timestamp_with_time_zone_null("gone_since"))
        .col(timestamp_with_time_zone("updated_at"))
        .col(big_integer("version"))
        .primary_key(Index::create().col("id"))
        .to_owned();
    manager.create_table(table).await?;
    let table = "subscription";
    unique_index(
        manager,
        "subscription_external",
        table,
        &["provider_account_id", "external_id"],
    )
    .await?;
    index(manager, "subscription_sort", table, &["name_folded", "id"]).await?;
    index(manager, "subscription_account", table, &["account_id"]).await?;
    index(manager, "subscription_contract", table, &["contract_id"]).await?;
    index(manager, "subscription_held", table, &["held_for"]).await
}

async fn subscription_read(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("subscription_read")
        .col(uuid("provider_account_id"))
        .col(timestamp_with_time_zone("asked_at"))
        .col(timestamp_with_time_zone_null("whole_at"))
        .col(text_null("error"))
        .col(text_null("correlation_id"))
        .primary_key(Index::create().col("provider_account_id"))
        .to_owned();
    manager.create_table(table).await?;
    let table = "subscription_read";
    index(manager, "subscription_read_whole", table, &["whole_at"]).await
}

async fn subscription_preview(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("subscription_preview")
        .col(uuid("id"))
        .col(uuid("contract_id"))
        .col(text("made_by"))
        .col(timestamp_with_time_zone("made_at"))
        .col(json_binary("items"))
        .col(json_binary("failures"))
        .col(uuid_null("run_id"))
        .primary_key(Index::create().col("id"))
        .to_owned();
    manager.create_table(table).await?;
    let table = "subscription_preview";
    index(manager, "subscription_preview_made", table, &["made_at"]).await
}

async fn subscription_run(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("subscription_run")
        .col(uuid("id"))
        .col(text("source"))
        .col(uuid_null("provider_id"))
        .col(uuid_null("contract_id"))
        .col(uuid_null("job_id"))
        .col(uuid_null("preview_id"))
        .col(text("requested_by"))
        .col(timestamp_with_time_zone("started_at"))
        .col(timestamp_with_time_zone_null("finished_at"))
        .col(text("outcome"))
        .col(json_binary("counts"))
        .col(text_null("note"))
        .primary_key(Index::create().col("id"))
        .to_owned();
    manager.create_table(table).await?;
    let table = "subscription_run";
    index(manager, "subscription_run_started", table, &["started_at"]).await?;
    index(manager, "subscription_run_job", table, &["job_id"]).await
}

async fn subscription_report_line(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("subscription_report_line")
        .col(uuid("id"))
        .col(uuid("run_id"))
        .col(timestamp_with_time_zone("at"))
        .col(text("kind"))
        .col(uuid_null("subscription_id"))
        .col(uuid("provider_account_id"))
        .col(text_null("external_id"))
        .col(text("name"))
        .col(text_null("field"))
        .col(text_null("old"))
        .col(text_null("new"))
        .col(text_null("message"))
        .col(text_null("correlation_id"))
        .primary_key(Index::create().col("id"))
        .to_owned();
    manager.create_table(table).await?;
    let table = "subscription_report_line";
    index(manager, "subscription_report_run", table, &["run_id", "id"]).await?;
    index(
        manager,
        "subscription_report_subscription",
        table,
        &["subscription_id", "id"],
    )
    .await
}

async fn license_change(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("license_change")
        .col(uuid("id"))
        .col(uuid("subscription_id"))
        .col(uuid_null("contract_id"))
        .col(text("kind"))
        .col(big_integer("quantity_change"))
        .col(text_null("old_cost"))
        .col(text_null("new_cost"))
        .col(timestamp_with_time_zone("effective_at"))
        .col(boolean("estimated"))
        .col(text("provisioning"))
        .col(boolean("archived"))
        .col(text_null("archived_reason"))
        .col(uuid_null("run_id"))
        .col(text("actor"))
        .col(timestamp_with_time_zone("created_at"))
        .primary_key(Index::create().col("id"))
        .to_owned();
    manager.create_table(table).await?;
    let table = "license_change";
    index(
        manager,
        "license_change_subscription",
        table,
        &["subscription_id", "effective_at"],
    )
    .await?;
    index(
        manager,
        "license_change_contract",
        table,
        &["contract_id", "archived"],
    )
    .await
}
