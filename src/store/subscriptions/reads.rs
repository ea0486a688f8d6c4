//! When the subscriptions of each customer were last read, and how that ended (D7).

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use crate::domain::ids::ProviderAccountId;
use crate::store::entities::subscription_read::{self, Column, Entity};
use crate::store::{StoreError, WriteTx, bulk};

/// The last reading of one customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The customer.
    pub provider_account_id: ProviderAccountId,
    /// When the provider was asked.
    pub asked_at: DateTime<Utc>,
    /// When it last gave the whole answer, and it was compared.
    pub whole_at: Option<DateTime<Utc>>,
    /// Why the last one failed, in the provider's words.
    pub error: Option<String>,
    /// For the provider's support.
    pub correlation_id: Option<String>,
}

/// The last readings of these customers; none for one that was never read.
///
/// # Errors
/// When the database refuses.
pub async fn of(
    connection: &impl ConnectionTrait,
    ids: &[ProviderAccountId],
) -> Result<HashMap<ProviderAccountId, Reading>, StoreError> {
    let mut found = HashMap::with_capacity(ids.len());
    for chunk in ids.chunks(bulk::IDS_AT_ONCE) {
        let ids: Vec<Uuid> = chunk.iter().map(|id| id.as_uuid()).collect();
        let rows = Entity::find()
            .filter(Column::ProviderAccountId.is_in(ids))
            .all(connection)
            .await?;
        found.extend(rows.into_iter().map(|row| {
            let id = ProviderAccountId::new(row.provider_account_id);
            let reading = Reading {
                provider_account_id: id,
                asked_at: row.asked_at,
                whole_at: row.whole_at,
                error: row.error,
                correlation_id: row.correlation_id,
            };
            (id, reading)
        }));
    }
    Ok(found)
}

/// Keeps readings in place of older ones.
///
/// # Errors
/// When the database refuses.
pub async fn keep(tx: &WriteTx, readings: Vec<Reading>) -> Result<(), StoreError> {
    let replace = OnConflict::column(Column::ProviderAccountId)
        .update_columns([
            Column::AskedAt,
            Column::WholeAt,
            Column::Error,
            Column::CorrelationId,
        ])
        .to_owned();
    let rows = readings
        .into_iter()
        .map(|reading| subscription_read::Model {
            provider_account_id: reading.provider_account_id.as_uuid(),
            asked_at: reading.asked_at,
            whole_at: reading.whole_at,
            error: reading.error,
            correlation_id: reading.correlation_id,
        });
    bulk::insert_or(tx, rows, replace).await.map(drop)
}
