//! Plans of auto-match with their items, and suggestions that a person rejected.
//! Landed migrations are never edited: a change is a new one.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, double, json_binary, text, text_null, timestamp_with_time_zone,
    timestamp_with_time_zone_null, uuid,
};

use super::index;

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0014_match_plans"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let plan = Table::create()
            .table("match_plan")
            .col(uuid("id"))
            .col(timestamp_with_time_zone("created_at"))
            .col(text("created_by"))
            .col(timestamp_with_time_zone_null("made_at"))
            .col(text_null("applied_by"))
            .col(timestamp_with_time_zone_null("applied_at"))
            .col(text_null("undone_by"))
            .col(timestamp_with_time_zone_null("undone_at"))
            .primary_key(Index::create().col("id"))
            .to_owned();
        manager.create_table(plan).await?;
        let item = Table::create()
            .table("match_plan_item")
            .col(uuid("plan_id"))
            .col(uuid("provider_account_id"))
            .col(text("name"))
            .col(uuid("account_id"))
            .col(text("account_name"))
            .col(double("confidence"))
            .col(json_binary("reasons"))
            .col(big_integer("mapping_version"))
            .col(text("state"))
            .col(text_null("detail"))
            .col(big_integer_null("applied_version"))
            .primary_key(Index::create().col("plan_id").col("provider_account_id"))
            .to_owned();
        manager.create_table(item).await?;
        index(
            manager,
            "match_plan_item_state",
            "match_plan_item",
            &["plan_id", "state", "provider_account_id"],
        )
        .await?;
        let rejection = Table::create()
            .table("suggestion_rejection")
            .col(uuid("provider_account_id"))
            .col(uuid("account_id"))
            .col(text("evidence"))
            .col(timestamp_with_time_zone("rejected_at"))
            .col(text("rejected_by"))
            .col(text_null("reason"))
            .primary_key(Index::create().col("provider_account_id").col("account_id"))
            .to_owned();
        manager.create_table(rejection).await
    }
}
