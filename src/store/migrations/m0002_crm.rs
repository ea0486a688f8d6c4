//! The mirror of CRM Accounts and Contacts.
//! Landed migrations are never edited: a change is a new one.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, boolean, text, text_null, timestamp_with_time_zone, timestamp_with_time_zone_null,
    uuid, uuid_null,
};

use super::{folded, index};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0002_crm"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        crm_account(manager).await?;
        crm_contact(manager).await?;
        crm_feed(manager).await?;
        Ok(())
    }
}

async fn crm_account(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("crm_account")
        .col(uuid("id"))
        .col(text("name"))
        .col(folded(manager, "name_folded"))
        .col(text("state"))
        .col(uuid_null("merged_into"))
        .col(uuid_null("parent_id"))
        .col(text_null("web_domain"))
        .col(text("email_domains"))
        .col(big_integer("row_version"))
        .col(big_integer("generation"))
        .primary_key(Index::create().col("id"))
        .to_owned();
    manager.create_table(table).await?;
    index(
        manager,
        "crm_account_name",
        "crm_account",
        &["name_folded", "id"],
    )
    .await?;
    index(
        manager,
        "crm_account_generation",
        "crm_account",
        &["generation"],
    )
    .await
}

async fn crm_contact(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("crm_contact")
        .col(uuid("id"))
        .col(uuid_null("account_id"))
        .col(text("email_domains"))
        .col(boolean("active"))
        .col(big_integer("row_version"))
        .col(big_integer("generation"))
        .primary_key(Index::create().col("id"))
        .to_owned();
    manager.create_table(table).await?;
    index(
        manager,
        "crm_contact_account",
        "crm_contact",
        &["account_id"],
    )
    .await?;
    index(
        manager,
        "crm_contact_generation",
        "crm_contact",
        &["generation"],
    )
    .await
}

async fn crm_feed(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("crm_feed")
        .col(text("table_name"))
        .col(text_null("cursor_kind"))
        .col(text_null("cursor"))
        .col(big_integer("generation"))
        .col(boolean("reading_everything"))
        .col(timestamp_with_time_zone_null("completed_at"))
        .col(timestamp_with_time_zone("updated_at"))
        .primary_key(Index::create().col("table_name"))
        .to_owned();
    manager.create_table(table).await
}
