//! Rows of `billing_contract`: Billing Contracts (D1). Kept for ever: invoices refer to them.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "billing_contract")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub account_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub account_name: String,
    #[sea_orm(column_type = "Text")]
    pub name: String,
    #[sea_orm(column_type = "Text")]
    pub name_folded: String,
    #[sea_orm(column_type = "Text")]
    pub frequency: String,
    #[sea_orm(column_type = "Text")]
    pub policy: String,
    #[sea_orm(column_type = "Text")]
    pub terms: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub currency: String,
    #[sea_orm(column_type = "Text")]
    pub tax: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub payment_profile: Option<String>,
    pub start_date: Date,
    pub end_date: Option<Date>,
    pub go_live_date: Date,
    pub next_invoice_date: Date,
    #[sea_orm(column_type = "Text")]
    pub default_price_list: Option<String>,
    pub is_default: bool,
    /// Texts: the products that may land in it by themselves.
    #[sea_orm(column_type = "JsonBinary")]
    pub products: Json,
    #[sea_orm(column_type = "JsonBinary")]
    pub automation: Json,
    pub closed_at: Option<DateTimeUtc>,
    #[sea_orm(column_type = "Text")]
    pub closed_reason: Option<String>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub version: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
