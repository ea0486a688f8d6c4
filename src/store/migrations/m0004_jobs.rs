//! Jobs, schedules and leases.
//! Landed migrations are never edited: a change is a new one.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, boolean, integer, json_binary, json_binary_null, text,
    text_null, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid, uuid_null,
};

use super::{index, unique_index};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0004_jobs"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        job(manager).await?;
        schedule(manager).await?;
        lease(manager).await?;
        Ok(())
    }
}

async fn job(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("job")
        .col(uuid("id"))
        .col(text("kind"))
        .col(json_binary("input"))
        .col(text("concurrency_key"))
        .col(text("state"))
        .col(integer("attempts"))
        .col(big_integer("fence"))
        .col(timestamp_with_time_zone_null("lease_until"))
        .col(timestamp_with_time_zone("run_at"))
        .col(big_integer("progress_done"))
        .col(big_integer_null("progress_total"))
        .col(boolean("cancel_requested"))
        .col(json_binary_null("result"))
        .col(text_null("error"))
        .col(text("requested_by"))
        .col(text_null("correlation_id"))
        .col(uuid_null("schedule_id"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("started_at"))
        .col(timestamp_with_time_zone_null("finished_at"))
        .primary_key(Index::create().col("id"))
        .to_owned();
    manager.create_table(table).await?;
    index(manager, "job_due", "job", &["state", "run_at"]).await?;
    index(manager, "job_created", "job", &["created_at"]).await?;
    manager
        .get_connection()
        .execute_unprepared(
            "CREATE UNIQUE INDEX job_unfinished ON job (concurrency_key) WHERE finished_at IS NULL",
        )
        .await
        .map(|_| ())
}

async fn schedule(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("schedule")
        .col(uuid("id"))
        .col(text("concurrency_key"))
        .col(text("kind"))
        .col(json_binary("input"))
        .col(text("cron"))
        .col(text("time_zone"))
        .col(boolean("enabled"))
        .col(timestamp_with_time_zone("next_run_at"))
        .col(timestamp_with_time_zone_null("last_run_at"))
        .col(uuid_null("last_job_id"))
        .col(big_integer("version"))
        .primary_key(Index::create().col("id"))
        .to_owned();
    manager.create_table(table).await?;
    unique_index(manager, "schedule_work", "schedule", &["concurrency_key"]).await?;
    index(
        manager,
        "schedule_due",
        "schedule",
        &["enabled", "next_run_at"],
    )
    .await
}

async fn lease(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("lease")
        .col(text("name"))
        .col(uuid("holder"))
        .col(big_integer("fence"))
        .col(timestamp_with_time_zone("until"))
        .col(big_integer("value"))
        .primary_key(Index::create().col("name"))
        .to_owned();
    manager.create_table(table).await
}
