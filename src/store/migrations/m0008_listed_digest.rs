//! A digest of what the listing said of each customer, so that a sync without changes reads sixteen bytes of each and not
//! its row. Only customers that are present are indexed: one that is missing is never "unchanged".

use sea_orm_migration::prelude::*;

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0008_listed_digest"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = sea_orm_migration::schema::uuid_null("listed_digest");
        let add = Table::alter()
            .table("provider_account")
            .add_column(column)
            .to_owned();
        manager.alter_table(add).await?;
        manager
            .get_connection()
            .execute_unprepared(
                "CREATE INDEX provider_account_listed ON provider_account (provider_id, listed_digest) WHERE missing_since IS NULL",
            )
            .await?;
        Ok(())
    }
}
