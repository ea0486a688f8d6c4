//! Operator settings (decision 12), one JSON value.

use sea_orm::sea_query::{LockType, OnConflict};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, QuerySelect};

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
    let row = setting::Entity::find_by_id(OPERATOR)
        .one(connection)
        .await?;
    read(row)
}

fn read(row: Option<setting::Model>) -> Result<OperatorSettings, StoreError> {
    let Some(row) = row else {
        return Ok(OperatorSettings::default());
    };
    let text = row.value.to_string();
    serde_json::from_value(row.value)
        .map_err(|_| StoreError::impossible("setting", "value", OPERATOR, text))
}

/// The settings in force, which stay so until this transaction ends.
///
/// # Errors
/// When the database refuses, or the stored value cannot be read.
pub async fn hold(tx: &WriteTx) -> Result<OperatorSettings, StoreError> {
    locked(tx, LockType::Share).await
}

/// The settings in force, when this transaction is going to change them: waits until everybody who [`hold`]s them is done.
///
/// # Errors
/// When the database refuses, or the stored value cannot be read.
pub async fn hold_to_change(tx: &WriteTx) -> Result<OperatorSettings, StoreError> {
    locked(tx, LockType::Update).await
}

async fn locked(tx: &WriteTx, lock: LockType) -> Result<OperatorSettings, StoreError> {
    let find = || setting::Entity::find_by_id(OPERATOR).lock(lock).one(&**tx);
    if let Some(row) = find().await? {
        return read(Some(row));
    }
    // Only a row can be locked; an empty one means the defaults.
    let row = setting::ActiveModel {
        key: Set(OPERATOR.to_owned()),
        value: Set(serde_json::json!({})),
        updated_at: Set(chrono::DateTime::UNIX_EPOCH),
    };
    setting::Entity::insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(&**tx)
        .await?;
    read(find().await?)
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
