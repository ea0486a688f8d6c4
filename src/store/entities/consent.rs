//! Rows of `consent`: what the tenant of a provider consented to. One row a provider.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "consent")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub provider_id: Uuid,
    pub tenant_id: Option<Uuid>,
    pub admin_at: Option<DateTimeUtc>,
    #[sea_orm(column_type = "Text", nullable)]
    pub admin_by: Option<String>,
    pub user_at: Option<DateTimeUtc>,
    #[sea_orm(column_type = "Text", nullable)]
    pub user_by: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub multi_factor: String,
    pub refreshed_at: Option<DateTimeUtc>,
    pub version: i64,
    pub pending_tenant_id: Option<Uuid>,
    #[sea_orm(column_type = "Text", nullable)]
    pub pending_by: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub failure_trouble: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub failure_text: Option<String>,
    pub failure_at: Option<DateTimeUtc>,
    pub lease_holder: Option<Uuid>,
    pub lease_until: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
