//! What the CRM tells us of by webhook, as it came: kept before it is answered, because it is told only once.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    blob, json_binary, text, text_null, timestamp_with_time_zone, uuid, uuid_null,
};

use super::index;

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0009_crm_notices"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("crm_notice")
            .col(uuid("id"))
            .col(timestamp_with_time_zone("received_at"))
            .col(text("message"))
            .col(text("table_name"))
            .col(uuid_null("record_id"))
            .col(text_null("correlation_id"))
            .col(json_binary("headers"))
            .col(blob("body"))
            .primary_key(Index::create().col("id"))
            .to_owned();
        manager.create_table(table).await?;
        index(
            manager,
            "crm_notice_received",
            "crm_notice",
            &["received_at"],
        )
        .await
    }
}
