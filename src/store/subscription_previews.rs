//! Previews of a sync from a contract (D2): kept until they are decided on, so that the decision is about what was shown.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, LockType};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect,
};
use serde_json::Value;

use super::WriteTx;
use super::entities::subscription_preview::{self, Column, Entity};
use super::error::StoreError;
use crate::domain::ids::{BillingContractId, PreviewId, SubscriptionRunId};

/// A preview as it is kept. Items and failures are in the words of the flow that made them.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptPreview {
    /// Our id.
    pub id: PreviewId,
    /// The contract.
    pub contract_id: BillingContractId,
    /// Who asked for it.
    pub made_by: String,
    /// When.
    pub made_at: DateTime<Utc>,
    /// What it showed.
    pub items: Value,
    /// What could not be read.
    pub failures: Value,
    /// The run in which it was decided on.
    pub run_id: Option<SubscriptionRunId>,
}

fn to_domain(row: subscription_preview::Model) -> KeptPreview {
    KeptPreview {
        id: PreviewId::new(row.id),
        contract_id: BillingContractId::new(row.contract_id),
        made_by: row.made_by,
        made_at: row.made_at,
        items: row.items,
        failures: row.failures,
        run_id: row.run_id.map(SubscriptionRunId::new),
    }
}

/// Keeps a new preview.
///
/// # Errors
/// When the database refuses.
pub async fn insert(tx: &WriteTx, it: &KeptPreview) -> Result<(), StoreError> {
    let row = subscription_preview::ActiveModel {
        id: Set(it.id.as_uuid()),
        contract_id: Set(it.contract_id.as_uuid()),
        made_by: Set(it.made_by.clone()),
        made_at: Set(it.made_at),
        items: Set(it.items.clone()),
        failures: Set(it.failures.clone()),
        run_id: Set(None),
    };
    Entity::insert(row).exec_without_returning(&**tx).await?;
    Ok(())
}

/// One preview.
///
/// # Errors
/// When the database refuses.
pub async fn find(
    connection: &impl ConnectionTrait,
    id: PreviewId,
) -> Result<Option<KeptPreview>, StoreError> {
    let row = Entity::find_by_id(id.as_uuid()).one(connection).await?;
    Ok(row.map(to_domain))
}

/// One preview, on which nobody else can decide until this transaction ends.
///
/// # Errors
/// When the database refuses.
pub async fn lock(tx: &WriteTx, id: PreviewId) -> Result<Option<KeptPreview>, StoreError> {
    let row = Entity::find_by_id(id.as_uuid())
        .lock(LockType::Update)
        .one(&**tx)
        .await?;
    Ok(row.map(to_domain))
}

/// Notes the run in which it was decided on.
///
/// # Errors
/// When the database refuses.
pub async fn decide(tx: &WriteTx, id: PreviewId, run: SubscriptionRunId) -> Result<(), StoreError> {
    Entity::update_many()
        .col_expr(Column::RunId, Expr::value(Some(run.as_uuid())))
        .filter(Column::Id.eq(id.as_uuid()))
        .exec(&**tx)
        .await?;
    Ok(())
}
