//! Microsoft tenants that are mapped: of some Accounts, or these tenants wherever they are mapped (B12).

use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::CHUNK;
use crate::domain::ids::{AccountId, ProviderAccountId, ProviderId};
use crate::store::StoreError;
use crate::store::entities::provider_account::{Column, Entity};

/// A mapped Provider Account, by its tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappedTenant {
    /// The Provider Account.
    pub provider_account_id: ProviderAccountId,
    /// Its name.
    pub name: String,
    /// Its provider.
    pub provider_id: ProviderId,
    /// Its tenant, where known.
    pub tenant_id: Option<String>,
    /// The Account it is mapped to.
    pub account_id: AccountId,
}

type Tuple = (Uuid, String, Uuid, Option<String>, Uuid);

/// What is mapped to these Accounts.
///
/// # Errors
/// When the database refuses.
pub async fn at_accounts(
    connection: &impl ConnectionTrait,
    accounts: &[AccountId],
) -> Result<Vec<MappedTenant>, StoreError> {
    let mut found = Vec::new();
    for chunk in accounts.chunks(CHUNK) {
        let these = Column::AccountId.is_in(chunk.iter().map(|id| id.as_uuid()));
        found.extend(read(connection, Condition::all().add(these)).await?);
    }
    Ok(found)
}

/// Where these tenants are mapped.
///
/// # Errors
/// When the database refuses.
pub async fn of_tenants(
    connection: &impl ConnectionTrait,
    tenants: &[&str],
) -> Result<Vec<MappedTenant>, StoreError> {
    let mut found = Vec::new();
    for chunk in tenants.chunks(CHUNK) {
        let these = Column::TenantId.is_in(chunk.iter().copied());
        let mapped = Condition::all()
            .add(these)
            .add(Column::AccountId.is_not_null());
        found.extend(read(connection, mapped).await?);
    }
    Ok(found)
}

async fn read(
    connection: &impl ConnectionTrait,
    condition: Condition,
) -> Result<Vec<MappedTenant>, StoreError> {
    let rows: Vec<Tuple> = Entity::find()
        .select_only()
        .columns([
            Column::Id,
            Column::Name,
            Column::ProviderId,
            Column::TenantId,
            Column::AccountId,
        ])
        .filter(condition)
        .into_tuple()
        .all(connection)
        .await?;
    let mapped = rows.into_iter().map(|row| MappedTenant {
        provider_account_id: ProviderAccountId::new(row.0),
        name: row.1,
        provider_id: ProviderId::new(row.2),
        tenant_id: row.3,
        account_id: AccountId::new(row.4),
    });
    Ok(mapped.collect())
}
