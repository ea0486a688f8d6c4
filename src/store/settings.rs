//! Operator settings (decision 12), one JSON value.

use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};

use super::entities::setting;
use super::error::StoreError;
use super::{Signal, WriteTx};
use crate::domain::context::Context;
use crate::domain::setting::OperatorSettings;

const OPERATOR: &str = "operator";

/// The settings in force: the stored ones, or the defaults.
///
/// # Errors
/// When the database refuses, or the stored value cannot be read.
pub async fn load(connection: &impl ConnectionTrait) -> Result<OperatorSettings, StoreError> {
    let Some(row) = setting::Entity::find_by_id(OPERATOR)
        .one(connection)
        .await?
    else {
        return Ok(OperatorSettings::default());
    };
    let text = row.value.to_string();
    serde_json::from_value(row.value)
        .map_err(|_| StoreError::impossible("setting", "value", OPERATOR, text))
}

/// Replaces the settings.
///
/// # Errors
/// When the database refuses.
pub async fn save(
    tx: &WriteTx,
    context: &Context,
    settings: &OperatorSettings,
) -> Result<(), StoreError> {
    let row = setting::ActiveModel {
        key: Set(OPERATOR.to_owned()),
        value: Set(serde_json::json!(settings)),
        updated_at: Set(context.now()),
    };
    let replace = OnConflict::column(setting::Column::Key)
        .update_columns([setting::Column::Value, setting::Column::UpdatedAt])
        .to_owned();
    setting::Entity::insert(row)
        .on_conflict(replace)
        .exec_without_returning(&**tx)
        .await?;
    tx.signal(Signal::SettingsChanged);
    Ok(())
}
