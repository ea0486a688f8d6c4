//! Rows of `subscription_read`: when the subscriptions of a customer were last read, and how that ended. One row a customer.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "subscription_read")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub provider_account_id: Uuid,
    pub asked_at: DateTimeUtc,
    pub whole_at: Option<DateTimeUtc>,
    #[sea_orm(column_type = "Text")]
    pub error: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub correlation_id: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
