//! Billing Contracts (D1). Two rules are kept by indexes: one default per Account and currency, one name per Account, both
//! among open contracts only.
//! Landed migrations are never edited: a change is a new one.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, boolean, date, date_null, json_binary, text, text_null, timestamp_with_time_zone,
    timestamp_with_time_zone_null, uuid,
};

use super::{folded, index};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0016_billing_contracts"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("billing_contract")
            .col(uuid("id"))
            .col(uuid("account_id"))
            .col(text("account_name"))
            .col(text("name"))
            .col(folded(manager, "name_folded"))
            .col(text("frequency"))
            .col(text("policy"))
            .col(text_null("terms"))
            .col(text("currency"))
            .col(text_null("tax"))
            .col(text_null("payment_profile"))
            .col(date("start_date"))
            .col(date_null("end_date"))
            .col(date("go_live_date"))
            .col(date("next_invoice_date"))
            .col(text_null("default_price_list"))
            .col(boolean("is_default"))
            .col(json_binary("automation"))
            .col(timestamp_with_time_zone_null("closed_at"))
            .col(text_null("closed_reason"))
            .col(timestamp_with_time_zone("created_at"))
            .col(timestamp_with_time_zone("updated_at"))
            .col(big_integer("version"))
            .primary_key(Index::create().col("id"))
            .to_owned();
        manager.create_table(table).await?;
        index(
            manager,
            "billing_contract_sort",
            "billing_contract",
            &["name_folded", "id"],
        )
        .await?;
        index(
            manager,
            "billing_contract_account",
            "billing_contract",
            &["account_id"],
        )
        .await?;
        for statement in [
            "CREATE UNIQUE INDEX billing_contract_default ON billing_contract (account_id, currency) WHERE is_default AND closed_at IS NULL",
            "CREATE UNIQUE INDEX billing_contract_name ON billing_contract (account_id, name_folded) WHERE closed_at IS NULL",
        ] {
            manager
                .get_connection()
                .execute_unprepared(statement)
                .await?;
        }
        Ok(())
    }
}
