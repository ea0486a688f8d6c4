//! Rows of `match_plan_item`: one mapping that a plan would make, and what became of it. Kept as long as its plan.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "match_plan_item")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub plan_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub provider_account_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub name: String,
    pub account_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub account_name: String,
    pub confidence: f64,
    #[sea_orm(column_type = "JsonBinary")]
    pub reasons: Json,
    pub mapping_version: i64,
    #[sea_orm(column_type = "Text")]
    pub state: String,
    #[sea_orm(column_type = "Text")]
    pub detail: Option<String>,
    pub applied_version: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
