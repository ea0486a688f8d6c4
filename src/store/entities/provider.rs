//! Rows of `provider`: connected providers (A1). The client secret is sealed in `secret` under the provider's id.
//! Kept for ever.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "provider")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    #[sea_orm(column_type = "Text")]
    pub name: String,
    #[sea_orm(column_type = "Text")]
    pub name_folded: String,
    pub enabled: bool,
    #[sea_orm(column_type = "Text")]
    pub partner_tenant: String,
    #[sea_orm(column_type = "Text")]
    pub client_id: String,
    pub first_import_at: Option<DateTimeUtc>,
    /// When the subscriptions of all customers had been read for the first time.
    pub first_subscriptions_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub version: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
