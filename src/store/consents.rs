//! Consents of providers, and the lease under which one instance refreshes while the others wait.

use std::time::Duration;

use chrono::TimeDelta;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter,
};
use uuid::Uuid;

use super::entities::consent::{ActiveModel, Column, Entity, Model};
use super::error::StoreError;
use super::{Signal, Store, WriteTx};
use crate::domain::consent::{Consent, ConsentFailure, Given, MultiFactor, PendingTenant, Trouble};
use crate::domain::context::Context;
use crate::domain::ids::ProviderId;

/// The consent of a provider; an empty one when nothing was ever given.
///
/// # Errors
/// When the database refuses, or the row is impossible.
pub async fn find(
    connection: &impl ConnectionTrait,
    provider: ProviderId,
) -> Result<Consent, StoreError> {
    let row = Entity::find_by_id(provider.as_uuid())
        .one(connection)
        .await?;
    row.map_or_else(|| Ok(Consent::none(provider)), to_domain)
}

/// Every consent.
///
/// # Errors
/// When the database refuses, or a row is impossible.
pub async fn list(connection: &impl ConnectionTrait) -> Result<Vec<Consent>, StoreError> {
    let rows = Entity::find().all(connection).await?;
    rows.into_iter().map(to_domain).collect()
}

fn to_domain(row: Model) -> Result<Consent, StoreError> {
    let impossible = |column, value: &str| {
        StoreError::impossible("consent", column, row.provider_id, value.to_owned())
    };
    let multi_factor = match row.multi_factor.as_str() {
        "verified" => MultiFactor::Verified,
        "unverified" => MultiFactor::Unverified,
        other => return Err(impossible("multi_factor", other)),
    };
    let failure = match (&row.failure_trouble, row.failure_text, row.failure_at) {
        (Some(trouble), Some(text), Some(at)) => Some(ConsentFailure {
            trouble: Trouble::from_name(trouble)
                .ok_or_else(|| impossible("failure_trouble", trouble))?,
            text,
            at,
        }),
        _ => None,
    };
    let given = |at: Option<_>, by: Option<_>| at.zip(by).map(|(at, by)| Given { at, by });
    Ok(Consent {
        provider_id: ProviderId::new(row.provider_id),
        tenant_id: row.tenant_id,
        admin: given(row.admin_at, row.admin_by),
        user: given(row.user_at, row.user_by),
        multi_factor,
        refreshed_at: row.refreshed_at,
        version: row.version,
        pending: row
            .pending_tenant_id
            .zip(row.pending_by)
            .map(|(tenant_id, by)| PendingTenant { tenant_id, by }),
        failure,
    })
}

/// Replaces a consent if it is still at `expected_version`; says whether it was. The lease is not touched.
///
/// # Errors
/// When the database refuses.
pub async fn keep(
    tx: &WriteTx,
    consent: &Consent,
    expected_version: i64,
) -> Result<bool, StoreError> {
    touch(tx, consent.provider_id).await?;
    let updated = Entity::update_many()
        .set(to_row(consent))
        .filter(Column::ProviderId.eq(consent.provider_id.as_uuid()))
        .filter(Column::Version.eq(expected_version))
        .exec(&**tx)
        .await?;
    tx.signal(Signal::ProvidersChanged);
    Ok(updated.rows_affected == 1)
}

/// Makes sure that there is a row.
async fn touch(tx: &WriteTx, provider: ProviderId) -> Result<(), StoreError> {
    let nothing = OnConflict::column(Column::ProviderId)
        .do_nothing()
        .to_owned();
    Entity::insert(to_row(&Consent::none(provider)))
        .on_conflict(nothing)
        .exec_without_returning(&**tx)
        .await?;
    Ok(())
}

fn to_row(consent: &Consent) -> ActiveModel {
    let (admin_at, admin_by) = parts(consent.admin.as_ref());
    let (user_at, user_by) = parts(consent.user.as_ref());
    let failure = consent.failure.as_ref();
    let pending = consent.pending.as_ref();
    ActiveModel {
        provider_id: Set(consent.provider_id.as_uuid()),
        tenant_id: Set(consent.tenant_id),
        admin_at: Set(admin_at),
        admin_by: Set(admin_by),
        user_at: Set(user_at),
        user_by: Set(user_by),
        multi_factor: Set(consent.multi_factor.name().to_owned()),
        refreshed_at: Set(consent.refreshed_at),
        version: Set(consent.version),
        pending_tenant_id: Set(pending.map(|pending| pending.tenant_id)),
        pending_by: Set(pending.map(|pending| pending.by.clone())),
        failure_trouble: Set(failure.map(|failure| failure.trouble.name().to_owned())),
        failure_text: Set(failure.map(|failure| failure.text.clone())),
        failure_at: Set(failure.map(|failure| failure.at)),
        lease_holder: sea_orm::ActiveValue::NotSet,
        lease_until: sea_orm::ActiveValue::NotSet,
    }
}

fn parts(given: Option<&Given>) -> (Option<chrono::DateTime<chrono::Utc>>, Option<String>) {
    (
        given.map(|given| given.at),
        given.map(|given| given.by.clone()),
    )
}

/// Takes the right to refresh when nobody has it; says whether it did.
///
/// # Errors
/// When the database refuses.
pub async fn lease(
    store: &Store,
    context: &Context,
    provider: ProviderId,
    holder: Uuid,
    duration: Duration,
) -> Result<bool, StoreError> {
    let now = context.now();
    let until = now + TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX);
    let tx = store.begin().await?;
    touch(&tx, provider).await?;
    let free = Condition::any()
        .add(Column::LeaseUntil.is_null())
        .add(Column::LeaseUntil.lte(now))
        .add(Column::LeaseHolder.eq(holder));
    let updated = Entity::update_many()
        .col_expr(Column::LeaseHolder, Expr::value(holder))
        .col_expr(Column::LeaseUntil, Expr::value(until))
        .filter(Column::ProviderId.eq(provider.as_uuid()))
        .filter(free)
        .exec(&*tx)
        .await?;
    tx.commit().await?;
    Ok(updated.rows_affected == 1)
}

/// Gives the right to refresh back.
///
/// # Errors
/// When the database refuses.
pub async fn release(store: &Store, provider: ProviderId, holder: Uuid) -> Result<(), StoreError> {
    let tx = store.begin().await?;
    Entity::update_many()
        .col_expr(
            Column::LeaseUntil,
            Expr::value(Option::<chrono::DateTime<chrono::Utc>>::None),
        )
        .filter(Column::ProviderId.eq(provider.as_uuid()))
        .filter(Column::LeaseHolder.eq(holder))
        .exec(&*tx)
        .await?;
    tx.commit().await
}
