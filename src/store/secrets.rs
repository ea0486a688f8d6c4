//! Sealed secrets by purpose and subject. The store never sees one in clear.

use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};
use uuid::Uuid;

use super::WriteTx;
use super::entities::secret;
use super::error::StoreError;
use crate::domain::context::Context;
use crate::domain::ports::sealer::Sealed;

/// The client secret of a provider; its subject is the provider's id.
pub const PROVIDER_CLIENT_SECRET: &str = "provider-client-secret";

/// The refresh token of the user who consented for a provider.
pub const PROVIDER_REFRESH_TOKEN: &str = "provider-refresh-token";

/// The refresh token of a sign-in whose tenant nobody confirmed yet.
pub const PENDING_REFRESH_TOKEN: &str = "provider-refresh-token-pending";

/// The access token that the last refresh gave, for all instances.
pub const PROVIDER_ACCESS_TOKEN: &str = "provider-access-token";

/// Forgets a secret; one that is not there is fine.
///
/// # Errors
/// When the database refuses.
pub async fn forget(tx: &WriteTx, purpose: &str, subject: Uuid) -> Result<(), StoreError> {
    secret::Entity::delete_by_id((purpose.to_owned(), subject))
        .exec(&**tx)
        .await?;
    Ok(())
}

/// Keeps a sealed secret, in place of an older one. `bound_host` is the only host it may be sent to.
///
/// # Errors
/// When the database refuses.
pub async fn keep(
    tx: &WriteTx,
    context: &Context,
    purpose: &str,
    subject: Uuid,
    sealed: Sealed,
    bound_host: Option<String>,
) -> Result<(), StoreError> {
    use secret::Column;
    let row = secret::ActiveModel {
        purpose: Set(purpose.to_owned()),
        subject: Set(subject),
        key_id: Set(sealed.key_id),
        sealed: Set(sealed.bytes),
        bound_host: Set(bound_host),
        updated_at: Set(context.now()),
    };
    let replace = OnConflict::columns([Column::Purpose, Column::Subject])
        .update_columns([
            Column::KeyId,
            Column::Sealed,
            Column::BoundHost,
            Column::UpdatedAt,
        ])
        .to_owned();
    secret::Entity::insert(row)
        .on_conflict(replace)
        .exec_without_returning(&**tx)
        .await?;
    Ok(())
}

/// A sealed secret and the host it is bound to.
///
/// # Errors
/// When the database refuses.
pub async fn find(
    connection: &impl ConnectionTrait,
    purpose: &str,
    subject: Uuid,
) -> Result<Option<(Sealed, Option<String>)>, StoreError> {
    let row = secret::Entity::find_by_id((purpose.to_owned(), subject))
        .one(connection)
        .await?;
    Ok(row.map(|row| {
        (
            Sealed {
                key_id: row.key_id,
                bytes: row.sealed,
            },
            row.bound_host,
        )
    }))
}
