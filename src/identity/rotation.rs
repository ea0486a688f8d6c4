//! Sealing everything anew under the current key of the ring, while the service runs: each secret is replaced only if it is
//! still the one that was read, so whoever changes it meanwhile wins, and seals with the current key anyway.

use std::sync::Arc;

use secrecy::ExposeSecret;

use crate::domain::caller::{Caller, Permission};
use crate::domain::context::Context;
use crate::domain::ports::sealer::Sealer;
use crate::store::audit::{self, Entry};
use crate::store::sealed_rows;
use crate::store::{Store, StoreError};

use super::error::AccessError;

/// What a rotation did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rotated {
    /// Sealed anew.
    pub resealed: usize,
    /// Could not be opened: their key is not in the ring, or they are damaged. They stay as they are.
    pub unopened: usize,
    /// Changed by somebody else in the meantime.
    pub changed: usize,
}

/// Seals every secret anew that is not under `current_key`.
///
/// # Errors
/// When the caller may not, or the database refuses; what was done stays done.
pub async fn rotate(
    store: &Store,
    context: &Context,
    sealer: &Arc<dyn Sealer>,
    caller: &Caller,
    current_key: &str,
) -> Result<Rotated, AccessError> {
    caller.require(Permission::ManageKeys)?;
    let mut rotated = Rotated::default();
    for old in sealed_rows::not_under(store.reader(), current_key).await? {
        let Ok(secret) = sealer.open(old.row, &old.sealed) else {
            tracing::warn!(row = %old.row, place = ?old.place, key = old.sealed.key_id, "a secret could not be opened");
            rotated.unopened += 1;
            continue;
        };
        let new = sealer.seal(old.row, secret.expose_secret());
        let tx = store.begin().await?;
        if sealed_rows::replace(&tx, &old, new).await? {
            tx.commit().await?;
            rotated.resealed += 1;
        } else {
            rotated.changed += 1;
        }
    }
    note(store, context, caller, current_key, rotated).await?;
    Ok(rotated)
}

async fn note(
    store: &Store,
    context: &Context,
    caller: &Caller,
    current_key: &str,
    rotated: Rotated,
) -> Result<(), StoreError> {
    let entry = Entry {
        action: "keys.rotate",
        subject: format!("key/{current_key}"),
        after: Some(serde_json::json!({
            "resealed": rotated.resealed,
            "unopened": rotated.unopened,
        })),
        ..Entry::default()
    };
    let tx = store.begin().await?;
    audit::record(&tx, context, caller, entry).await?;
    tx.commit().await
}
