//! How many exceptions of each kind are open, by the hour they were raised in, so that counting them reads none of them; and an
//! index for the few that somebody takes care of.
//! Landed migrations are never edited: a change is a new one.

use sea_orm::DbBackend;
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, text, uuid};

use super::index;

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0020_exception_tally"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tally = "exception_tally";
        let table = Table::create()
            .table(tally)
            .col(uuid("id"))
            .col(text("kind"))
            .col(big_integer("hour"))
            .col(big_integer("change"))
            .primary_key(Index::create().col("id"))
            .to_owned();
        manager.create_table(table).await?;
        let columns = ["kind", "hour", "change"];
        index(manager, "exception_tally_counted", tally, &columns).await?;
        // Each engine reads the order of the list from its own form.
        let (id, hour, cared_for) = match manager.get_database_backend() {
            DbBackend::Postgres => (
                "gen_random_uuid()",
                "floor(extract(epoch FROM opened_at) / 3600)::bigint",
                "(opened_at, id) WHERE closed_at IS NULL AND acknowledged_at IS NOT NULL",
            ),
            _ => (
                "randomblob(16)",
                "CAST(strftime('%s', opened_at) AS INTEGER) / 3600",
                "(closed_at, opened_at, id) WHERE acknowledged_at IS NOT NULL",
            ),
        };
        let known = format!(
            "INSERT INTO exception_tally (id, kind, hour, change) SELECT {id}, kind, hour, open FROM (SELECT kind, {hour} AS hour, count(*) AS open FROM exception WHERE closed_at IS NULL GROUP BY 1, 2) AS known"
        );
        let cared_for = format!("CREATE INDEX exception_cared_for ON exception {cared_for}");
        for statement in [known, cared_for] {
            manager
                .get_connection()
                .execute_unprepared(&statement)
                .await?;
        }
        Ok(())
    }
}
