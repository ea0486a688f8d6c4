//! Rows of `subscription_report_line`: the lines of a sync's report (D4). Kept as long as their run.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "subscription_report_line")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub run_id: Uuid,
    pub at: DateTimeUtc,
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    pub subscription_id: Option<Uuid>,
    pub provider_account_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub external_id: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub name: String,
    #[sea_orm(column_type = "Text")]
    pub field: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub old: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub new: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub message: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub correlation_id: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
