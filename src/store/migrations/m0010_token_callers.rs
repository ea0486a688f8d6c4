//! Callers with tokens of the identity provider.
//! Landed migrations are never edited: a change is a new one.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{json_binary, text, timestamp_with_time_zone};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0010_token_callers"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("token_caller")
            .col(text("owner"))
            .col(text("name"))
            .col(json_binary("roles"))
            .col(timestamp_with_time_zone("seen_at"))
            .primary_key(Index::create().col("owner"))
            .to_owned();
        manager.create_table(table).await
    }
}
