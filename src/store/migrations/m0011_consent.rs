//! Consent of providers: the one-time states of sign-ins that are under way, and what was given.
//! Landed migrations are never edited: a change is a new one.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, blob, text, text_null, timestamp_with_time_zone, timestamp_with_time_zone_null,
    uuid, uuid_null,
};

use super::index;

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0011_consent"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let state = Table::create()
            .table("consent_state")
            .col(blob("secret_hash"))
            .col(uuid("id"))
            .col(text("step"))
            .col(uuid("provider_id"))
            .col(uuid("session_id"))
            .col(text("authority"))
            .col(text("tenant"))
            .col(text("redirect_uri"))
            .col(text("nonce"))
            .col(text("key_id"))
            .col(blob("sealed_verifier"))
            .col(timestamp_with_time_zone("expires_at"))
            .col(timestamp_with_time_zone_null("used_at"))
            .primary_key(Index::create().col("secret_hash"))
            .to_owned();
        manager.create_table(state).await?;
        index(
            manager,
            "consent_state_expiry",
            "consent_state",
            &["expires_at"],
        )
        .await?;
        let consent = Table::create()
            .table("consent")
            .col(uuid("provider_id"))
            .col(uuid_null("tenant_id"))
            .col(timestamp_with_time_zone_null("admin_at"))
            .col(text_null("admin_by"))
            .col(timestamp_with_time_zone_null("user_at"))
            .col(text_null("user_by"))
            .col(text("multi_factor"))
            .col(timestamp_with_time_zone_null("refreshed_at"))
            .col(big_integer("version"))
            .col(uuid_null("pending_tenant_id"))
            .col(text_null("pending_by"))
            .col(text_null("failure_trouble"))
            .col(text_null("failure_text"))
            .col(timestamp_with_time_zone_null("failure_at"))
            .col(uuid_null("lease_holder"))
            .col(timestamp_with_time_zone_null("lease_until"))
            .primary_key(Index::create().col("provider_id"))
            .to_owned();
        manager.create_table(consent).await
    }
}
