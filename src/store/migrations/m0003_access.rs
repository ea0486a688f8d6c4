//! Secrets, keys, sessions, settings, idempotency, audit and exceptions.
//! Landed migrations are never edited: a change is a new one.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    blob, integer_null, json_binary, json_binary_null, text, text_null, timestamp_with_time_zone,
    timestamp_with_time_zone_null, uuid,
};

use super::index;

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0003_access"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        secret(manager).await?;
        api_key(manager).await?;
        sign_in_link(manager).await?;
        session(manager).await?;
        setting(manager).await?;
        idempotency(manager).await?;
        audit(manager).await?;
        exception(manager).await?;
        Ok(())
    }
}

async fn secret(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("secret")
        .col(text("purpose"))
        .col(uuid("subject"))
        .col(text("key_id"))
        .col(blob("sealed"))
        .col(text_null("bound_host"))
        .col(timestamp_with_time_zone("updated_at"))
        .primary_key(Index::create().col("purpose").col("subject"))
        .to_owned();
    manager.create_table(table).await
}

async fn api_key(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("api_key")
        .col(uuid("id"))
        .col(text("name"))
        .col(blob("secret_hash"))
        .col(json_binary("roles"))
        .col(timestamp_with_time_zone("created_at"))
        .col(text("created_by"))
        .col(timestamp_with_time_zone_null("revoked_at"))
        .col(timestamp_with_time_zone_null("last_used_at"))
        .primary_key(Index::create().col("id"))
        .to_owned();
    manager.create_table(table).await
}

async fn sign_in_link(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("sign_in_link")
        .col(blob("secret_hash"))
        .col(uuid("id"))
        .col(text("name"))
        .col(json_binary("roles"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("expires_at"))
        .col(timestamp_with_time_zone_null("used_at"))
        .primary_key(Index::create().col("secret_hash"))
        .to_owned();
    manager.create_table(table).await
}

async fn session(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("session")
        .col(blob("secret_hash"))
        .col(uuid("id"))
        .col(text("name"))
        .col(json_binary("roles"))
        .col(text("csrf"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("last_seen_at"))
        .col(timestamp_with_time_zone("expires_at"))
        .primary_key(Index::create().col("secret_hash"))
        .to_owned();
    manager.create_table(table).await?;
    index(manager, "session_expiry", "session", &["expires_at"]).await
}

async fn setting(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("setting")
        .col(text("key"))
        .col(json_binary("value"))
        .col(timestamp_with_time_zone("updated_at"))
        .primary_key(Index::create().col("key"))
        .to_owned();
    manager.create_table(table).await
}

async fn idempotency(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("idempotency")
        .col(text("owner"))
        .col(text("operation"))
        .col(text("key"))
        .col(blob("request_hash"))
        .col(integer_null("status"))
        .col(text_null("location"))
        .col(text_null("body"))
        .col(timestamp_with_time_zone("created_at"))
        .primary_key(Index::create().col("owner").col("operation").col("key"))
        .to_owned();
    manager.create_table(table).await?;
    index(manager, "idempotency_age", "idempotency", &["created_at"]).await
}

async fn audit(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("audit")
        .col(uuid("id"))
        .col(timestamp_with_time_zone("at"))
        .col(text("actor_kind"))
        .col(text("actor_id"))
        .col(text("actor_name"))
        .col(text("channel"))
        .col(text_null("correlation_id"))
        .col(text("action"))
        .col(text("subject"))
        .col(json_binary_null("before"))
        .col(json_binary_null("after"))
        .col(text_null("reason"))
        .primary_key(Index::create().col("id"))
        .to_owned();
    manager.create_table(table).await?;
    index(manager, "audit_subject", "audit", &["subject", "id"]).await?;
    index(manager, "audit_at", "audit", &["at"]).await
}

async fn exception(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("exception")
        .col(uuid("id"))
        .col(text("kind"))
        .col(text("subject"))
        .col(text("detail"))
        .col(text("remedy"))
        .col(timestamp_with_time_zone("opened_at"))
        .col(timestamp_with_time_zone_null("closed_at"))
        .primary_key(Index::create().col("id"))
        .to_owned();
    manager.create_table(table).await?;
    index(
        manager,
        "exception_kind",
        "exception",
        &["kind", "opened_at"],
    )
    .await?;
    manager.get_connection().execute_unprepared("CREATE UNIQUE INDEX exception_open ON exception (kind, subject) WHERE closed_at IS NULL").await.map(|_| ())
}
