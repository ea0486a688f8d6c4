//! Rows of `provider_health`: how a provider fares, and what people were told of it. One row a provider.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "provider_health")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub provider_id: Uuid,
    pub client_secret_expires_at: Option<DateTimeUtc>,
    pub last_complete_sync_at: Option<DateTimeUtc>,
    #[sea_orm(column_type = "Text", nullable)]
    pub sync_error_trouble: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub sync_error_text: Option<String>,
    pub sync_error_at: Option<DateTimeUtc>,
    #[sea_orm(column_type = "Text", nullable)]
    pub refresh_refused: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub consent_told: String,
    #[sea_orm(column_type = "Text")]
    pub secret_told: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
