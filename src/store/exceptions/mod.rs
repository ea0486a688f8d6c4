//! Exceptions (D6): opened and closed in the transaction that changes the fact, each new one told of.

pub mod care;
pub mod import;
pub mod tally;
pub mod whole;

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Cond, Expr, LockType, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use uuid::Uuid;

use super::entities::exception::{self, Column};
use super::error::StoreError;
use super::{WriteTx, bulk};
use crate::domain::context::Context;
use crate::domain::event::NewEvent;
use crate::domain::exception::{ExceptionKind, NewException, OpenException};
use crate::domain::ids::{ExceptionId, ProviderId};

/// Opens an exception, unless one of this kind is already open for the subject: then it says how it is now.
///
/// # Errors
/// When the database refuses.
pub async fn open(
    tx: &WriteTx,
    context: &Context,
    kind: ExceptionKind,
    subject: &str,
    detail: &str,
    remedy: &str,
) -> Result<bool, StoreError> {
    let already = exception::Entity::find()
        .filter(exception::Column::Kind.eq(kind.name()))
        .filter(exception::Column::Subject.eq(subject))
        .filter(exception::Column::ClosedAt.is_null())
        .one(&**tx)
        .await?;
    if let Some(already) = already {
        if already.detail != detail || already.remedy != remedy {
            say(tx, already.id, detail, remedy).await?;
        }
        return Ok(false);
    }
    let opened = OpenException {
        id: ExceptionId::new(context.new_uuid()),
        kind,
        subject: subject.to_owned(),
        detail: detail.to_owned(),
        remedy: remedy.to_owned(),
        opened_at: context.now(),
    };
    Ok(insert(tx, context, vec![(opened, None)]).await? == 1)
}

/// Says of an open exception how it is now. It stays the same exception, known since then and told of once.
async fn say(tx: &WriteTx, id: Uuid, detail: &str, remedy: &str) -> Result<(), StoreError> {
    exception::Entity::update_many()
        .col_expr(Column::Detail, Expr::value(detail))
        .col_expr(Column::Remedy, Expr::value(remedy))
        .filter(Column::Id.eq(id))
        .filter(Column::ClosedAt.is_null())
        .exec(&**tx)
        .await?;
    Ok(())
}

/// Closes the open exception of this kind and subject, if there is one.
///
/// # Errors
/// When the database refuses.
pub async fn close(
    tx: &WriteTx,
    context: &Context,
    kind: ExceptionKind,
    subject: &str,
) -> Result<bool, StoreError> {
    let one = Cond::all()
        .add(Column::Kind.eq(kind.name()))
        .add(Column::Subject.eq(subject));
    Ok(close_those(tx, context, one).await? > 0)
}

/// Closes the open ones among these, and says how many.
async fn close_those(tx: &WriteTx, context: &Context, those: Cond) -> Result<usize, StoreError> {
    // Locked, so that two who close the same one count it once.
    let closing: Vec<(Uuid, String, DateTime<Utc>)> = exception::Entity::find()
        .select_only()
        .columns([Column::Id, Column::Kind, Column::OpenedAt])
        .filter(those)
        .filter(Column::ClosedAt.is_null())
        .order_by_asc(Column::Id)
        .lock(LockType::Update)
        .into_tuple()
        .all(&**tx)
        .await?;
    if closing.is_empty() {
        return Ok(0);
    }
    exception::Entity::update_many()
        .col_expr(Column::ClosedAt, Expr::value(context.now()))
        .filter(Column::Id.is_in(closing.iter().map(|(id, _, _)| *id)))
        .exec(&**tx)
        .await?;
    let closed = closing.len();
    let mut changes = tally::Changes::default();
    for (_, kind, opened_at) in closing {
        changes.add(&kind, opened_at, -1);
    }
    changes.keep(tx, context).await?;
    Ok(closed)
}

/// Subjects of the open exceptions of this kind.
///
/// # Errors
/// When the database refuses.
pub async fn open_subjects(
    connection: &impl ConnectionTrait,
    kind: ExceptionKind,
) -> Result<Vec<String>, StoreError> {
    let subjects = exception::Entity::find()
        .select_only()
        .column(exception::Column::Subject)
        .filter(exception::Column::Kind.eq(kind.name()))
        .filter(exception::Column::ClosedAt.is_null())
        .into_tuple()
        .all(connection)
        .await?;
    Ok(subjects)
}

/// The open exceptions of these kinds and subjects.
///
/// # Errors
/// When the database refuses.
pub async fn open_of(
    connection: &impl ConnectionTrait,
    kinds: &[ExceptionKind],
    subjects: &[String],
) -> Result<Vec<(ExceptionKind, String)>, StoreError> {
    let mut open = Vec::new();
    for chunk in subjects.chunks(bulk::IDS_AT_ONCE) {
        let rows: Vec<(String, String)> = exception::Entity::find()
            .select_only()
            .columns([Column::Kind, Column::Subject])
            .filter(Column::Subject.is_in(chunk))
            .filter(Column::Kind.is_in(kinds.iter().map(|kind| kind.name())))
            .filter(Column::ClosedAt.is_null())
            .into_tuple()
            .all(connection)
            .await?;
        let known = rows.into_iter();
        open.extend(known.filter_map(|(kind, it)| Some((ExceptionKind::from_name(&kind)?, it))));
    }
    Ok(open)
}

