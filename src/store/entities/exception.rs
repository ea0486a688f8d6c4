//! Rows of `exception`: exceptions (D6): at most one open row per kind and subject. Closed ones are kept for `retention.exceptions_days`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "exception")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    #[sea_orm(column_type = "Text")]
    pub subject: String,
    #[sea_orm(column_type = "Text")]
    pub detail: String,
    #[sea_orm(column_type = "Text")]
    pub remedy: String,
    pub opened_at: DateTimeUtc,
    pub closed_at: Option<DateTimeUtc>,
    pub acknowledged_at: Option<DateTimeUtc>,
    #[sea_orm(column_type = "Text")]
    pub acknowledged_by: Option<String>,
    pub snoozed_until: Option<DateTimeUtc>,
    #[sea_orm(column_type = "Text")]
    pub note: Option<String>,
    /// The provider of whose first import it came; empty once flows were told of it.
    pub untold_of: Option<Uuid>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
