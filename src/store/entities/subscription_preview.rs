//! Rows of `subscription_preview`: what a sync from a contract would do (D2). Kept for `retention.sync_runs_days`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "subscription_preview")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub contract_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub made_by: String,
    pub made_at: DateTimeUtc,
    #[sea_orm(column_type = "JsonBinary")]
    pub items: Json,
    #[sea_orm(column_type = "JsonBinary")]
    pub failures: Json,
    pub run_id: Option<Uuid>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
