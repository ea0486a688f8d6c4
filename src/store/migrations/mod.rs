//! The schema, one set of migrations for both engines, applied in one transaction and by one process at a time
//! (decision 4). Instants are kept to the microsecond; text that is searched or sorted is stored folded and compared by
//! its bytes.

mod m0001_providers;
mod m0002_crm;
mod m0003_access;
mod m0004_jobs;
mod m0005_events;
mod m0006_delivery_claims;
mod m0007_jobs_again;
mod m0008_listed_digest;
mod m0009_crm_notices;
mod m0010_token_callers;
mod m0011_consent;
mod m0012_provider_health;
mod m0013_engine;
mod m0014_match_plans;
mod m0015_account_creation;
mod m0016_billing_contracts;
mod m0017_subscriptions;
mod m0018_exception_care;
mod m0019_subscription_lists;
mod m0020_exception_tally;
mod m0021_exceptions_told;
mod m0022_provider_account_counts;

use sea_orm_migration::prelude::*;

/// All migrations, oldest first.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_providers::Migration),
            Box::new(m0002_crm::Migration),
            Box::new(m0003_access::Migration),
            Box::new(m0004_jobs::Migration),
            Box::new(m0005_events::Migration),
            Box::new(m0006_delivery_claims::Migration),
            Box::new(m0007_jobs_again::Migration),
            Box::new(m0008_listed_digest::Migration),
            Box::new(m0009_crm_notices::Migration),
            Box::new(m0010_token_callers::Migration),
            Box::new(m0011_consent::Migration),
            Box::new(m0012_provider_health::Migration),
            Box::new(m0013_engine::Migration),
            Box::new(m0014_match_plans::Migration),
            Box::new(m0015_account_creation::Migration),
            Box::new(m0016_billing_contracts::Migration),
            Box::new(m0017_subscriptions::Migration),
            Box::new(m0018_exception_care::Migration),
            Box::new(m0019_subscription_lists::Migration),
            Box::new(m0020_exception_tally::Migration),
            Box::new(m0021_exceptions_told::Migration),
            Box::new(m0022_provider_account_counts::Migration),
        ]
    }
}

/// A column of folded text, compared by its bytes on both engines.
fn folded(manager: &SchemaManager<'_>, name: &'static str) -> ColumnDef {
    let mut column = sea_orm_migration::schema::text(name);
    if manager.get_database_backend() == sea_orm::DbBackend::Postgres {
        column.extra("COLLATE \"C\"");
    }
    column
}

async fn index(
    manager: &SchemaManager<'_>,
    name: &'static str,
    table: &'static str,
    columns: &[&'static str],
) -> Result<(), DbErr> {
    create_index(manager, Index::create(), name, table, columns).await
}

async fn unique_index(
    manager: &SchemaManager<'_>,
    name: &'static str,
    table: &'static str,
    columns: &[&'static str],
) -> Result<(), DbErr> {
    create_index(
        manager,
        Index::create().unique().to_owned(),
        name,
        table,
        columns,
    )
    .await
}

async fn create_index(
    manager: &SchemaManager<'_>,
    mut statement: IndexCreateStatement,
    name: &'static str,
    table: &'static str,
    columns: &[&'static str],
) -> Result<(), DbErr> {
    statement.name(name).table(table);
    for column in columns {
        statement.col(*column);
    }
    manager.create_index(statement).await
}
