//! Rows of `lease`: named leases with a fencing token, for work that one instance does at a time; `value` is a counter that belongs
//! to the holder (the last event position). Kept for ever.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "lease")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub name: String,
    pub holder: Uuid,
    pub fence: i64,
    pub until: DateTimeUtc,
    pub value: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