/// Settles the exceptions of these kinds and subjects: opens what is wanted and not open, closes what is open and not wanted,
/// and has those that stay open say how it is now. Tells of each new one. Gives how many were opened and how many closed.
///
/// # Errors
/// When the database refuses.
pub async fn settle(
    tx: &WriteTx,
    context: &Context,
    kinds: &[ExceptionKind],
    subjects: &[String],
    wanted: Vec<NewException>,
) -> Result<(usize, usize), StoreError> {
    let mut open: HashMap<(String, String), (Uuid, String)> = HashMap::new();
    for chunk in subjects.chunks(bulk::IDS_AT_ONCE) {
        let rows: Vec<(Uuid, String, String, String)> = exception::Entity::find()
            .select_only()
            .columns([Column::Id, Column::Kind, Column::Subject, Column::Detail])
            .filter(Column::Subject.is_in(chunk))
            .filter(Column::Kind.is_in(kinds.iter().map(|kind| kind.name())))
            .filter(Column::ClosedAt.is_null())
            .into_tuple()
            .all(&**tx)
            .await?;
        open.extend(
            rows.into_iter()
                .map(|(id, kind, subject, detail)| ((kind, subject), (id, detail))),
        );
    }
    let mut new = Vec::new();
    let mut reworded = BTreeMap::new();
    for it in wanted {
        match open.remove(&(it.kind.name().to_owned(), it.subject.clone())) {
            None => new.push(it),
            Some((id, detail)) if detail != it.detail => {
                reworded.insert(id, it);
            }
            Some(_) => {}
        }
    }
    // In the order of their ids, as all who lock several do.
    for (id, it) in reworded {
        say(tx, id, &it.detail, it.kind.remedy()).await?;
    }
    let obsolete: Vec<Uuid> = open.into_values().map(|(id, _)| id).collect();
    let mut closed = 0;
    for chunk in obsolete.chunks(bulk::IDS_AT_ONCE) {
        let those = Cond::all().add(Column::Id.is_in(chunk.iter().copied()));
        closed += close_those(tx, context, those).await?;
    }
    let opened = add(tx, context, new).await?;
    Ok((opened, closed))
}

/// Adds exceptions that were not open, and tells of each, unless it belongs to a first import. One that somebody else opened in
/// the meantime is passed over. Gives how many were added.
async fn add(tx: &WriteTx, context: &Context, new: Vec<NewException>) -> Result<usize, StoreError> {
    let now = context.now();
    let opened = new.into_iter().map(|it| {
        let opened = OpenException {
            id: ExceptionId::new(context.new_uuid()),
            kind: it.kind,
            subject: it.subject,
            detail: it.detail,
            remedy: it.kind.remedy().to_owned(),
            opened_at: now,
        };
        (opened, it.import_of)
    });
    insert(tx, context, opened.collect()).await
}

async fn insert(
    tx: &WriteTx,
    context: &Context,
    opened: Vec<(OpenException, Option<ProviderId>)>,
) -> Result<usize, StoreError> {
    let mut changes = tally::Changes::default();
    let mut added = 0;
    for chunk in opened.chunks(bulk::IDS_AT_ONCE) {
        let rows = chunk.iter().map(|(it, import_of)| exception::ActiveModel {
            id: Set(it.id.as_uuid()),
            kind: Set(it.kind.name().to_owned()),
            subject: Set(it.subject.clone()),
            detail: Set(it.detail.clone()),
            remedy: Set(it.remedy.clone()),
            opened_at: Set(it.opened_at),
            closed_at: Set(None),
            untold_of: Set(import_of.map(ProviderId::as_uuid)),
            ..Default::default()
        });
        let there = OnConflict::new().do_nothing().to_owned();
        let inserted = bulk::insert_or(tx, rows, there).await?;
        let mut there: Vec<&(OpenException, Option<ProviderId>)> = chunk.iter().collect();
        if usize::try_from(inserted) != Ok(chunk.len()) {
            let ids = chunk.iter().map(|(it, _)| it.id.as_uuid());
            let kept: HashSet<Uuid> = exception::Entity::find()
                .select_only()
                .column(Column::Id)
                .filter(Column::Id.is_in(ids))
                .into_tuple()
                .all(&**tx)
                .await?
                .into_iter()
                .collect();
            there.retain(|(it, _)| kept.contains(&it.id.as_uuid()));
        }
        added += there.len();
        for (it, _) in &there {
            changes.add(it.kind.name(), it.opened_at, 1);
        }
        let told = there.iter().filter(|(_, import_of)| import_of.is_none());
        let events = told.map(|(it, _)| NewEvent::exception_raised(it)).collect();
        super::outbox::publish(tx, context, events).await?;
    }
    changes.keep(tx, context).await?;
    Ok(added)
}
