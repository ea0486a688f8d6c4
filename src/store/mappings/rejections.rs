//! Suggestions that a person rejected, with what they rested on then (B7).

use std::collections::HashMap;

use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use sha2::{Digest, Sha256};

use crate::domain::caller::Caller;
use crate::domain::context::Context;
use crate::domain::ids::{AccountId, ProviderAccountId};
use crate::domain::mapping::Reason;
use crate::store::entities::suggestion_rejection::{ActiveModel, Column, Entity};
use crate::store::{StoreError, WriteTx, bulk};

/// Stands for what speaks for a candidate. Weights drift while the CRM grows and do not count, nor does what speaks
/// against it.
#[must_use]
pub fn evidence_digest(reasons: &[Reason]) -> String {
    let weighed = reasons.iter().any(|reason| reason.weight.is_some());
    let mut texts: Vec<&str> = reasons
        .iter()
        .filter(|reason| !weighed || reason.weight.is_some_and(|weight| weight > 0.0))
        .map(|reason| reason.text.as_str())
        .collect();
    texts.sort_unstable();
    let digest: [u8; 32] = Sha256::digest(texts.join("\n").as_bytes()).into();
    let (half, _) = digest.split_at(16);
    uuid::Uuid::from_slice(half).unwrap_or_default().to_string()
}

/// Remembers a rejection; a later one takes the place of an earlier one.
///
/// # Errors
/// When the database refuses.
pub async fn keep(
    tx: &WriteTx,
    context: &Context,
    by: &Caller,
    of: (ProviderAccountId, AccountId),
    evidence: String,
    reason: Option<String>,
) -> Result<(), StoreError> {
    let row = ActiveModel {
        provider_account_id: Set(of.0.as_uuid()),
        account_id: Set(of.1.as_uuid()),
        evidence: Set(evidence),
        rejected_at: Set(context.now()),
        rejected_by: Set(by.actor.name.clone()),
        reason: Set(reason),
    };
    let replace = OnConflict::columns([Column::ProviderAccountId, Column::AccountId])
        .update_columns([
            Column::Evidence,
            Column::RejectedAt,
            Column::RejectedBy,
            Column::Reason,
        ])
        .to_owned();
    Entity::insert(row)
        .on_conflict(replace)
        .exec_without_returning(&**tx)
        .await?;
    Ok(())
}

/// The rejections for these Provider Accounts, each with its [`evidence_digest`].
///
/// # Errors
/// When the database refuses.
pub async fn of(
    connection: &impl ConnectionTrait,
    ids: &[ProviderAccountId],
) -> Result<HashMap<(ProviderAccountId, AccountId), String>, StoreError> {
    let mut found = HashMap::new();
    for chunk in ids.chunks(bulk::IDS_AT_ONCE) {
        let rows = Entity::find()
            .filter(Column::ProviderAccountId.is_in(chunk.iter().map(|id| id.as_uuid())))
            .all(connection)
            .await?;
        found.extend(rows.into_iter().map(|row| {
            let of = (
                ProviderAccountId::new(row.provider_account_id),
                AccountId::new(row.account_id),
            );
            (of, row.evidence)
        }));
    }
    Ok(found)
}
