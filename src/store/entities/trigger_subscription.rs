//! Rows of `trigger_subscription`: trigger subscriptions (decision 10). `natural_key` is owner, workflow and operation: at most one active row has it.
//! Callback URL and signing secret are sealed for the row's id. Retired ones are kept for `retention.events_days`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "trigger_subscription")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub event_type: String,
    #[sea_orm(column_type = "Text")]
    pub owner: String,
    #[sea_orm(column_type = "Text")]
    pub natural_key: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub workflow_id: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub label: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub callback_host: String,
    #[sea_orm(column_type = "Text")]
    pub callback_key_id: String,
    #[sea_orm(column_type = "Blob")]
    pub callback_sealed: Vec<u8>,
    #[sea_orm(column_type = "Text")]
    pub signing_key_id: String,
    #[sea_orm(column_type = "Blob")]
    pub signing_sealed: Vec<u8>,
    #[sea_orm(column_type = "Blob")]
    pub unsubscribe_hash: Vec<u8>,
    pub from_seq: i64,
    #[sea_orm(column_type = "Text")]
    pub state: String,
    #[sea_orm(column_type = "Text")]
    pub state_reason: Option<String>,
    pub refused_since: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub retired_at: Option<DateTimeUtc>,
    pub last_delivered_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
