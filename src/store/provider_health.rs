//! How providers fare, and what people were told of it. The word to people is written with the state it tells of, once an
//! episode: the row says what was told last, and whoever changes that publishes the event in the same transaction, however
//! many instances look.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, OnConflict, SimpleExpr};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect,
};

use super::entities::provider_health::{ActiveModel, Column, Entity, Model};
use super::error::StoreError;
use super::{Signal, WriteTx, consents, outbox, providers};
use crate::domain::consent::{Consent, Trouble};
use crate::domain::context::Context;
use crate::domain::event::{LostBecause, NewEvent};
use crate::domain::ids::ProviderId;
use crate::domain::provider::Provider;
use crate::domain::provider_health::{Credential, LastError, ProviderHealth, Standing};

fn healthy(consent: Consent) -> ProviderHealth {
    ProviderHealth {
        consent,
        refresh_refused: None,
        client_secret_expires_at: None,
        last_complete_sync_at: None,
        sync_error: None,
    }
}

fn to_domain(row: Model, consent: Consent) -> Result<ProviderHealth, StoreError> {
    let id = row.provider_id;
    let impossible = |value: &str| {
        StoreError::impossible(
            "provider_health",
            "sync_error_trouble",
            id,
            value.to_owned(),
        )
    };
    let sync_error = match (
        &row.sync_error_trouble,
        row.sync_error_text,
        row.sync_error_at,
    ) {
        (Some(trouble), Some(text), Some(at)) => Some(LastError {
            trouble: Trouble::from_name(trouble).ok_or_else(|| impossible(trouble))?,
            text,
            at,
        }),
        _ => None,
    };
    Ok(ProviderHealth {
        consent,
        refresh_refused: row.refresh_refused,
        client_secret_expires_at: row.client_secret_expires_at,
        last_complete_sync_at: row.last_complete_sync_at,
        sync_error,
    })
}

/// How one provider fares.
///
/// # Errors
/// When the database refuses, or a row is impossible.
pub async fn find(
    connection: &impl ConnectionTrait,
    provider: ProviderId,
) -> Result<ProviderHealth, StoreError> {
    let consent = consents::find(connection, provider).await?;
    let row = Entity::find_by_id(provider.as_uuid())
        .one(connection)
        .await?;
    match row {
        Some(row) => to_domain(row, consent),
        None => Ok(healthy(consent)),
    }
}

/// How these providers fare.
///
/// # Errors
/// When the database refuses, or a row is impossible.
pub async fn list(
    connection: &impl ConnectionTrait,
    of: &[Provider],
) -> Result<Vec<ProviderHealth>, StoreError> {
    let mut consents: HashMap<_, _> = consents::list(connection)
        .await?
        .into_iter()
        .map(|consent| (consent.provider_id, consent))
        .collect();
    let rows = Entity::find().all(connection).await?;
    let mut rows: HashMap<_, _> = rows
        .into_iter()
        .map(|row| (ProviderId::new(row.provider_id), row))
        .collect();
    let health = of.iter().map(|provider| {
        let none = || Consent::none(provider.id);
        let consent = consents.remove(&provider.id).unwrap_or_else(none);
        match rows.remove(&provider.id) {
            Some(row) => to_domain(row, consent),
            None => Ok(healthy(consent)),
        }
    });
    health.collect()
}

/// Makes sure that there is a row, and keeps others from it until the commit.
async fn hold(tx: &WriteTx, provider: ProviderId) -> Result<Option<Model>, StoreError> {
    let good = || Set(Standing::Good.name().to_owned());
    let row = ActiveModel {
        provider_id: Set(provider.as_uuid()),
        consent_told: good(),
        secret_told: good(),
        ..ActiveModel::default()
    };
    let nothing = OnConflict::column(Column::ProviderId)
        .do_nothing()
        .to_owned();
    Entity::insert(row)
        .on_conflict(nothing)
        .exec_without_returning(&**tx)
        .await?;
    let held = Entity::find_by_id(provider.as_uuid()).lock_exclusive();
    Ok(held.one(&**tx).await?)
}

async fn change(
    tx: &WriteTx,
    provider: ProviderId,
    values: impl IntoIterator<Item = (Column, SimpleExpr)>,
) -> Result<(), StoreError> {
    hold(tx, provider).await?;
    let mut update = Entity::update_many();
    for (column, value) in values {
        update = update.col_expr(column, value);
    }
    update
        .filter(Column::ProviderId.eq(provider.as_uuid()))
        .exec(&**tx)
        .await?;
    tx.signal(Signal::ProvidersChanged);
    Ok(())
}

