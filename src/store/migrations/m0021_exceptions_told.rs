//! Exceptions of a first import are told of together (B14), the changes of licences that wait too long are found by index, a Job
//! knows which one asked for it, and a contract which products land in it (D9).
//! Landed migrations are never edited: a change is a new one.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{json_binary, timestamp_with_time_zone_null, uuid_null};

use super::index;

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0021_exceptions_told"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut products = json_binary("products");
        products.default("[]");
        for (table, column) in [
            (
                "provider",
                timestamp_with_time_zone_null("first_subscriptions_at"),
            ),
            ("exception", uuid_null("untold_of")),
            ("job", uuid_null("parent_id")),
            ("billing_contract", products),
        ] {
            let table = Table::alter().table(table).add_column(column).to_owned();
            manager.alter_table(table).await?;
        }
        for statement in [
            "UPDATE provider SET first_subscriptions_at = (SELECT MIN(finished_at) FROM subscription_run WHERE subscription_run.provider_id = provider.id AND outcome = 'complete')",
            "CREATE INDEX exception_untold ON exception (untold_of) WHERE untold_of IS NOT NULL",
        ] {
            manager
                .get_connection()
                .execute_unprepared(statement)
                .await?;
        }
        index(manager, "job_parent", "job", &["parent_id"]).await?;
        let waiting = ["provisioning", "effective_at"];
        index(
            manager,
            "license_change_waiting",
            "license_change",
            &waiting,
        )
        .await
    }
}
