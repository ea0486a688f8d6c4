//! What the matching engine needs: where CRM Accounts are, and what automatic mappings rest on. Accounts are read anew
//! once, because a change token brings the columns that it was asked with. A deployment that has mapped by the classic
//! rule goes on with it until somebody chooses the engine.
//! Landed migrations are never edited: a change is a new one.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{json_binary_null, text_null};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0013_engine"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["country", "city", "postal_code", "phone"] {
            let add = Table::alter()
                .table("crm_account")
                .add_column(text_null(column))
                .to_owned();
            manager.alter_table(add).await?;
        }
        let add = Table::alter()
            .table("mapping_history")
            .add_column(json_binary_null("evidence"))
            .to_owned();
        manager.alter_table(add).await?;
        let connection = manager.get_connection();
        connection
            .execute_unprepared(
                "UPDATE crm_feed SET cursor_kind = NULL, cursor = NULL, reading_everything = FALSE \
                 WHERE table_name = 'accounts'",
            )
            .await?;
        for statement in KEEP_CLASSIC {
            connection.execute_unprepared(statement).await?;
        }
        Ok(())
    }
}

/// Settings that were never changed, kept or only locked, meant the classic rule.
const KEEP_CLASSIC: [&str; 2] = [
    "UPDATE setting SET value = '{\"autoMatch\":\"classic\"}' \
     WHERE key = 'operator' AND CAST(value AS TEXT) = '{}'",
    "INSERT INTO setting (key, value, updated_at) \
     SELECT 'operator', '{\"autoMatch\":\"classic\"}', MIN(created_at) FROM provider HAVING COUNT(*) > 0 \
     ON CONFLICT (key) DO NOTHING",
];
