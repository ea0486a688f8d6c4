//! The License Change Log (E1): entries are added, follow their subscription to another contract while they are not
//! invoiced, and are archived; they are never deleted.

use std::collections::HashMap;
use std::str::FromStr;

use chrono::{DateTime, NaiveTime, Utc};
use rust_decimal::Decimal;
use sea_orm::sea_query::{Cond, Expr};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use uuid::Uuid;

use super::entities::license_change::{self, Column, Entity};
use super::error::StoreError;
use super::{WriteTx, bulk};
use crate::domain::billing_contract::BillingContract;
use crate::domain::context::Context;
use crate::domain::ids::{
    BillingContractId, ChangeLogId, ProductSubscriptionId, SubscriptionRunId,
};
use crate::domain::money::{from_micros, micros};
use crate::domain::subscription_sync::{LogEntry, LogKind};

/// What was found at the provider needs no provisioning (E3).
pub const NOT_APPLICABLE: &str = "not-applicable";
/// To be sent to the provider (E2).
pub const AWAITING: &str = "awaiting-provisioning";
/// The provider refused it.
pub const FAILED: &str = "failed-provisioning";
/// Why history from before a contract's go-live is archived (D11).
pub const BEFORE_GO_LIVE: &str = "before the go-live date of the billing contract";

/// An entry to be added.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// The subscription.
    pub subscription_id: ProductSubscriptionId,
    /// The contract that bills it.
    pub contract_id: Option<BillingContractId>,
    /// What it says.
    pub entry: LogEntry,
    /// Why it is archived at once.
    pub archived: Option<&'static str>,
}

/// An entry as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptEntry {
    /// Our id.
    pub id: ChangeLogId,
    /// The subscription.
    pub subscription_id: ProductSubscriptionId,
    /// The contract that bills it.
    pub contract_id: Option<BillingContractId>,
    /// What it says.
    pub entry: LogEntry,
    /// Where its provisioning stands.
    pub provisioning: String,
    /// Whether it is invoiced or written off.
    pub archived: bool,
    /// Why it was written off.
    pub archived_reason: Option<String>,
    /// Who made it.
    pub actor: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

fn cost(cost: Option<Decimal>) -> Option<String> {
    cost.map(|cost| cost.normalize().to_string())
}

/// Adds entries.
///
/// # Errors
/// When the database refuses.
pub async fn insert(
    tx: &WriteTx,
    context: &Context,
    run: Option<SubscriptionRunId>,
    actor: &str,
    entries: Vec<NewEntry>,
) -> Result<(), StoreError> {
    let now = context.now();
    let mut rows = Vec::with_capacity(entries.len());
    for new in entries {
        let entry = new.entry;
        let quantity = micros(entry.quantity_change).ok_or_else(|| {
            let change = entry.quantity_change;
            StoreError::impossible(
                "license_change",
                "quantity_change",
                new.subscription_id,
                change,
            )
        })?;
        rows.push(license_change::ActiveModel {
            id: Set(context.new_uuid()),
            subscription_id: Set(new.subscription_id.as_uuid()),
            contract_id: Set(new.contract_id.map(BillingContractId::as_uuid)),
            kind: Set(entry.kind.name().to_owned()),
            quantity_change: Set(quantity),
            old_cost: Set(cost(entry.old_cost)),
            new_cost: Set(cost(entry.new_cost)),
            effective_at: Set(entry.effective_at),
            estimated: Set(entry.estimated),
            provisioning: Set(NOT_APPLICABLE.to_owned()),
            archived: Set(new.archived.is_some()),
            archived_reason: Set(new.archived.map(str::to_owned)),
            run_id: Set(run.map(SubscriptionRunId::as_uuid)),
            actor: Set(actor.to_owned()),
            created_at: Set(now),
        });
    }
    bulk::insert(tx, rows).await
}

