//! Which deliveries are due, and taking them.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, Statement,
    Value,
};
use uuid::Uuid;

use super::Entity;
use crate::domain::context::Context;
use crate::domain::ids::{DeliveryId, EventId, SubscriptionId};
use crate::domain::ports::sealer::Sealed;
use crate::domain::trigger::Subscription;
use crate::store::entities::{delivery, outbox_event, trigger_subscription};
use crate::store::triggers;
use crate::store::{Engine, Store, StoreError, WriteTx, bulk};

/// An active subscription with deliveries due.
#[derive(Debug, Clone)]
pub struct Due {
    /// The subscription.
    pub subscription: Subscription,
    /// Since when its receiver has answered with nothing but refusals.
    pub refused_since: Option<DateTime<Utc>>,
    /// The callback URL, sealed for the subscription's id.
    pub callback: Sealed,
    /// The signing secret, sealed for the subscription's id.
    pub signing: Sealed,
}

/// Active subscriptions with deliveries due now: one look into an index for each active subscription.
///
/// # Errors
/// When the database refuses.
pub async fn due(store: &Store, context: &Context) -> Result<Vec<Due>, StoreError> {
    // `min` and not `EXISTS`, here and in the claim: it leaves no plan but one step into the index, also where PostgreSQL
    // has no statistics yet and would rather join everything with everything.
    const FIRST_DUE: &str = "(SELECT min(delivery.next_attempt_at) FROM delivery \
        WHERE delivery.subscription_id = trigger_subscription.id AND delivery.state = 'pending') <= ";
    let now: Value = context.now().into();
    let any_due = match store.engine() {
        Engine::Sqlite => Expr::cust_with_values(format!("{FIRST_DUE}?"), [now]),
        Engine::Postgres => Expr::cust_with_values(format!("{FIRST_DUE}$1"), [now]),
    };
    let rows = trigger_subscription::Entity::find()
        .filter(Expr::cust("trigger_subscription.state = 'active'"))
        .filter(any_due)
        .order_by_asc(trigger_subscription::Column::Id)
        .all(store.reader())
        .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Due {
                subscription: triggers::to_domain(&row)?,
                refused_since: row.refused_since,
                callback: Sealed {
                    key_id: row.callback_key_id,
                    bytes: row.callback_sealed,
                },
                signing: Sealed {
                    key_id: row.signing_key_id,
                    bytes: row.signing_sealed,
                },
            })
        })
        .collect()
}

/// How many deliveries to claim of a subscription at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// The subscription.
    pub subscription: SubscriptionId,
    /// How many.
    pub most: u32,
}

/// A delivery that is ours until its lease ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Claimed {
    /// Its id.
    pub id: DeliveryId,
    /// To whom.
    pub subscription: SubscriptionId,
    /// The event's id.
    pub event_id: EventId,
    /// What the event is about.
    pub subject: String,
    /// Whether it is a test.
    pub test: bool,
    /// Tries made before this one.
    pub attempts: i32,
    /// The token of this claim.
    pub fence: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// The event; `None` for a test, which has none.
    pub event: Option<Event>,
}

/// What is sent of an event.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Name of its type.
    pub event_type: String,
    /// Version of the shape of its data.
    pub schema_version: i32,
    /// When the change was made.
    pub occurred_at: DateTime<Utc>,
    /// Its data.
    pub data: serde_json::Value,
}

/// Claims due deliveries for `lease`, those first that have waited longest.
///
/// # Errors
/// When the database refuses.
pub async fn claim(
    store: &Store,
    context: &Context,
    quotas: &[Quota],
    lease: Duration,
) -> Result<Vec<Claimed>, StoreError> {
    let now = context.now();
    let until = now + TimeDelta::from_std(lease).unwrap_or(TimeDelta::MAX);
    let mut rows = Vec::new();
    let tx = store.begin().await?;
    for quota in quotas.iter().filter(|quota| quota.most > 0) {
        rows.extend(claim_of(&tx, store.engine(), *quota, now, until).await?);
    }
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    tx.commit().await?;
    let mut events = events_of(store, &rows).await?;
    let mut claimed: Vec<(i64, Claimed)> = rows
        .into_iter()
        .map(|row| (row.position, to_claimed(row, &mut events)))
        .collect();
    claimed.sort_by_key(|(position, _)| *position);
    Ok(claimed.into_iter().map(|(_, claimed)| claimed).collect())
}

