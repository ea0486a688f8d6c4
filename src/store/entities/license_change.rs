//! Rows of `license_change`: the License Change Log (E1). Never deleted.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "license_change")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub subscription_id: Uuid,
    pub contract_id: Option<Uuid>,
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    /// In millionths.
    pub quantity_change: i64,
    #[sea_orm(column_type = "Text")]
    pub old_cost: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub new_cost: Option<String>,
    pub effective_at: DateTimeUtc,
    pub estimated: bool,
    #[sea_orm(column_type = "Text")]
    pub provisioning: String,
    pub archived: bool,
    #[sea_orm(column_type = "Text")]
    pub archived_reason: Option<String>,
    pub run_id: Option<Uuid>,
    #[sea_orm(column_type = "Text")]
    pub actor: String,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
