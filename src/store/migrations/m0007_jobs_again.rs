//! A Job that is asked for while it runs may have passed what the asking is about: it is marked, and follows itself.

use sea_orm_migration::prelude::*;

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0007_jobs_again"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .get_connection()
            .execute_unprepared("ALTER TABLE job ADD COLUMN again boolean NOT NULL DEFAULT FALSE")
            .await?;
        Ok(())
    }
}
