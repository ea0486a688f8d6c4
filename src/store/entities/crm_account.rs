//! Rows of `crm_account`: the mirror of CRM Accounts: ids, domains, place, state (decision 6). `generation` tells rows of the latest full
//! reading from those it did not show. Kept while the CRM has the row.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "crm_account")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub name: String,
    #[sea_orm(column_type = "Text")]
    pub name_folded: String,
    #[sea_orm(column_type = "Text")]
    pub state: String,
    pub merged_into: Option<Uuid>,
    pub parent_id: Option<Uuid>,
    #[sea_orm(column_type = "Text")]
    pub web_domain: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub email_domains: String,
    #[sea_orm(column_type = "Text")]
    pub country: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub city: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub postal_code: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub phone: Option<String>,
    pub row_version: i64,
    pub generation: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
