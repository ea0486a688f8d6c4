//! Accounts that are being created in the CRM from Provider Accounts, each under an id that is known before the CRM is asked.
//! Landed migrations are never edited: a change is a new one.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    json_binary, text, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid,
};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0015_account_creation"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("account_creation")
            .col(uuid("provider_account_id"))
            .col(uuid("account_id"))
            .col(json_binary("content"))
            .col(text("requested_by"))
            .col(timestamp_with_time_zone("requested_at"))
            .col(timestamp_with_time_zone_null("done_at"))
            .primary_key(Index::create().col("provider_account_id"))
            .to_owned();
        manager.create_table(table).await
    }
}
