//! The list of open exceptions, its counts, and who takes care of what (D6).

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Cond, Expr, LockType};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::domain::exception::{ExceptionKind, KeptException};
use crate::domain::ids::ExceptionId;
use crate::store::entities::exception::{self, Column, Entity};
use crate::store::{StoreError, WriteTx};

/// Which open exceptions to list. All conditions hold together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only of this kind.
    pub kind: Option<ExceptionKind>,
    /// Only about this subject.
    pub subject: Option<String>,
    /// Only those that somebody (true) or nobody (false) has acknowledged.
    pub acknowledged: Option<bool>,
    /// Also those that are snoozed.
    pub with_snoozed: bool,
}

/// Where a listing goes on: after this instant and id.
pub type After = (DateTime<Utc>, Uuid);

/// How many of one kind are open, by age.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindCount {
    /// The kind.
    pub kind: ExceptionKind,
    /// All of them.
    pub open: i64,
    /// Less than a day old.
    pub within_day: i64,
    /// Less than a week old, those of the last day too.
    pub within_week: i64,
    /// Less than 30 days old, those of the last week too.
    pub within_month: i64,
}

fn to_domain(row: exception::Model) -> Result<KeptException, StoreError> {
    Ok(KeptException {
        kind: ExceptionKind::from_name(&row.kind)
            .ok_or_else(|| StoreError::impossible("exception", "kind", row.id, &row.kind))?,
        id: ExceptionId::new(row.id),
        subject: row.subject,
        detail: row.detail,
        remedy: row.remedy,
        opened_at: row.opened_at,
        closed_at: row.closed_at,
        acknowledged_at: row.acknowledged_at,
        acknowledged_by: row.acknowledged_by,
        snoozed_until: row.snoozed_until,
        note: row.note,
    })
}

fn open(filter: &Filter, now: DateTime<Utc>) -> Cond {
    let mut condition = Cond::all().add(Column::ClosedAt.is_null());
    if let Some(kind) = filter.kind {
        condition = condition.add(Column::Kind.eq(kind.name()));
    }
    if let Some(subject) = &filter.subject {
        condition = condition.add(Column::Subject.eq(subject.as_str()));
    }
    match filter.acknowledged {
        Some(true) => condition = condition.add(Column::AcknowledgedAt.is_not_null()),
        Some(false) => condition = condition.add(Column::AcknowledgedAt.is_null()),
        None => {}
    }
    if !filter.with_snoozed {
        let awake = Cond::any()
            .add(Column::SnoozedUntil.is_null())
            .add(Column::SnoozedUntil.lte(now));
        condition = condition.add(awake);
    }
    condition
}

/// Open exceptions, the oldest first.
///
/// # Errors
/// When the database refuses.
pub async fn list(
    connection: &impl ConnectionTrait,
    filter: &Filter,
    now: DateTime<Utc>,
    after: Option<After>,
    top: u64,
) -> Result<Vec<KeptException>, StoreError> {
    let mut condition = open(filter, now);
    if let Some((at, id)) = after {
        let later = Cond::any().add(Column::OpenedAt.gt(at)).add(
            Cond::all()
                .add(Column::OpenedAt.eq(at))
                .add(Column::Id.gt(id)),
        );
        condition = condition.add(Column::OpenedAt.gte(at)).add(later);
    }
    let rows = Entity::find()
        .filter(condition)
        .order_by_asc(Column::OpenedAt)
        .order_by_asc(Column::Id)
        .limit(top)
        .all(connection)
        .await?;
    rows.into_iter().map(to_domain).collect()
}

/// One exception, which nobody else can change until this transaction ends.
///
/// # Errors
/// When the database refuses.
pub async fn lock(tx: &WriteTx, id: ExceptionId) -> Result<Option<KeptException>, StoreError> {
    Entity::find_by_id(id.as_uuid())
        .lock(LockType::Update)
        .one(&**tx)
        .await?
        .map(to_domain)
        .transpose()
}

/// Writes who takes care of it.
///
/// # Errors
/// When the database refuses.
pub async fn keep(tx: &WriteTx, it: &KeptException) -> Result<(), StoreError> {
    Entity::update_many()
        .col_expr(Column::AcknowledgedAt, Expr::value(it.acknowledged_at))
        .col_expr(
            Column::AcknowledgedBy,
            Expr::value(it.acknowledged_by.clone()),
        )
        .col_expr(Column::SnoozedUntil, Expr::value(it.snoozed_until))
        .col_expr(Column::Note, Expr::value(it.note.clone()))
        .filter(Column::Id.eq(it.id.as_uuid()))
        .exec(&**tx)
        .await?;
    Ok(())
}
