//! How many exceptions of each kind are open, by the hour they were raised in: written in the transaction that opens or closes
//! them, so that counting does not read hundreds of thousands of rows.
//!
//! What surprises: every change adds rows and none is ever updated, so that two transactions never wait for one another's
//! counts; [`fold`] adds the rows up from time to time.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::sea_query::{Cond, Expr};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use uuid::Uuid;

pub use super::care::KindCount;
use crate::domain::context::Context;
use crate::domain::exception::ExceptionKind;
use crate::store::entities::exception;
use crate::store::entities::exception_tally::{ActiveModel, Column, Entity};
use crate::store::{StoreError, WriteTx, bulk};

const HOUR: i64 = 3600;
/// How many more of a kind are open that were raised in an hour.
#[derive(Debug, Default)]
pub(super) struct Changes(BTreeMap<(String, i64), i64>);

const fn hour_of(at: DateTime<Utc>) -> i64 {
    at.timestamp().div_euclid(HOUR)
}

impl Changes {
    /// One of this kind, raised then, was opened (1) or closed (-1).
    pub(super) fn add(&mut self, kind: &str, raised_at: DateTime<Utc>, change: i64) {
        let hour = (kind.to_owned(), hour_of(raised_at));
        *self.0.entry(hour).or_default() += change;
    }

    /// Writes them.
    pub(super) async fn keep(self, tx: &WriteTx, context: &Context) -> Result<(), StoreError> {
        let rows =
            self.0
                .into_iter()
                .filter(|(_, change)| *change != 0)
                .map(|((kind, hour), change)| ActiveModel {
                    id: Set(context.new_uuid()),
                    kind: Set(kind),
                    hour: Set(hour),
                    change: Set(change),
                });
        bulk::insert(tx, rows).await
    }
}

/// Adds the rows up to one for each kind and hour. Only one may do so at a time.
///
/// # Errors
/// When the database refuses.
pub async fn fold(tx: &WriteTx, context: &Context) -> Result<(), StoreError> {
    let rows = Entity::find().all(&**tx).await?;
    let mut sums = Changes::default();
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    for row in rows {
        *sums.0.entry((row.kind, row.hour)).or_default() += row.change;
    }
    if sums.0.len() == ids.len() {
        return Ok(());
    }
    for chunk in ids.chunks(bulk::IDS_AT_ONCE) {
        Entity::delete_many()
            .filter(Column::Id.is_in(chunk.iter().copied()))
            .exec(&**tx)
            .await?;
    }
    sums.keep(tx, context).await
}

/// How many are open in all, snoozed ones too.
///
/// # Errors
/// When the database refuses.
pub async fn open(connection: &impl ConnectionTrait) -> Result<i64, StoreError> {
    let sum: Option<Option<i64>> = Entity::find()
        .select_only()
        .expr_as(Expr::cust("CAST(SUM(change) AS BIGINT)"), "open")
        .into_tuple()
        .one(connection)
        .await?;
    Ok(sum.flatten().unwrap_or_default())
}

/// The ages that are told apart, in days.
const AGES: [i64; 3] = [1, 7, 30];

/// Of one kind: how many are open, and for each age how many were raised in later hours than it begins in, and in that very hour.
type Row = (String, i64, i64, i64, i64, i64, i64, i64);

/// How many of each kind are open, by age, snoozed ones too. Exceptions themselves are read only for the three hours that an
/// age begins in.
///
/// # Errors
/// When the database refuses.
pub async fn counts(
    connection: &impl ConnectionTrait,
    now: DateTime<Utc>,
) -> Result<Vec<KindCount>, StoreError> {
    let begins = AGES.map(|days| now - TimeDelta::days(days));
    // The engines do not agree on the type of a sum.
    let sum = |what: &str| Expr::cust(format!("CAST(SUM({what}) AS BIGINT)"));
    let mut query = Entity::find()
        .select_only()
        .column(Column::Kind)
        .expr_as(sum("change"), "open");
    let names = [
        ("after_day", "in_day"),
        ("after_week", "in_week"),
        ("after_month", "in_month"),
    ];
    for ((after, within), begin) in names.into_iter().zip(begins) {
        let hour = hour_of(begin);
        let of = |how: &str| {
            sum(&format!(
                "CASE WHEN hour {how} {hour} THEN change ELSE 0 END"
            ))
        };
        query = query.expr_as(of(">"), after).expr_as(of("="), within);
    }
    let rows: Vec<Row> = query
        .group_by(Column::Kind)
        .order_by_asc(Column::Kind)
        .into_tuple()
        .all(connection)
        .await?;
    let mut younger = Vec::with_capacity(AGES.len());
    let in_hour: [fn(&Row) -> i64; 3] = [|row| row.3, |row| row.5, |row| row.7];
    for (begin, in_hour) in begins.into_iter().zip(in_hour) {
        let begun = rows.iter().filter(|row| in_hour(row) != 0);
        let kinds: Vec<&str> = begun.map(|row| row.0.as_str()).collect();
        younger.push(in_the_hour_after(connection, &kinds, begin).await?);
    }
    let open = rows.into_iter().filter(|row| row.1 != 0);
    open.map(|row| {
        let later = [row.2, row.4, row.6];
        let mut within = later
            .into_iter()
            .zip(&younger)
            .map(|(later, of)| later + of.get(&row.0).copied().unwrap_or_default());
        let mut next = || within.next().unwrap_or_default();
        Ok(KindCount {
            kind: ExceptionKind::from_name(&row.0)
                .ok_or_else(|| StoreError::impossible("exception_tally", "kind", "-", &row.0))?,
            open: row.1,
            within_day: next(),
            within_week: next(),
            within_month: next(),
        })
    })
    .collect()
}

/// Counts, of these kinds, what was raised after that instant and in the same hour.
async fn in_the_hour_after(
    connection: &impl ConnectionTrait,
    kinds: &[&str],
    instant: DateTime<Utc>,
) -> Result<BTreeMap<String, i64>, StoreError> {
    use exception::Column;
    let next_hour = DateTime::from_timestamp((hour_of(instant) + 1) * HOUR, 0);
    let (false, Some(next_hour)) = (kinds.is_empty(), next_hour) else {
        return Ok(BTreeMap::new());
    };
    let raised = Cond::all()
        .add(Column::ClosedAt.is_null())
        .add(Column::Kind.is_in(kinds.iter().copied()))
        .add(Column::OpenedAt.gt(instant))
        .add(Column::OpenedAt.lt(next_hour));
    let rows: Vec<(String, i64)> = exception::Entity::find()
        .select_only()
        .column(Column::Kind)
        .column_as(Column::Kind.count(), "open")
        .filter(raised)
        .group_by(Column::Kind)
        .into_tuple()
        .all(connection)
        .await?;
    Ok(rows.into_iter().collect())
}
