//! Rows of `suggestion_rejection`: a person said that a Provider Account is not this Account, on this evidence. Kept for ever.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "suggestion_rejection")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub provider_account_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub evidence: String,
    pub rejected_at: DateTimeUtc,
    #[sea_orm(column_type = "Text")]
    pub rejected_by: String,
    #[sea_orm(column_type = "Text")]
    pub reason: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
