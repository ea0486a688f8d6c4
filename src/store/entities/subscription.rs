//! Rows of `subscription`: what customers hold at providers (D). Kept for ever: the change log adds up to it.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "subscription")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub provider_id: Uuid,
    pub provider_account_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub external_id: String,
    #[sea_orm(column_type = "Text")]
    pub parent_external_id: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub name: String,
    #[sea_orm(column_type = "Text")]
    pub name_folded: String,
    #[sea_orm(column_type = "Text")]
    pub product_id: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub unit: Option<String>,
    /// In millionths.
    pub quantity: i64,
    #[sea_orm(column_type = "Text")]
    pub status: String,
    pub starts_at: Option<DateTimeUtc>,
    pub ends_at: Option<DateTimeUtc>,
    #[sea_orm(column_type = "Text")]
    pub unit_cost: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub currency: Option<String>,
    #[sea_orm(column_type = "JsonBinary")]
    pub facts: Json,
    pub account_id: Option<Uuid>,
    pub contract_id: Option<Uuid>,
    #[sea_orm(column_type = "Text")]
    pub held_for: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub selling_price: Option<String>,
    pub first_seen_at: DateTimeUtc,
    pub gone_since: Option<DateTimeUtc>,
    pub updated_at: DateTimeUtc,
    pub version: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
