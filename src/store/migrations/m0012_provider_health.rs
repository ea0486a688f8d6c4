//! How providers fare: what lapses, when one was last read to the end, what went wrong, and what people were told of it.
//! Landed migrations are never edited: a change is a new one.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{text, text_null, timestamp_with_time_zone_null, uuid};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0012_provider_health"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let health = Table::create()
            .table("provider_health")
            .col(uuid("provider_id"))
            .col(timestamp_with_time_zone_null("client_secret_expires_at"))
            .col(timestamp_with_time_zone_null("last_complete_sync_at"))
            .col(text_null("sync_error_trouble"))
            .col(text_null("sync_error_text"))
            .col(timestamp_with_time_zone_null("sync_error_at"))
            .col(text_null("refresh_refused"))
            .col(text("consent_told"))
            .col(text("secret_told"))
            .primary_key(Index::create().col("provider_id"))
            .to_owned();
        manager.create_table(health).await?;
        // What was read to the end before this table was there.
        manager
            .get_connection()
            .execute_unprepared(
                "insert into provider_health (provider_id, last_complete_sync_at, consent_told, secret_told) \
                 select provider_id, max(finished_at), 'good', 'good' from sync_run where outcome = 'complete' \
                 group by provider_id",
            )
            .await?;
        Ok(())
    }
}
