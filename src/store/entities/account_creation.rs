//! Rows of `account_creation`: the latest creation of a CRM Account from a Provider Account (B8). The Account's id is ours and
//! is kept before the CRM is asked, so that whoever goes on makes no second one. Kept for ever, one for a Provider Account.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "account_creation")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub provider_account_id: Uuid,
    pub account_id: Uuid,
    #[sea_orm(column_type = "JsonBinary")]
    pub content: Json,
    #[sea_orm(column_type = "Text")]
    pub requested_by: String,
    pub requested_at: DateTimeUtc,
    pub done_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
