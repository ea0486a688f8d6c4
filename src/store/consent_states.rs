//! One-time states of sign-ins under way, by the hash of the secret that travels through the browser.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::WriteTx;
use super::entities::consent_state::{ActiveModel, Column, Entity, Model};
use super::error::StoreError;
use crate::domain::ids::ProviderId;
use crate::domain::ports::sealer::Sealed;

/// Which step of a consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Admin Consent.
    Admin,
    /// User Consent.
    User,
}

impl Step {
    const fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::User => "user",
        }
    }
}

/// A sign-in under way: everything the callback is checked against.
#[derive(Debug, Clone)]
pub struct ConsentState {
    /// The verifier is sealed for this row.
    pub id: Uuid,
    /// Which step.
    pub step: Step,
    /// For which provider.
    pub provider_id: ProviderId,
    /// Of whose browser.
    pub session_id: Uuid,
    /// Where it was begun; the code is redeemed there.
    pub authority: String,
    /// The tenant in the path.
    pub tenant: String,
    /// Where the browser was to come back to.
    pub redirect_uri: String,
    /// What the `id_token` must repeat.
    pub nonce: String,
    /// The PKCE verifier.
    pub verifier: Sealed,
    /// Not to be used from then on.
    pub expires_at: DateTime<Utc>,
}

/// What came of using a state.
#[derive(Debug, Clone)]
pub enum Used {
    /// It was good, and is used up now.
    Good(Box<ConsentState>),
    /// Nobody knows it.
    Unknown,
    /// Another browser's, or of the other step.
    Foreign,
    /// Used before.
    Replayed(ProviderId),
    /// Too late.
    Expired(ProviderId),
}

/// Adds a state.
///
/// # Errors
/// When the database refuses.
pub async fn insert(
    tx: &WriteTx,
    state: &ConsentState,
    secret_hash: &[u8],
) -> Result<(), StoreError> {
    let row = ActiveModel {
        secret_hash: Set(secret_hash.to_vec()),
        id: Set(state.id),
        step: Set(state.step.name().to_owned()),
        provider_id: Set(state.provider_id.as_uuid()),
        session_id: Set(state.session_id),
        authority: Set(state.authority.clone()),
        tenant: Set(state.tenant.clone()),
        redirect_uri: Set(state.redirect_uri.clone()),
        nonce: Set(state.nonce.clone()),
        key_id: Set(state.verifier.key_id.clone()),
        sealed_verifier: Set(state.verifier.bytes.clone()),
        expires_at: Set(state.expires_at),
        used_at: Set(None),
    };
    Entity::insert(row).exec_without_returning(&**tx).await?;
    Ok(())
}

/// Uses up a state: of two who try at once, one gets it. A foreign browser cannot use it up.
///
/// # Errors
/// When the database refuses.
pub async fn take(
    tx: &WriteTx,
    secret_hash: &[u8],
    session_id: Uuid,
    step: Step,
    now: DateTime<Utc>,
) -> Result<Used, StoreError> {
    let updated = Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(now))
        .filter(Column::SecretHash.eq(secret_hash.to_vec()))
        .filter(Column::SessionId.eq(session_id))
        .filter(Column::Step.eq(step.name()))
        .filter(Column::UsedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .exec(&**tx)
        .await?;
    let Some(row) = Entity::find_by_id(secret_hash.to_vec()).one(&**tx).await? else {
        return Ok(Used::Unknown);
    };
    let provider = ProviderId::new(row.provider_id);
    Ok(if updated.rows_affected == 1 {
        Used::Good(Box::new(to_domain(row, step)))
    } else if row.session_id != session_id || row.step != step.name() {
        Used::Foreign
    } else if row.used_at.is_some() {
        Used::Replayed(provider)
    } else {
        Used::Expired(provider)
    })
}

fn to_domain(row: Model, step: Step) -> ConsentState {
    ConsentState {
        id: row.id,
        step,
        provider_id: ProviderId::new(row.provider_id),
        session_id: row.session_id,
        authority: row.authority,
        tenant: row.tenant,
        redirect_uri: row.redirect_uri,
        nonce: row.nonce,
        verifier: Sealed {
            key_id: row.key_id,
            bytes: row.sealed_verifier,
        },
        expires_at: row.expires_at,
    }
}
