//! Providers, Provider Accounts and their mappings, and the records of their syncs.
//! Landed migrations are never edited: a change is a new one.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, boolean, double, integer, json_binary, text, text_null, timestamp_with_time_zone,
    timestamp_with_time_zone_null, uuid, uuid_null,
};

use super::{folded, index, unique_index};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0001_providers"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        provider(manager).await?;
        provider_account(manager).await?;
        provider_account_domain(manager).await?;
        mapping_history(manager).await?;
        suggestion(manager).await?;
        sync_run(manager).await?;
        Ok(())
    }
}

async fn provider(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("provider")
        .col(uuid("id"))
        .col(text("kind"))
        .col(text("name"))
        .col(folded(manager, "name_folded"))
        .col(boolean("enabled"))
        .col(text("partner_tenant"))
        .col(text("client_id"))
        .col(timestamp_with_time_zone_null("first_import_at"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("updated_at"))
        .col(big_integer("version"))
        .primary_key(Index::create().col("id"))
        .to_owned();
    manager.create_table(table).await?;
    unique_index(manager, "provider_name", "provider", &["name_folded"]).await
}

async fn provider_account(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("provider_account")
        .col(uuid("id"))
        .col(uuid("provider_id"))
        .col(text("external_id"))
        .col(text("name"))
        .col(folded(manager, "name_folded"))
        .col(text("search_text"))
        .col(text_null("tenant_id"))
        .col(text("relationship"))
        .col(text_null("default_domain"))
        .col(text_null("country"))
        .col(text_null("city"))
        .col(text_null("postal_code"))
        .col(boolean("sync_enabled"))
        .col(timestamp_with_time_zone("first_seen_at"))
        .col(timestamp_with_time_zone_null("missing_since"))
        .col(timestamp_with_time_zone_null("details_fetched_at"))
        .col(text("mapping_state"))
        .col(uuid_null("account_id"))
        .col(text_null("account_name"))
        .col(uuid_null("unique_account_id"))
        .col(text_null("mapped_by"))
        .col(timestamp_with_time_zone("mapping_changed_at"))
        .col(text_null("mapping_reason"))
        .col(big_integer("mapping_version"))
        .primary_key(Index::create().col("id"))
        .to_owned();
    manager.create_table(table).await?;
    unique_index(
        manager,
        "provider_account_external",
        "provider_account",
        &["provider_id", "external_id"],
    )
    .await?;
    unique_index(
        manager,
        "provider_account_unique",
        "provider_account",
        &["unique_account_id"],
    )
    .await?;
    index(
        manager,
        "provider_account_state",
        "provider_account",
        &["mapping_state", "name_folded"],
    )
    .await?;
    index(
        manager,
        "provider_account_sort",
        "provider_account",
        &["name_folded", "id"],
    )
    .await?;
    index(
        manager,
        "provider_account_account",
        "provider_account",
        &["account_id"],
    )
    .await?;
    index(
        manager,
        "provider_account_details",
        "provider_account",
        &["provider_id", "details_fetched_at"],
    )
    .await
}

async fn provider_account_domain(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("provider_account_domain")
        .col(uuid("provider_account_id"))
        .col(text("domain"))
        .col(text("source"))
        .primary_key(
            Index::create()
                .col("provider_account_id")
                .col("domain")
                .col("source"),
        )
        .to_owned();
    manager.create_table(table).await?;
    index(
        manager,
        "provider_account_domain_name",
        "provider_account_domain",
        &["domain"],
    )
    .await
}

async fn mapping_history(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("mapping_history")
        .col(uuid("id"))
        .col(uuid("provider_account_id"))
        .col(timestamp_with_time_zone("changed_at"))
        .col(text("from_state"))
        .col(uuid_null("from_account_id"))
        .col(text("to_state"))
        .col(uuid_null("to_account_id"))
        .col(text_null("to_account_name"))
        .col(text_null("mapped_by"))
        .col(text("actor"))
        .col(text_null("reason"))
        .primary_key(Index::create().col("id"))
        .to_owned();
    manager.create_table(table).await?;
    index(
        manager,
        "mapping_history_account",
        "mapping_history",
        &["provider_account_id", "id"],
    )
    .await
}

async fn suggestion(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("suggestion")
        .col(uuid("provider_account_id"))
        .col(integer("rank"))
        .col(uuid("account_id"))
        .col(text("account_name"))
        .col(double("confidence"))
        .col(json_binary("reasons"))
        .primary_key(Index::create().col("provider_account_id").col("rank"))
        .to_owned();
    manager.create_table(table).await
}

async fn sync_run(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("sync_run")
        .col(uuid("id"))
        .col(uuid("provider_id"))
        .col(uuid("job_id"))
        .col(timestamp_with_time_zone("started_at"))
        .col(timestamp_with_time_zone_null("finished_at"))
        .col(text("outcome"))
        .col(json_binary("counts"))
        .col(json_binary("notes"))
        .col(json_binary("correlation_ids"))
        .primary_key(Index::create().col("id"))
        .to_owned();
    manager.create_table(table).await?;
    index(
        manager,
        "sync_run_provider",
        "sync_run",
        &["provider_id", "started_at"],
    )
    .await?;
    index(manager, "sync_run_started", "sync_run", &["started_at"]).await
}
