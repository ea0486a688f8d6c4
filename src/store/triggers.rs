//! Trigger subscriptions (decision 10). Callback URL and signing secret arrive sealed for the row's id; the store never
//! sees them in clear.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};

use super::deliveries;
use super::dispatch;
use super::entities::trigger_subscription::{self as row, Column, Entity, Model};
use super::error::StoreError;
use super::{Signal, WriteTx};
use crate::domain::context::Context;
use crate::domain::event::EventType;
use crate::domain::ids::SubscriptionId;
use crate::domain::ports::sealer::Sealed;
use crate::domain::trigger::{Subscription, SubscriptionState};

/// A subscription to be made.
#[derive(Debug, Clone)]
pub struct NewSubscription {
    /// Its id; the secrets are sealed for it.
    pub id: SubscriptionId,
    /// The trigger it is for.
    pub event_type: EventType,
    /// [`crate::domain::caller::Actor::key`] of its owner.
    pub owner: String,
    /// The flow that subscribed. With it, the subscription supersedes the flow's older one.
    pub workflow_id: Option<String>,
    /// What people call it.
    pub label: Option<String>,
    /// Host of the callback URL.
    pub callback_host: String,
    /// The callback URL.
    pub callback: Sealed,
    /// The signing secret.
    pub signing: Sealed,
    /// SHA-256 of the unsubscribe token.
    pub unsubscribe_hash: Vec<u8>,
}

pub(super) fn to_domain(row: &Model) -> Result<Subscription, StoreError> {
    let impossible =
        |column, value| StoreError::impossible("trigger_subscription", column, row.id, value);
    Ok(Subscription {
        id: SubscriptionId::new(row.id),
        event_type: EventType::from_name(&row.event_type)
            .ok_or_else(|| impossible("event_type", &row.event_type))?,
        owner: row.owner.clone(),
        workflow_id: row.workflow_id.clone(),
        label: row.label.clone(),
        callback_host: row.callback_host.clone(),
        state: SubscriptionState::from_name(&row.state)
            .ok_or_else(|| impossible("state", &row.state))?,
        state_reason: row.state_reason.clone(),
        created_at: row.created_at,
        last_delivered_at: row.last_delivered_at,
    })
}

/// Makes a subscription. An older one of the same owner, workflow and trigger is retired, and what was still on its way
/// to it goes to the new one, so that saving a flow again loses nothing. Gives the older one's id.
///
/// # Errors
/// When the database refuses.
pub async fn create(
    tx: &WriteTx,
    context: &Context,
    new: NewSubscription,
) -> Result<Option<SubscriptionId>, StoreError> {
    dispatch::exclude(tx, context).await?;
    let now = context.now();
    let natural_key = new.workflow_id.as_ref().map(|workflow| {
        let name = new.event_type.name();
        format!("{name} {workflow} {}", new.owner)
    });
    let older = match &natural_key {
        Some(key) => {
            Entity::find()
                .filter(Column::NaturalKey.eq(key))
                .one(&**tx)
                .await?
        }
        None => None,
    };
    let from_seq = match &older {
        Some(older) => older.from_seq,
        None => dispatch::next_seq(&**tx).await?,
    };
    let older = match older {
        Some(older) => {
            let id = older.id;
            let mut older = older.into_active_model();
            end(&mut older, format!("superseded by {}", new.id), now);
            Entity::update(older).exec(&**tx).await?;
            Some(SubscriptionId::new(id))
        }
        None => None,
    };
    let id = new.id;
    Entity::insert(to_row(new, natural_key, from_seq, now))
        .exec_without_returning(&**tx)
        .await?;
    if let Some(older) = older {
        deliveries::hand_over(tx, older, id).await?;
    }
    Ok(older)
}

fn to_row(
    new: NewSubscription,
    natural_key: Option<String>,
    from_seq: i64,
    now: DateTime<Utc>,
) -> row::ActiveModel {
    row::ActiveModel {
        id: Set(new.id.as_uuid()),
        event_type: Set(new.event_type.name().to_owned()),
        owner: Set(new.owner),
        natural_key: Set(natural_key),
        workflow_id: Set(new.workflow_id),
        label: Set(new.label),
        callback_host: Set(new.callback_host),
        callback_key_id: Set(new.callback.key_id),
        callback_sealed: Set(new.callback.bytes),
        signing_key_id: Set(new.signing.key_id),
        signing_sealed: Set(new.signing.bytes),
        unsubscribe_hash: Set(new.unsubscribe_hash),
        from_seq: Set(from_seq),
        state: Set(SubscriptionState::Active.name().to_owned()),
        state_reason: Set(None),
        refused_since: Set(None),
        created_at: Set(now),
        retired_at: Set(None),
        last_delivered_at: Set(None),
    }
}

fn end(row: &mut row::ActiveModel, reason: String, now: DateTime<Utc>) {
    row.state = Set(SubscriptionState::Retired.name().to_owned());
    row.state_reason = Set(Some(reason));
    row.retired_at = Set(Some(now));
    row.natural_key = Set(None);
}

/// Retires a subscription and cancels what was on its way to it. `None` when there is none, or it is retired already.
///
/// # Errors
/// When the database refuses.
pub async fn retire(
    tx: &WriteTx,
    context: &Context,
    id: SubscriptionId,
    reason: &str,
) -> Result<Option<Subscription>, StoreError> {
    dispatch::exclude(tx, context).await?;
    retire_found(tx, context, Column::Id.eq(id.as_uuid()), reason).await
}