/// Keeps when the client secret expires; `None` when nobody said so.
///
/// # Errors
/// When the database refuses.
pub async fn keep_secret_expiry(
    tx: &WriteTx,
    provider: ProviderId,
    expires_at: Option<DateTime<Utc>>,
) -> Result<(), StoreError> {
    let value = (Column::ClientSecretExpiresAt, Expr::value(expires_at));
    change(tx, provider, [value]).await
}

/// Keeps that the provider was read to the end.
///
/// # Errors
/// When the database refuses.
pub async fn synced(
    tx: &WriteTx,
    context: &Context,
    provider: ProviderId,
) -> Result<(), StoreError> {
    let value = (Column::LastCompleteSyncAt, Expr::value(Some(context.now())));
    change(tx, provider, [value]).await
}

/// Keeps what broke a sync.
///
/// # Errors
/// When the database refuses.
pub async fn sync_failed(
    tx: &WriteTx,
    provider: ProviderId,
    error: &LastError,
) -> Result<(), StoreError> {
    let values = [
        (
            Column::SyncErrorTrouble,
            Expr::value(Some(error.trouble.name())),
        ),
        (Column::SyncErrorText, Expr::value(Some(error.text.clone()))),
        (Column::SyncErrorAt, Expr::value(Some(error.at))),
    ];
    change(tx, provider, values).await
}

/// Keeps that the refresh token in use was refused, and why; `None` when one was taken. Tells whom it concerns.
///
/// # Errors
/// When the database refuses.
pub async fn refreshed(
    tx: &WriteTx,
    context: &Context,
    provider: ProviderId,
    refused: Option<&str>,
) -> Result<(), StoreError> {
    let value = Expr::value(refused.map(str::to_owned));
    change(tx, provider, [(Column::RefreshRefused, value)]).await?;
    tell(tx, context, provider).await
}

/// Tells that somebody takes a user's consent away, while it is still there. One that was lost before was told of before.
///
/// # Errors
/// When the database refuses.
pub async fn revoking(
    tx: &WriteTx,
    context: &Context,
    provider: ProviderId,
) -> Result<(), StoreError> {
    let told = hold(tx, provider).await?.map(|row| row.consent_told);
    let is_given = consents::find(&**tx, provider).await?.user.is_some();
    if is_given
        && told.as_deref() != Some(Standing::Lost.name())
        && let Some(provider) = providers::find(&**tx, provider).await?
    {
        let (credential, why) = (Credential::UserConsent, LostBecause::Revoked);
        let detail = "the sign-in was forgotten here on somebody's word";
        let event = NewEvent::consent_lost(&provider, credential, why, detail);
        outbox::publish(tx, context, vec![event]).await?;
    }
    let good = Expr::value(Standing::Good.name());
    let none = Expr::value(Option::<String>::None);
    let values = [(Column::ConsentTold, good), (Column::RefreshRefused, none)];
    change(tx, provider, values).await
}

/// Tells of each credential of a provider that began to lapse or was lost since this was last asked; one that is good again
/// begins a new episode.
///
/// # Errors
/// When the database refuses, or a row is impossible.
pub async fn tell(tx: &WriteTx, context: &Context, provider: ProviderId) -> Result<(), StoreError> {
    // What is read now is the latest: whoever changes it waits for this row.
    let Some(row) = hold(tx, provider).await? else {
        return Ok(());
    };
    let Some(provider) = providers::find(&**tx, provider).await? else {
        return Ok(());
    };
    let health = find(&**tx, provider.id).await?;
    let now = context.now();
    for credential in Credential::ALL {
        let (column, told) = match credential {
            Credential::UserConsent => (Column::ConsentTold, &row.consent_told),
            Credential::ClientSecret => (Column::SecretTold, &row.secret_told),
        };
        let standing = health.standing(credential, now);
        if standing.name() == told {
            continue;
        }
        change(tx, provider.id, [(column, Expr::value(standing.name()))]).await?;
        if let Some(event) = event(&provider, &health, credential, standing, now) {
            outbox::publish(tx, context, vec![event]).await?;
        }
    }
    Ok(())
}

fn event(
    provider: &Provider,
    health: &ProviderHealth,
    credential: Credential,
    standing: Standing,
    now: DateTime<Utc>,
) -> Option<NewEvent> {
    let ends_at = health.ends_at(credential);
    match (standing, &health.refresh_refused) {
        (Standing::Good, _) => None,
        (Standing::Lapsing, _) => Some(NewEvent::consent_lapsing(
            provider, credential, ends_at?, now,
        )),
        (Standing::Lost, Some(refused)) if credential == Credential::UserConsent => {
            let why = LostBecause::Refused;
            Some(NewEvent::consent_lost(provider, credential, why, refused))
        }
        (Standing::Lost, _) => {
            let why = LostBecause::Lapsed;
            let detail = format!("its time was over at {}", ends_at?.format("%F %H:%M UTC"));
            Some(NewEvent::consent_lost(provider, credential, why, &detail))
        }
    }
}
