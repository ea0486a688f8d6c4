//! Plans of auto-match and their items (B4).

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, LockType, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use uuid::Uuid;

use super::entities::{match_plan, match_plan_item as item};
use super::{StoreError, WriteTx, bulk};
use crate::domain::ids::{AccountId, MatchPlanId, ProviderAccountId};
use crate::domain::match_plan::{MatchPlan, PlanItem, PlanItemState};

fn plan_of(row: match_plan::Model) -> MatchPlan {
    MatchPlan {
        id: MatchPlanId::new(row.id),
        created_at: row.created_at,
        created_by: row.created_by,
        made_at: row.made_at,
        applied: row.applied_by.zip(row.applied_at),
        undone: row.undone_by.zip(row.undone_at),
    }
}

fn item_of(row: item::Model) -> Result<PlanItem, StoreError> {
    let impossible = |column, value: &dyn std::fmt::Display| {
        StoreError::impossible("match_plan_item", column, row.plan_id, value)
    };
    Ok(PlanItem {
        provider_account_id: ProviderAccountId::new(row.provider_account_id),
        reasons: serde_json::from_value(row.reasons.clone())
            .map_err(|_| impossible("reasons", &row.reasons))?,
        state: PlanItemState::from_name(&row.state)
            .ok_or_else(|| impossible("state", &row.state))?,
        name: row.name,
        account_id: AccountId::new(row.account_id),
        account_name: row.account_name,
        confidence: row.confidence,
        mapping_version: row.mapping_version,
        detail: row.detail,
        applied_version: row.applied_version,
    })
}

/// Begins a plan anew: its items of an earlier try go.
///
/// # Errors
/// When the database refuses.
pub async fn begin(
    tx: &WriteTx,
    id: MatchPlanId,
    by: &str,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let id = id.as_uuid();
    item::Entity::delete_many()
        .filter(item::Column::PlanId.eq(id))
        .exec(&**tx)
        .await?;
    match_plan::Entity::delete_by_id(id).exec(&**tx).await?;
    let row = match_plan::ActiveModel {
        id: Set(id),
        created_at: Set(at),
        created_by: Set(by.to_owned()),
        made_at: Set(None),
        applied_by: Set(None),
        applied_at: Set(None),
        undone_by: Set(None),
        undone_at: Set(None),
    };
    match_plan::Entity::insert(row)
        .exec_without_returning(&**tx)
        .await?;
    Ok(())
}

/// Adds items.
///
/// # Errors
/// When the database refuses.
pub async fn add(tx: &WriteTx, id: MatchPlanId, items: &[PlanItem]) -> Result<(), StoreError> {
    let rows = items.iter().map(|it| item::Model {
        plan_id: id.as_uuid(),
        provider_account_id: it.provider_account_id.as_uuid(),
        name: it.name.clone(),
        account_id: it.account_id.as_uuid(),
        account_name: it.account_name.clone(),
        confidence: it.confidence,
        reasons: serde_json::json!(it.reasons),
        mapping_version: it.mapping_version,
        state: it.state.name().to_owned(),
        detail: it.detail.clone(),
        applied_version: it.applied_version,
    });
    // A Provider Account that is renamed while the plan is made may be seen twice.
    bulk::insert_or(tx, rows, OnConflict::new().do_nothing().to_owned()).await?;
    Ok(())
}

