//! Rows of `job`: Jobs (D5, decision 3). At most one unfinished row per `concurrency_key`. Retention: `retention.jobs_days` after the end.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "job")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub input: Json,
    #[sea_orm(column_type = "Text")]
    pub concurrency_key: String,
    #[sea_orm(column_type = "Text")]
    pub state: String,
    pub attempts: i32,
    pub fence: i64,
    pub lease_until: Option<DateTimeUtc>,
    pub run_at: DateTimeUtc,
    pub progress_done: i64,
    pub progress_total: Option<i64>,
    pub cancel_requested: bool,
    pub again: bool,
    #[sea_orm(column_type = "JsonBinary")]
    pub result: Option<Json>,
    #[sea_orm(column_type = "Text")]
    pub error: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub requested_by: String,
    #[sea_orm(column_type = "Text")]
    pub correlation_id: Option<String>,
    pub schedule_id: Option<Uuid>,
    pub parent_id: Option<Uuid>,
    pub created_at: DateTimeUtc,
    pub started_at: Option<DateTimeUtc>,
    pub finished_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
