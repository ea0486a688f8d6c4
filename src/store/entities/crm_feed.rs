//! Rows of `crm_feed`: where the change feed of each mirrored table goes on. One row a table, kept for ever.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "crm_feed")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub table_name: String,
    #[sea_orm(column_type = "Text")]
    pub cursor_kind: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub cursor: Option<String>,
    pub generation: i64,
    pub reading_everything: bool,
    pub completed_at: Option<DateTimeUtc>,
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