async fn claim_of(
    tx: &WriteTx,
    engine: Engine,
    quota: Quota,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Vec<delivery::Model>, StoreError> {
    let skip_locked = match engine {
        Engine::Sqlite => "",
        Engine::Postgres => " FOR UPDATE OF d SKIP LOCKED",
    };
    let sql = format!(
        "WITH due AS MATERIALIZED (\
            SELECT d.id FROM delivery d \
            WHERE d.subscription_id = $1 AND d.state = 'pending' AND d.next_attempt_at <= $2 \
            AND d.position = (SELECT min(e.position) FROM delivery e \
                WHERE e.subscription_id = d.subscription_id AND e.subject = d.subject AND e.state = 'pending') \
            ORDER BY d.next_attempt_at, d.position LIMIT $3{skip_locked}) \
        UPDATE delivery SET lease_until = $4, next_attempt_at = $4, fence = fence + 1 \
        WHERE id IN (SELECT id FROM due) RETURNING *"
    );
    let values = [
        quota.subscription.as_uuid().into(),
        now.into(),
        i64::from(quota.most).into(),
        until.into(),
    ];
    let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
    Ok(delivery::Model::find_by_statement(statement)
        .all(&**tx)
        .await?)
}

async fn events_of(
    store: &Store,
    rows: &[delivery::Model],
) -> Result<HashMap<Uuid, outbox_event::Model>, StoreError> {
    let mut ids: Vec<Uuid> = rows
        .iter()
        .filter(|row| !row.test)
        .map(|row| row.event_id)
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let mut events = HashMap::with_capacity(ids.len());
    for ids in ids.chunks(bulk::IDS_AT_ONCE) {
        let found = outbox_event::Entity::find()
            .filter(outbox_event::Column::Id.is_in(ids.iter().copied()))
            .all(store.reader())
            .await?;
        events.extend(found.into_iter().map(|event| (event.id, event)));
    }
    Ok(events)
}

fn to_claimed(row: delivery::Model, events: &mut HashMap<Uuid, outbox_event::Model>) -> Claimed {
    let event = events.get(&row.event_id).map(|event| Event {
        event_type: event.event_type.clone(),
        schema_version: event.schema_version,
        occurred_at: event.occurred_at,
        data: event.data.clone(),
    });
    Claimed {
        id: DeliveryId::new(row.id),
        subscription: SubscriptionId::new(row.subscription_id),
        event_id: EventId::new(row.event_id),
        subject: row.subject,
        test: row.test,
        attempts: row.attempts,
        fence: row.fence,
        created_at: row.created_at,
        event,
    }
}

/// Makes every claimed delivery due at once. Only for the start of a process that holds the exclusive lock of a SQLite
/// file: nobody else can be delivering.
///
/// # Errors
/// When the database refuses.
pub async fn reclaim_all(store: &Store, context: &Context) -> Result<u64, StoreError> {
    let tx = store.begin().await?;
    let freed = Entity::update_many()
        .col_expr(delivery::Column::NextAttemptAt, Expr::value(context.now()))
        .col_expr(
            delivery::Column::LeaseUntil,
            Expr::value(Option::<DateTime<Utc>>::None),
        )
        .filter(Expr::cust("state = 'pending' AND lease_until IS NOT NULL"))
        .exec(&*tx)
        .await?;
    tx.commit().await?;
    Ok(freed.rows_affected)
}
