//! Rows of `suggestion`: ranked candidates for unmapped Provider Accounts. Replaced by each auto-match, gone once mapped.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "suggestion")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub provider_account_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub rank: i32,
    pub account_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub account_name: String,
    pub confidence: f64,
    #[sea_orm(column_type = "JsonBinary")]
    pub reasons: Json,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
