//! Rows of `match_plan`: what a bulk auto-match would do, saved (B4). Kept for `retention.jobs_days` once made.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "match_plan")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub created_at: DateTimeUtc,
    #[sea_orm(column_type = "Text")]
    pub created_by: String,
    pub made_at: Option<DateTimeUtc>,
    #[sea_orm(column_type = "Text")]
    pub applied_by: Option<String>,
    pub applied_at: Option<DateTimeUtc>,
    #[sea_orm(column_type = "Text")]
    pub undone_by: Option<String>,
    pub undone_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