/// The entries that go along when these subscriptions leave a contract: not invoiced, and effective since then.
fn going(
    subscriptions: &[ProductSubscriptionId],
    from: Option<BillingContractId>,
    since: Option<DateTime<Utc>>,
) -> Cond {
    // What stayed behind at an earlier cut-over sits in a third contract, and stays there.
    let seat = match from {
        Some(contract) => Column::ContractId.eq(contract.as_uuid()),
        None => Column::ContractId.is_null(),
    };
    let mut going = Cond::all()
        .add(Column::SubscriptionId.is_in(subscriptions.iter().map(|id| id.as_uuid())))
        .add(Column::Archived.eq(false))
        .add(seat);
    if let Some(since) = since {
        going = going.add(Column::EffectiveAt.gte(since));
    }
    going
}

/// Moves what is not invoiced of these subscriptions from one contract to another, or out of any (B15), and archives what became
/// effective before the go-live of the new one (D11).
///
/// # Errors
/// When the database refuses.
pub async fn move_active(
    tx: &WriteTx,
    subscriptions: &[ProductSubscriptionId],
    from: Option<BillingContractId>,
    to: Option<&BillingContract>,
    since: Option<DateTime<Utc>>,
) -> Result<(), StoreError> {
    for chunk in subscriptions.chunks(bulk::IDS_AT_ONCE) {
        if let Some(contract) = to {
            let go_live = contract
                .terms
                .go_live_date
                .and_time(NaiveTime::MIN)
                .and_utc();
            Entity::update_many()
                .col_expr(Column::Archived, Expr::value(true))
                .col_expr(Column::ArchivedReason, Expr::value(Some(BEFORE_GO_LIVE)))
                .col_expr(Column::ContractId, Expr::value(contract.id.as_uuid()))
                .filter(going(chunk, from, since).add(Column::EffectiveAt.lt(go_live)))
                .exec(&**tx)
                .await?;
        }
        Entity::update_many()
            .col_expr(
                Column::ContractId,
                Expr::value(to.map(|it| it.id.as_uuid())),
            )
            .filter(going(chunk, from, since))
            .exec(&**tx)
            .await?;
    }
    Ok(())
}

/// Where the entries of these subscriptions that are not invoiced sit.
///
/// # Errors
/// When the database refuses.
pub async fn seats(
    connection: &impl ConnectionTrait,
    ids: &[ProductSubscriptionId],
) -> Result<HashMap<ChangeLogId, Option<BillingContractId>>, StoreError> {
    let mut seats = HashMap::new();
    for chunk in ids.chunks(bulk::IDS_AT_ONCE) {
        let rows: Vec<(Uuid, Option<Uuid>)> = Entity::find()
            .select_only()
            .columns([Column::Id, Column::ContractId])
            .filter(Column::SubscriptionId.is_in(chunk.iter().map(|id| id.as_uuid())))
            .filter(Column::Archived.eq(false))
            .into_tuple()
            .all(connection)
            .await?;
        let rows = rows.into_iter();
        seats.extend(
            rows.map(|(id, seat)| (ChangeLogId::new(id), seat.map(BillingContractId::new))),
        );
    }
    Ok(seats)
}

fn to_domain(row: license_change::Model) -> Result<KeptEntry, StoreError> {
    let impossible =
        |column, value: &str| StoreError::impossible("license_change", column, row.id, value);
    let decimal = |column, text: Option<&str>| {
        text.map(|text| Decimal::from_str(text).map_err(|_| impossible(column, text)))
            .transpose()
    };
    Ok(KeptEntry {
        id: ChangeLogId::new(row.id),
        subscription_id: ProductSubscriptionId::new(row.subscription_id),
        contract_id: row.contract_id.map(BillingContractId::new),
        entry: LogEntry {
            kind: LogKind::from_name(&row.kind).ok_or_else(|| impossible("kind", &row.kind))?,
            quantity_change: from_micros(row.quantity_change),
            old_cost: decimal("old_cost", row.old_cost.as_deref())?,
            new_cost: decimal("new_cost", row.new_cost.as_deref())?,
            effective_at: row.effective_at,
            estimated: row.estimated,
        },
        provisioning: row.provisioning.clone(),
        archived: row.archived,
        archived_reason: row.archived_reason.clone(),
        actor: row.actor.clone(),
        created_at: row.created_at,
    })
}

