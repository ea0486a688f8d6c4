//! The history of mappings: append-only, written with each change.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::Change;
use crate::domain::caller::Caller;
use crate::domain::context::Context;
use crate::domain::ids::{AccountId, ProviderAccountId};
use crate::domain::mapping::{MappedBy, Mapping, MappingState, MatchEvidence};
use crate::store::entities::mapping_history;
use crate::store::{StoreError, WriteTx, bulk};

pub(super) async fn insert(
    tx: &WriteTx,
    context: &Context,
    by: &Caller,
    changes: &[Change],
) -> Result<(), StoreError> {
    let rows = changes.iter().map(|change| row(context, by, change));
    bulk::insert(tx, rows).await
}

fn row(context: &Context, by: &Caller, change: &Change) -> mapping_history::ActiveModel {
    let (name, mapped_by) = match &change.to {
        Mapping::Mapped {
            account_name, by, ..
        } => (Some(account_name.clone()), Some(by.name().to_owned())),
        Mapping::Unmapped { .. } | Mapping::Excluded { .. } => (None, None),
    };
    mapping_history::ActiveModel {
        id: Set(context.new_uuid()),
        provider_account_id: Set(change.of.id.as_uuid()),
        changed_at: Set(change.to.changed_at()),
        from_state: Set(change.of.mapping.state().name().to_owned()),
        from_account_id: Set(change.of.mapping.account_id().map(AccountId::as_uuid)),
        to_state: Set(change.to.state().name().to_owned()),
        to_account_id: Set(change.to.account_id().map(AccountId::as_uuid)),
        to_account_name: Set(name),
        mapped_by: Set(mapped_by),
        actor: Set(by.actor.name.clone()),
        reason: Set(change.reason.clone()),
        evidence: Set(change.evidence.as_ref().map(|it| serde_json::json!(it))),
    }
}

/// One change of a mapping that was made.
#[derive(Debug, Clone, PartialEq)]
pub struct PastChange {
    /// When.
    pub at: DateTime<Utc>,
    /// State before.
    pub from: MappingState,
    /// Account before, when it was mapped.
    pub from_account: Option<AccountId>,
    /// State after.
    pub to: MappingState,
    /// Account after, when it became mapped.
    pub to_account: Option<AccountId>,
    /// Name of that Account then.
    pub to_account_name: Option<String>,
    /// Whether a person or auto-match made the mapping.
    pub mapped_by: Option<MappedBy>,
    /// Who changed it, for people to read.
    pub actor: String,
    /// Why.
    pub reason: Option<String>,
    /// What an automatic mapping rests on.
    pub evidence: Option<MatchEvidence>,
}

/// The changes of one mapping, the latest first.
///
/// # Errors
/// When the database refuses.
pub async fn history(
    connection: &impl ConnectionTrait,
    id: ProviderAccountId,
) -> Result<Vec<PastChange>, StoreError> {
    use mapping_history::Column;
    let rows = mapping_history::Entity::find()
        .filter(Column::ProviderAccountId.eq(id.as_uuid()))
        .order_by_desc(Column::ChangedAt)
        .order_by_desc(Column::Id)
        .all(connection)
        .await?;
    rows.into_iter().map(past_change).collect()
}

/// What the latest automatic mapping of a Provider Account to an Account rests on.
///
/// # Errors
/// When the database refuses.
pub async fn evidence(
    connection: &impl ConnectionTrait,
    id: ProviderAccountId,
    account: AccountId,
) -> Result<Option<MatchEvidence>, StoreError> {
    use mapping_history::Column;
    let row = mapping_history::Entity::find()
        .filter(Column::ProviderAccountId.eq(id.as_uuid()))
        .filter(Column::ToAccountId.eq(account.as_uuid()))
        .order_by_desc(Column::ChangedAt)
        .order_by_desc(Column::Id)
        .one(connection)
        .await?;
    let kept = row.and_then(|row| row.evidence);
    Ok(kept.and_then(|it| serde_json::from_value(it).ok()))
}

fn past_change(row: mapping_history::Model) -> Result<PastChange, StoreError> {
    let state = |column, name: &str| {
        MappingState::from_name(name)
            .ok_or_else(|| StoreError::impossible("mapping_history", column, row.id, name))
    };
    Ok(PastChange {
        at: row.changed_at,
        from: state("from_state", &row.from_state)?,
        from_account: row.from_account_id.map(AccountId::new),
        to: state("to_state", &row.to_state)?,
        to_account: row.to_account_id.map(AccountId::new),
        to_account_name: row.to_account_name,
        mapped_by: row.mapped_by.as_deref().and_then(MappedBy::from_name),
        actor: row.actor,
        reason: row.reason,
        evidence: row.evidence.and_then(|it| serde_json::from_value(it).ok()),
    })
}

/// Pairs of a Provider Account and an Account it was once mapped to and is no more: somebody took that mapping away.
///
/// # Errors
/// When the database refuses.
pub async fn taken_away(
    connection: &impl ConnectionTrait,
    ids: &[ProviderAccountId],
) -> Result<HashSet<(ProviderAccountId, AccountId)>, StoreError> {
    use mapping_history::Column;
    let rows: Vec<(uuid::Uuid, uuid::Uuid)> = mapping_history::Entity::find()
        .select_only()
        .columns([Column::ProviderAccountId, Column::FromAccountId])
        .filter(Column::ProviderAccountId.is_in(ids.iter().map(|id| id.as_uuid())))
        .filter(Column::FromAccountId.is_not_null())
        .into_tuple()
        .all(connection)
        .await?;
    let pairs = rows
        .into_iter()
        .map(|(id, account)| (ProviderAccountId::new(id), AccountId::new(account)));
    Ok(pairs.collect())
}
