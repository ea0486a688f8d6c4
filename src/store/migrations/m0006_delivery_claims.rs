//! Indexes for claiming deliveries: only pending ones are ever looked for, so only these are indexed, and a delivered one
//! costs nothing more. Landed migrations are never edited: a change is a new one.

use sea_orm_migration::prelude::*;

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0006_delivery_claims"
    }
}

const STATEMENTS: [&str; 5] = [
    "DROP INDEX delivery_due",
    "DROP INDEX delivery_order",
    "CREATE INDEX delivery_claim ON delivery (subscription_id, next_attempt_at, position) WHERE state = 'pending'",
    "CREATE INDEX delivery_subject ON delivery (subscription_id, subject, position) WHERE state = 'pending'",
    "CREATE INDEX delivery_dead ON delivery (subscription_id, id) WHERE state = 'dead'",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for statement in STATEMENTS {
            manager
                .get_connection()
                .execute_unprepared(statement)
                .await?;
        }
        Ok(())
    }
}
