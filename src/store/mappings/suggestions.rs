//! Suggestions: ranked candidates for unmapped Provider Accounts, replaced as a whole by each auto-match.

use std::collections::HashMap;

use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use crate::domain::ids::{AccountId, ProviderAccountId};
use crate::domain::mapping::Suggestion;
use crate::store::entities::suggestion;
use crate::store::{Signal, StoreError, WriteTx, bulk};

/// A suggestion with the Account's name, for people to read.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedSuggestion {
    /// The candidate and what speaks for it.
    pub suggestion: Suggestion,
    /// The candidate's name when the suggestion was made.
    pub account_name: String,
}

/// How many Provider Accounts have suggestions.
///
/// # Errors
/// When the database refuses.
pub async fn count_accounts(connection: &impl ConnectionTrait) -> Result<u64, StoreError> {
    let ids: Vec<uuid::Uuid> = suggestion::Entity::find()
        .select_only()
        .column(suggestion::Column::ProviderAccountId)
        .distinct()
        .into_tuple()
        .all(connection)
        .await?;
    Ok(ids.len() as u64)
}

/// The suggestions for these Provider Accounts, the best first; those without any are left out.
///
/// # Errors
/// When the database refuses, or a row cannot be read.
pub async fn of(
    connection: &impl ConnectionTrait,
    ids: &[ProviderAccountId],
) -> Result<HashMap<ProviderAccountId, Vec<NamedSuggestion>>, StoreError> {
    use suggestion::Column;
    let mut found: HashMap<ProviderAccountId, Vec<NamedSuggestion>> = HashMap::new();
    for chunk in ids.chunks(bulk::IDS_AT_ONCE) {
        let rows = suggestion::Entity::find()
            .filter(Column::ProviderAccountId.is_in(chunk.iter().map(|id| id.as_uuid())))
            .order_by_asc(Column::ProviderAccountId)
            .order_by_asc(Column::Rank)
            .all(connection)
            .await?;
        for row in rows {
            let id = ProviderAccountId::new(row.provider_account_id);
            found.entry(id).or_default().push(to_domain(row)?);
        }
    }
    Ok(found)
}

fn to_domain(row: suggestion::Model) -> Result<NamedSuggestion, StoreError> {
    let reasons = serde_json::from_value(row.reasons.clone()).map_err(|_| {
        StoreError::impossible(
            "suggestion",
            "reasons",
            row.provider_account_id,
            &row.reasons,
        )
    })?;
    Ok(NamedSuggestion {
        suggestion: Suggestion {
            account_id: AccountId::new(row.account_id),
            confidence: row.confidence,
            reasons,
        },
        account_name: row.account_name,
    })
}

/// Replaces the suggestions of each of these Provider Accounts; an empty list forgets them.
///
/// # Errors
/// When the database refuses.
pub async fn replace(
    tx: &WriteTx,
    made: &[(ProviderAccountId, Vec<NamedSuggestion>)],
) -> Result<(), StoreError> {
    let ids: Vec<_> = made.iter().map(|(id, _)| *id).collect();
    forget(tx, &ids).await?;
    let rows = made.iter().flat_map(|(id, named)| rows_of(*id, named));
    bulk::insert(tx, rows).await?;
    if !made.is_empty() {
        tx.signal(Signal::ProviderAccountsChanged);
    }
    Ok(())
}

fn rows_of(
    id: ProviderAccountId,
    named: &[NamedSuggestion],
) -> impl Iterator<Item = suggestion::ActiveModel> {
    (1..)
        .zip(named)
        .map(move |(rank, named)| suggestion::ActiveModel {
            provider_account_id: Set(id.as_uuid()),
            rank: Set(rank),
            account_id: Set(named.suggestion.account_id.as_uuid()),
            account_name: Set(named.account_name.clone()),
            confidence: Set(named.suggestion.confidence),
            reasons: Set(serde_json::json!(named.suggestion.reasons)),
        })
}

/// Forgets the suggestions for these Provider Accounts.
///
/// # Errors
/// When the database refuses.
pub(super) async fn forget(tx: &WriteTx, ids: &[ProviderAccountId]) -> Result<(), StoreError> {
    for chunk in ids.chunks(bulk::IDS_AT_ONCE) {
        suggestion::Entity::delete_many()
            .filter(
                suggestion::Column::ProviderAccountId.is_in(chunk.iter().map(|id| id.as_uuid())),
            )
            .exec(&**tx)
            .await?;
    }
    Ok(())
}
