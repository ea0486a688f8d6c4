//! What the rail of every page counts Provider Accounts by: their states out of an index alone, and the few that are missing.
//! Landed migrations are never edited: a change is a new one.

use sea_orm_migration::prelude::*;

use super::index;

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0022_provider_account_counts"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let counted = ["mapping_state", "provider_id"];
        let table = "provider_account";
        index(manager, "provider_account_counted", table, &counted).await?;
        manager
            .get_connection()
            .execute_unprepared(
                "CREATE INDEX provider_account_missing ON provider_account (provider_id) WHERE missing_since IS NOT NULL",
            )
            .await
            .map(|_| ())
    }
}