/// As [`retire`], of the subscription that the hash of an unsubscribe token leads to.
///
/// # Errors
/// When the database refuses.
pub async fn retire_by_token(
    tx: &WriteTx,
    context: &Context,
    unsubscribe_hash: &[u8],
) -> Result<Option<Subscription>, StoreError> {
    dispatch::exclude(tx, context).await?;
    let found = Column::UnsubscribeHash.eq(unsubscribe_hash);
    retire_found(tx, context, found, "unsubscribed").await
}

async fn retire_found(
    tx: &WriteTx,
    context: &Context,
    which: sea_orm::sea_query::Expr,
    reason: &str,
) -> Result<Option<Subscription>, StoreError> {
    let row = Entity::find()
        .filter(which)
        .filter(Column::State.ne(SubscriptionState::Retired.name()))
        .one(&**tx)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let mut change = row.clone().into_active_model();
    end(&mut change, reason.to_owned(), context.now());
    let row = Entity::update(change).exec(&**tx).await?;
    deliveries::cancel_pending(tx, SubscriptionId::new(row.id)).await?;
    to_domain(&row).map(Some)
}

/// Suspends an owner's active subscriptions. Their deliveries wait. Gives the number.
///
/// # Errors
/// When the database refuses.
pub async fn suspend(tx: &WriteTx, owner: &str, reason: &str) -> Result<u64, StoreError> {
    change_state(
        tx,
        owner,
        SubscriptionState::Active,
        SubscriptionState::Suspended,
        Some(reason),
    )
    .await
}

/// Wakes an owner's suspended subscriptions. Gives the number.
///
/// # Errors
/// When the database refuses.
pub async fn resume(tx: &WriteTx, owner: &str) -> Result<u64, StoreError> {
    tx.signal(Signal::Deliveries);
    change_state(
        tx,
        owner,
        SubscriptionState::Suspended,
        SubscriptionState::Active,
        None,
    )
    .await
}

async fn change_state(
    tx: &WriteTx,
    owner: &str,
    from: SubscriptionState,
    to: SubscriptionState,
    reason: Option<&str>,
) -> Result<u64, StoreError> {
    let changed = Entity::update_many()
        .col_expr(Column::State, Expr::value(to.name()))
        .col_expr(Column::StateReason, Expr::value(reason.map(str::to_owned)))
        .filter(Column::Owner.eq(owner))
        .filter(Column::State.eq(from.name()))
        .exec(&**tx)
        .await?;
    Ok(changed.rows_affected)
}

/// Owners of suspended subscriptions.
///
/// # Errors
/// When the database refuses.
pub async fn suspended_owners(
    connection: &impl ConnectionTrait,
) -> Result<Vec<String>, StoreError> {
    let owners = Entity::find()
        .select_only()
        .column(Column::Owner)
        .distinct()
        .filter(Column::State.eq(SubscriptionState::Suspended.name()))
        .into_tuple::<String>()
        .all(connection)
        .await?;
    Ok(owners)
}

/// Retired subscriptions of the same owner, workflow and trigger as `of`, the latest first, fifty at most.
///
/// # Errors
/// When the database refuses.
pub async fn predecessors(
    connection: &impl ConnectionTrait,
    of: &Subscription,
) -> Result<Vec<SubscriptionId>, StoreError> {
    let Some(workflow_id) = &of.workflow_id else {
        return Ok(Vec::new());
    };
    let ids = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::Owner.eq(&of.owner))
        .filter(Column::WorkflowId.eq(workflow_id))
        .filter(Column::EventType.eq(of.event_type.name()))
        .filter(Column::State.eq(SubscriptionState::Retired.name()))
        .order_by_desc(Column::Id)
        .limit(50)
        .into_tuple::<uuid::Uuid>()
        .all(connection)
        .await?;
    Ok(ids.into_iter().map(SubscriptionId::new).collect())
}

/// An owner's subscriptions that are not retired.
///
/// # Errors
/// When the database refuses.
pub async fn count_live(connection: &impl ConnectionTrait, owner: &str) -> Result<u64, StoreError> {
    let count = Entity::find()
        .filter(Column::Owner.eq(owner))
        .filter(Column::State.ne(SubscriptionState::Retired.name()))
        .count(connection)
        .await?;
    Ok(count)
}

/// One subscription.
///
/// # Errors
/// When the database refuses.
pub async fn find(
    connection: &impl ConnectionTrait,
    id: SubscriptionId,
) -> Result<Option<Subscription>, StoreError> {
    let row = Entity::find_by_id(id.as_uuid()).one(connection).await?;
    row.as_ref().map(to_domain).transpose()
}

/// A page of subscriptions, of one owner or of all, oldest first, that are not retired (or all): those after `after`.
///
/// # Errors
/// When the database refuses.
pub async fn list(
    connection: &impl ConnectionTrait,
    owner: Option<&str>,
    with_retired: bool,
    after: Option<SubscriptionId>,
    most: u64,
) -> Result<Vec<Subscription>, StoreError> {
    // Ids are UUIDs of version 7, so their order is the order of creation.
    let mut query = Entity::find().order_by_asc(Column::Id).limit(most);
    if let Some(owner) = owner {
        query = query.filter(Column::Owner.eq(owner));
    }
    if !with_retired {
        query = query.filter(Column::State.ne(SubscriptionState::Retired.name()));
    }
    if let Some(after) = after {
        query = query.filter(Column::Id.gt(after.as_uuid()));
    }
    let rows = query.all(connection).await?;
    rows.iter().map(to_domain).collect()
}
