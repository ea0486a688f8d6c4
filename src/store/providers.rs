//! Providers (A1).

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::entities::provider;
use super::error::StoreError;
use super::{Signal, WriteTx};
use crate::domain::context::Context;
use crate::domain::fold::fold;
use crate::domain::ids::ProviderId;
use crate::domain::provider::{Provider, ProviderKind};

fn to_domain(row: provider::Model) -> Result<Provider, StoreError> {
    let kind = ProviderKind::from_name(&row.kind)
        .ok_or_else(|| StoreError::impossible("provider", "kind", row.id, &row.kind))?;
    Ok(Provider {
        id: ProviderId::new(row.id),
        kind,
        name: row.name,
        enabled: row.enabled,
        partner_tenant: row.partner_tenant,
        client_id: row.client_id,
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    })
}

fn to_row(provider: &Provider) -> provider::ActiveModel {
    provider::ActiveModel {
        id: Set(provider.id.as_uuid()),
        kind: Set(provider.kind.name().to_owned()),
        name: Set(provider.name.clone()),
        name_folded: Set(fold(&provider.name)),
        enabled: Set(provider.enabled),
        partner_tenant: Set(provider.partner_tenant.clone()),
        client_id: Set(provider.client_id.clone()),
        first_import_at: sea_orm::ActiveValue::NotSet,
        first_subscriptions_at: sea_orm::ActiveValue::NotSet,
        created_at: Set(provider.created_at),
        updated_at: Set(provider.updated_at),
        version: Set(provider.version),
    }
}

/// All providers, by name.
///
/// # Errors
/// When the database refuses.
pub async fn list(connection: &impl ConnectionTrait) -> Result<Vec<Provider>, StoreError> {
    let rows = provider::Entity::find()
        .order_by_asc(provider::Column::NameFolded)
        .all(connection)
        .await?;
    rows.into_iter().map(to_domain).collect()
}

/// One provider.
///
/// # Errors
/// When the database refuses.
pub async fn find(
    connection: &impl ConnectionTrait,
    id: ProviderId,
) -> Result<Option<Provider>, StoreError> {
    provider::Entity::find_by_id(id.as_uuid())
        .one(connection)
        .await?
        .map(to_domain)
        .transpose()
}

/// Adds a provider. Its name is unique without regard to case and accents.
///
/// # Errors
/// A unique violation when the name is taken.
pub async fn insert(tx: &WriteTx, provider: &Provider) -> Result<(), StoreError> {
    provider::Entity::insert(to_row(provider))
        .exec_without_returning(&**tx)
        .await?;
    tx.signal(Signal::ProvidersChanged);
    Ok(())
}

/// Replaces a provider if it is still at `expected_version`. Says whether it was.
///
/// # Errors
/// A unique violation when the new name is taken.
pub async fn update(
    tx: &WriteTx,
    provider: &Provider,
    expected_version: i64,
) -> Result<bool, StoreError> {
    let updated = provider::Entity::update_many()
        .set(to_row(provider))
        .filter(provider::Column::Id.eq(provider.id.as_uuid()))
        .filter(provider::Column::Version.eq(expected_version))
        .exec(&**tx)
        .await?;
    tx.signal(Signal::ProvidersChanged);
    Ok(updated.rows_affected == 1)
}

/// Whether a complete listing of this provider was ever read.
///
/// # Errors
/// When the database refuses.
pub async fn imported(
    connection: &impl ConnectionTrait,
    id: ProviderId,
) -> Result<bool, StoreError> {
    let row = provider::Entity::find_by_id(id.as_uuid())
        .one(connection)
        .await?;
    Ok(row.is_some_and(|row| row.first_import_at.is_some()))
}

/// Remembers that the first complete listing was read. Says whether it was the first.
///
/// # Errors
/// When the database refuses.
pub async fn mark_imported(
    tx: &WriteTx,
    context: &Context,
    id: ProviderId,
) -> Result<bool, StoreError> {
    let Some(row) = provider::Entity::find_by_id(id.as_uuid())
        .one(&**tx)
        .await?
    else {
        return Ok(false);
    };
    if row.first_import_at.is_some() {
        return Ok(false);
    }
    let mut row = row.into_active_model();
    row.first_import_at = Set(Some(context.now()));
    provider::Entity::update(row).exec(&**tx).await?;
    Ok(true)
}

/// The providers whose subscriptions were never read to the end: what comes up about them belongs to a first import.
///
/// # Errors
/// When the database refuses.
pub async fn importing_subscriptions(
    connection: &impl ConnectionTrait,
) -> Result<Vec<ProviderId>, StoreError> {
    let ids: Vec<Uuid> = provider::Entity::find()
        .select_only()
        .column(provider::Column::Id)
        .filter(provider::Column::FirstSubscriptionsAt.is_null())
        .into_tuple()
        .all(connection)
        .await?;
    Ok(ids.into_iter().map(ProviderId::new).collect())
}

/// Remembers that the subscriptions of all customers were read. Says whether it was the first time.
///
/// # Errors
/// When the database refuses.
pub async fn mark_subscriptions_imported(
    tx: &WriteTx,
    context: &Context,
    id: ProviderId,
) -> Result<bool, StoreError> {
    let first = provider::Entity::update_many()
        .col_expr(
            provider::Column::FirstSubscriptionsAt,
            Expr::value(context.now()),
        )
        .filter(provider::Column::Id.eq(id.as_uuid()))
        .filter(provider::Column::FirstSubscriptionsAt.is_null())
        .exec(&**tx)
        .await?;
    Ok(first.rows_affected == 1)
}
