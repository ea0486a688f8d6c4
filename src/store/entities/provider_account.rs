//! Rows of `provider_account`: Provider Accounts (B1, B2) with the present state of their mapping (B4). `unique_account_id` repeats `account_id`
//! only while one-to-one mapping is insisted on (B5), so that its unique index enforces the rule. Kept for ever.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "provider_account")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub provider_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub external_id: String,
    #[sea_orm(column_type = "Text")]
    pub name: String,
    #[sea_orm(column_type = "Text")]
    pub name_folded: String,
    #[sea_orm(column_type = "Text")]
    pub search_text: String,
    #[sea_orm(column_type = "Text")]
    pub tenant_id: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub relationship: String,
    #[sea_orm(column_type = "Text")]
    pub default_domain: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub country: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub city: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub postal_code: Option<String>,
    pub sync_enabled: bool,
    pub first_seen_at: DateTimeUtc,
    pub missing_since: Option<DateTimeUtc>,
    /// What the listing said, as [`ListedDigest`](crate::store::provider_accounts::listed::ListedDigest).
    pub listed_digest: Option<Uuid>,
    pub details_fetched_at: Option<DateTimeUtc>,
    #[sea_orm(column_type = "Text")]
    pub mapping_state: String,
    pub account_id: Option<Uuid>,
    #[sea_orm(column_type = "Text")]
    pub account_name: Option<String>,
    pub unique_account_id: Option<Uuid>,
    #[sea_orm(column_type = "Text")]
    pub mapped_by: Option<String>,
    pub mapping_changed_at: DateTimeUtc,
    #[sea_orm(column_type = "Text")]
    pub mapping_reason: Option<String>,
    pub mapping_version: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
