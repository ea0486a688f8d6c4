//! Rows of `outbox_event`: events, written with the change they tell of (decision 1). `seq` is the order of writing; `position` is the gapless
//! order of committed events, given later by the dispatcher (decision 2). Retention: `retention.events_days`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outbox_event")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub seq: i64,
    pub id: Uuid,
    pub position: Option<i64>,
    #[sea_orm(column_type = "Text")]
    pub event_type: String,
    pub schema_version: i32,
    pub occurred_at: DateTimeUtc,
    #[sea_orm(column_type = "Text")]
    pub subject: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub data: Json,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
