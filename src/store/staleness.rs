//! How old the last complete sync is: of each provider, and of each customer (D6, G3).

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use sea_orm::sea_query::Cond;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::entities::{provider_account, subscription_read, subscription_run, sync_run};
use super::error::StoreError;
use super::{billing_contracts, bulk};
use crate::domain::billing_contract::BillingContract;
use crate::domain::ids::{AccountId, ProviderId};
use crate::domain::mapping::MappingState;
use crate::domain::sync_run::RunOutcome;

/// When something was last done, by provider.
pub type LastTimes = HashMap<ProviderId, DateTime<Utc>>;

/// When each provider's customers were last listed to the end.
///
/// # Errors
/// When the database refuses.
pub async fn accounts_synced(connection: &impl ConnectionTrait) -> Result<LastTimes, StoreError> {
    use sync_run::Column;
    let columns = [Column::ProviderId, Column::Outcome, Column::FinishedAt];
    last_complete(connection, sync_run::Entity, columns).await
}

/// When the subscriptions of each provider's customers were last read to the end.
///
/// # Errors
/// When the database refuses.
pub async fn subscriptions_synced(
    connection: &impl ConnectionTrait,
) -> Result<LastTimes, StoreError> {
    use subscription_run::Column;
    let columns = [Column::ProviderId, Column::Outcome, Column::FinishedAt];
    last_complete(connection, subscription_run::Entity, columns).await
}

/// When the last complete run of each provider ended; the columns are its provider, its outcome and its end.
async fn last_complete<E: EntityTrait>(
    connection: &impl ConnectionTrait,
    _: E,
    [provider, outcome, end]: [E::Column; 3],
) -> Result<LastTimes, StoreError> {
    let rows: Vec<(Option<Uuid>, Option<DateTime<Utc>>)> = E::find()
        .select_only()
        .column(provider)
        .column_as(end.max(), "at")
        .filter(provider.is_not_null())
        .filter(outcome.eq(RunOutcome::Complete.name()))
        .group_by(provider)
        .into_tuple()
        .all(connection)
        .await?;
    let known = rows.into_iter().filter_map(|(id, at)| id.zip(at));
    Ok(known.map(|(id, at)| (ProviderId::new(id), at)).collect())
}

/// The open contracts of customers whose subscriptions were last read whole before this instant, except those of these providers.
///
/// # Errors
/// When the database refuses.
pub async fn stale_contracts(
    connection: &impl ConnectionTrait,
    before: DateTime<Utc>,
    except: &HashSet<ProviderId>,
) -> Result<Vec<BillingContract>, StoreError> {
    use provider_account::Column;
    let late = Cond::any()
        .add(subscription_read::Column::WholeAt.lt(before))
        .add(subscription_read::Column::WholeAt.is_null());
    let late: Vec<Uuid> = subscription_read::Entity::find()
        .select_only()
        .column(subscription_read::Column::ProviderAccountId)
        .filter(late)
        .into_tuple()
        .all(connection)
        .await?;
    let mut accounts = Vec::new();
    for chunk in late.chunks(bulk::IDS_AT_ONCE) {
        let rows: Vec<(Uuid, Option<Uuid>)> = provider_account::Entity::find()
            .select_only()
            .columns([Column::ProviderId, Column::AccountId])
            .filter(Column::Id.is_in(chunk.iter().copied()))
            .filter(Column::SyncEnabled.eq(true))
            .filter(Column::MissingSince.is_null())
            .filter(Column::FirstSeenAt.lt(before))
            .filter(Column::MappingState.eq(MappingState::Mapped.name()))
            .into_tuple()
            .all(connection)
            .await?;
        let other = |provider: &Uuid| !except.contains(&ProviderId::new(*provider));
        let of_others = rows.into_iter().filter(|(provider, _)| other(provider));
        accounts.extend(of_others.filter_map(|(_, account)| account.map(AccountId::new)));
    }
    accounts.sort_unstable();
    accounts.dedup();
    let mut contracts = Vec::new();
    for chunk in accounts.chunks(bulk::IDS_AT_ONCE) {
        contracts.extend(billing_contracts::open_of(connection, chunk).await?);
    }
    Ok(contracts)
}
