//! Who takes care of an exception (D6), and what its list is read by.
//! Landed migrations are never edited: a change is a new one.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{text_null, timestamp_with_time_zone_null};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0018_exception_care"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // SQLite takes one column at a time.
        for column in [
            timestamp_with_time_zone_null("acknowledged_at"),
            text_null("acknowledged_by"),
            timestamp_with_time_zone_null("snoozed_until"),
            text_null("note"),
        ] {
            let table = Table::alter()
                .table("exception")
                .add_column(column)
                .to_owned();
            manager.alter_table(table).await?;
        }
        for statement in [
            "CREATE INDEX exception_by_age ON exception (opened_at, id) WHERE closed_at IS NULL",
            "CREATE INDEX exception_by_kind ON exception (kind, opened_at, id) WHERE closed_at IS NULL",
            "CREATE INDEX exception_by_subject ON exception (subject) WHERE closed_at IS NULL",
        ] {
            manager
                .get_connection()
                .execute_unprepared(statement)
                .await?;
        }
        Ok(())
    }
}