/// What is to be noted of a plan.
#[derive(Debug, Clone, Copy)]
pub enum Step<'a> {
    /// It is complete.
    Made,
    /// Somebody applies it.
    Applied(&'a str),
    /// Somebody undoes it.
    Undone(&'a str),
}

/// Notes a step of a plan.
///
/// # Errors
/// When the database refuses.
pub async fn note(
    tx: &WriteTx,
    id: MatchPlanId,
    step: Step<'_>,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    use match_plan::Column;
    let update = match_plan::Entity::update_many().filter(Column::Id.eq(id.as_uuid()));
    let update = match step {
        Step::Made => update.col_expr(Column::MadeAt, Expr::value(at)),
        Step::Applied(by) => update
            .col_expr(Column::AppliedBy, Expr::value(by))
            .col_expr(Column::AppliedAt, Expr::value(at)),
        Step::Undone(by) => update
            .col_expr(Column::UndoneBy, Expr::value(by))
            .col_expr(Column::UndoneAt, Expr::value(at)),
    };
    update.exec(&**tx).await?;
    Ok(())
}

/// One plan.
///
/// # Errors
/// When the database refuses.
pub async fn find(
    connection: &impl ConnectionTrait,
    id: MatchPlanId,
) -> Result<Option<MatchPlan>, StoreError> {
    let row = match_plan::Entity::find_by_id(id.as_uuid())
        .one(connection)
        .await?;
    Ok(row.map(plan_of))
}

/// The latest plans, newest first.
///
/// # Errors
/// When the database refuses.
pub async fn latest(
    connection: &impl ConnectionTrait,
    most: u64,
) -> Result<Vec<MatchPlan>, StoreError> {
    let rows = match_plan::Entity::find()
        .order_by_desc(match_plan::Column::CreatedAt)
        .order_by_desc(match_plan::Column::Id)
        .limit(most)
        .all(connection)
        .await?;
    Ok(rows.into_iter().map(plan_of).collect())
}

/// How many items of a plan are in each state.
///
/// # Errors
/// When the database refuses.
pub async fn counts(
    connection: &impl ConnectionTrait,
    id: MatchPlanId,
) -> Result<Vec<(PlanItemState, u64)>, StoreError> {
    let rows: Vec<(String, i64)> = item::Entity::find()
        .select_only()
        .column(item::Column::State)
        .column_as(item::Column::ProviderAccountId.count(), "rows")
        .filter(item::Column::PlanId.eq(id.as_uuid()))
        .group_by(item::Column::State)
        .into_tuple()
        .all(connection)
        .await?;
    rows.into_iter()
        .map(|(state, rows)| {
            let state = PlanItemState::from_name(&state).ok_or_else(|| {
                StoreError::impossible("match_plan_item", "state", id.as_uuid(), &state)
            })?;
            Ok((state, u64::try_from(rows).unwrap_or_default()))
        })
        .collect()
}

/// Items of a plan, by Provider Account, after this one.
///
/// # Errors
/// When the database refuses.
pub async fn items(
    connection: &impl ConnectionTrait,
    id: MatchPlanId,
    state: Option<PlanItemState>,
    after: Option<Uuid>,
    most: u64,
) -> Result<Vec<PlanItem>, StoreError> {
    use item::Column;
    let mut query = item::Entity::find().filter(Column::PlanId.eq(id.as_uuid()));
    if let Some(state) = state {
        query = query.filter(Column::State.eq(state.name()));
    }
    if let Some(after) = after {
        query = query.filter(Column::ProviderAccountId.gt(after));
    }
    let rows = query
        .order_by_asc(Column::ProviderAccountId)
        .limit(most)
        .all(connection)
        .await?;
    rows.into_iter().map(item_of).collect()
}

/// Moves items of one state into another: all, or those of these Provider Accounts. Gives their number.
///
/// # Errors
/// When the database refuses.
pub async fn move_items(
    tx: &WriteTx,
    id: MatchPlanId,
    only: Option<&[ProviderAccountId]>,
    from: PlanItemState,
    to: PlanItemState,
) -> Result<u64, StoreError> {
    let update = || {
        item::Entity::update_many()
            .col_expr(item::Column::State, Expr::value(to.name()))
            .filter(item::Column::PlanId.eq(id.as_uuid()))
            .filter(item::Column::State.eq(from.name()))
    };
    let Some(only) = only else {
        return Ok(update().exec(&**tx).await?.rows_affected);
    };
    let mut moved = 0;
    for chunk in only.chunks(bulk::IDS_AT_ONCE) {
        let these = item::Column::ProviderAccountId.is_in(chunk.iter().map(|it| it.as_uuid()));
        moved += update().filter(these).exec(&**tx).await?.rows_affected;
    }
    Ok(moved)
}

/// Says of one item what became of it.
///
/// # Errors
/// When the database refuses.
pub async fn settle(
    tx: &WriteTx,
    id: MatchPlanId,
    of: ProviderAccountId,
    state: PlanItemState,
    detail: Option<&str>,
    applied_version: Option<i64>,
) -> Result<(), StoreError> {
    use item::Column;
    let mut update = item::Entity::update_many()
        .col_expr(Column::State, Expr::value(state.name()))
        .col_expr(Column::Detail, Expr::value(detail.map(str::to_owned)))
        .filter(Column::PlanId.eq(id.as_uuid()))
        .filter(Column::ProviderAccountId.eq(of.as_uuid()));
    if let Some(version) = applied_version {
        update = update.col_expr(Column::AppliedVersion, Expr::value(version));
    }
    update.exec(&**tx).await?;
    Ok(())
}

/// Locks a plan, so that two requests about it come one after the other.
///
/// # Errors
/// When the database refuses.
pub async fn lock(tx: &WriteTx, id: MatchPlanId) -> Result<Option<MatchPlan>, StoreError> {
    let row = match_plan::Entity::find_by_id(id.as_uuid())
        .lock(LockType::Update)
        .one(&**tx)
        .await?;
    Ok(row.map(plan_of))
}

/// Removes plans that were made before this instant, and gives their number.
///
/// # Errors
/// When the database refuses.
pub async fn remove_older(tx: &WriteTx, before: DateTime<Utc>) -> Result<u64, StoreError> {
    let old: Vec<Uuid> = match_plan::Entity::find()
        .select_only()
        .column(match_plan::Column::Id)
        .filter(match_plan::Column::CreatedAt.lt(before))
        .into_tuple()
        .all(&**tx)
        .await?;
    for chunk in old.chunks(bulk::IDS_AT_ONCE) {
        item::Entity::delete_many()
            .filter(item::Column::PlanId.is_in(chunk.iter().copied()))
            .exec(&**tx)
            .await?;
        match_plan::Entity::delete_many()
            .filter(match_plan::Column::Id.is_in(chunk.iter().copied()))
            .exec(&**tx)
            .await?;
    }
    Ok(old.len() as u64)
}