/// The entries of one subscription, the oldest first.
///
/// # Errors
/// When the database refuses.
pub async fn of_subscription(
    connection: &impl ConnectionTrait,
    id: ProductSubscriptionId,
    most: u64,
) -> Result<Vec<KeptEntry>, StoreError> {
    let rows = Entity::find()
        .filter(Column::SubscriptionId.eq(id.as_uuid()))
        .order_by_asc(Column::EffectiveAt)
        .order_by_asc(Column::Id)
        .limit(most)
        .all(connection)
        .await?;
    rows.into_iter().map(to_domain).collect()
}

/// What the entries of these subscriptions add up to. One without entries is not among them.
///
/// # Errors
/// When the database refuses.
pub async fn sums(
    connection: &impl ConnectionTrait,
    ids: &[ProductSubscriptionId],
) -> Result<HashMap<ProductSubscriptionId, Decimal>, StoreError> {
    let mut sums: HashMap<ProductSubscriptionId, i64> = HashMap::with_capacity(ids.len());
    for chunk in ids.chunks(bulk::IDS_AT_ONCE) {
        // Added up here: the engines do not agree on the type of a sum.
        let rows: Vec<(Uuid, i64)> = Entity::find()
            .select_only()
            .columns([Column::SubscriptionId, Column::QuantityChange])
            .filter(Column::SubscriptionId.is_in(chunk.iter().map(|id| id.as_uuid())))
            .into_tuple()
            .all(connection)
            .await?;
        for (id, change) in rows {
            *sums.entry(ProductSubscriptionId::new(id)).or_default() += change;
        }
    }
    Ok(sums
        .into_iter()
        .map(|(id, sum)| (id, from_micros(sum)))
        .collect())
}

/// What is not done of the changes of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Undone {
    /// Changes that failed.
    pub failed: i64,
    /// Changes that should have been made by now.
    pub overdue: i64,
}

fn overdue_since(late: DateTime<Utc>) -> Cond {
    Cond::all()
        .add(Column::Archived.eq(false))
        .add(Column::Provisioning.eq(AWAITING))
        .add(Column::EffectiveAt.lt(late))
}

/// What is not done of these subscriptions; those that are done with are not among them. A change is overdue when it should
/// have been made before `late`.
///
/// # Errors
/// When the database refuses.
pub async fn undone(
    connection: &impl ConnectionTrait,
    ids: &[ProductSubscriptionId],
    late: DateTime<Utc>,
) -> Result<HashMap<ProductSubscriptionId, Undone>, StoreError> {
    let failed = Cond::all()
        .add(Column::Archived.eq(false))
        .add(Column::Provisioning.eq(FAILED));
    let mut found: HashMap<_, Undone> = HashMap::new();
    for chunk in ids.chunks(bulk::IDS_AT_ONCE) {
        let rows: Vec<(Uuid, String)> = Entity::find()
            .select_only()
            .columns([Column::SubscriptionId, Column::Provisioning])
            .filter(Column::SubscriptionId.is_in(chunk.iter().map(|id| id.as_uuid())))
            .filter(Cond::any().add(failed.clone()).add(overdue_since(late)))
            .into_tuple()
            .all(connection)
            .await?;
        for (id, state) in rows {
            let of = found.entry(ProductSubscriptionId::new(id)).or_default();
            if state == FAILED {
                of.failed += 1;
            } else {
                of.overdue += 1;
            }
        }
    }
    Ok(found)
}

/// The subscriptions with a change that should have been made before `late`.
///
/// # Errors
/// When the database refuses.
pub async fn overdue(
    connection: &impl ConnectionTrait,
    late: DateTime<Utc>,
) -> Result<Vec<ProductSubscriptionId>, StoreError> {
    let ids: Vec<Uuid> = Entity::find()
        .select_only()
        .distinct()
        .column(Column::SubscriptionId)
        .filter(overdue_since(late))
        .into_tuple()
        .all(connection)
        .await?;
    Ok(ids.into_iter().map(ProductSubscriptionId::new).collect())
}
