//! Rows of `mapping_history`: every change of a mapping, oldest first by id. Append-only, kept for ever.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mapping_history")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub provider_account_id: Uuid,
    pub changed_at: DateTimeUtc,
    #[sea_orm(column_type = "Text")]
    pub from_state: String,
    pub from_account_id: Option<Uuid>,
    #[sea_orm(column_type = "Text")]
    pub to_state: String,
    pub to_account_id: Option<Uuid>,
    #[sea_orm(column_type = "Text")]
    pub to_account_name: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub mapped_by: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub actor: String,
    #[sea_orm(column_type = "Text")]
    pub reason: Option<String>,
    /// What an automatic mapping rests on.
    #[sea_orm(column_type = "JsonBinary")]
    pub evidence: Option<Json>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
