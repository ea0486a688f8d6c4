//! Every secret that is kept sealed for long, wherever it lies, so that all of them can be sealed anew under another key. The
//! states of sign-ins under way are left out: they live for minutes.

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::WriteTx;
use super::entities::{secret, trigger_subscription};
use super::error::StoreError;
use crate::domain::ports::sealer::Sealed;

/// Where a sealed secret lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A secret, by its purpose.
    Secret(String),
    /// The callback URL of a trigger subscription.
    CallbackUrl,
    /// The signing secret of a trigger subscription.
    SigningSecret,
}

/// A sealed secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedRow {
    /// Where it lies.
    pub place: Place,
    /// The row it is sealed for.
    pub row: Uuid,
    /// As it is now.
    pub sealed: Sealed,
}

/// Every secret that is sealed with another key than `key_id`.
///
/// # Errors
/// When the database refuses.
pub async fn not_under(
    connection: &impl ConnectionTrait,
    key_id: &str,
) -> Result<Vec<SealedRow>, StoreError> {
    let secrets = secret::Entity::find()
        .filter(secret::Column::KeyId.ne(key_id))
        .all(connection)
        .await?;
    let of_secrets = secrets.into_iter().map(|row| SealedRow {
        place: Place::Secret(row.purpose),
        row: row.subject,
        sealed: Sealed {
            key_id: row.key_id,
            bytes: row.sealed,
        },
    });
    let mut found: Vec<_> = of_secrets.collect();
    let other = Condition::any()
        .add(trigger_subscription::Column::CallbackKeyId.ne(key_id))
        .add(trigger_subscription::Column::SigningKeyId.ne(key_id));
    let triggers = trigger_subscription::Entity::find()
        .filter(other)
        .all(connection)
        .await?;
    for row in triggers {
        let parts = [
            (Place::CallbackUrl, row.callback_key_id, row.callback_sealed),
            (Place::SigningSecret, row.signing_key_id, row.signing_sealed),
        ];
        for (place, id, bytes) in parts {
            if id != key_id {
                let sealed = Sealed { key_id: id, bytes };
                found.push(SealedRow {
                    place,
                    row: row.id,
                    sealed,
                });
            }
        }
    }
    Ok(found)
}

/// Puts `new` in the place of what was read, unless somebody else has changed it since; says whether it did.
///
/// # Errors
/// When the database refuses.
pub async fn replace(tx: &WriteTx, old: &SealedRow, new: Sealed) -> Result<bool, StoreError> {
    use trigger_subscription::Column as Trigger;
    let before = old.sealed.bytes.clone();
    let updated = match &old.place {
        Place::Secret(purpose) => {
            secret::Entity::update_many()
                .col_expr(secret::Column::KeyId, Expr::value(new.key_id))
                .col_expr(secret::Column::Sealed, Expr::value(new.bytes))
                .filter(secret::Column::Purpose.eq(purpose))
                .filter(secret::Column::Subject.eq(old.row))
                .filter(secret::Column::Sealed.eq(before))
                .exec(&**tx)
                .await?
        }
        Place::CallbackUrl => {
            trigger_subscription::Entity::update_many()
                .col_expr(Trigger::CallbackKeyId, Expr::value(new.key_id))
                .col_expr(Trigger::CallbackSealed, Expr::value(new.bytes))
                .filter(Trigger::Id.eq(old.row))
                .filter(Trigger::CallbackSealed.eq(before))
                .exec(&**tx)
                .await?
        }
        Place::SigningSecret => {
            trigger_subscription::Entity::update_many()
                .col_expr(Trigger::SigningKeyId, Expr::value(new.key_id))
                .col_expr(Trigger::SigningSealed, Expr::value(new.bytes))
                .filter(Trigger::Id.eq(old.row))
                .filter(Trigger::SigningSealed.eq(before))
                .exec(&**tx)
                .await?
        }
    };
    Ok(updated.rows_affected == 1)
}
