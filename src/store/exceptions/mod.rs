//! Exceptions (D6): opened and closed in the transaction that changes the fact, each new one told of.

pub mod care;
pub mod whole;

use std::collections::HashMap;

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect,
};
use uuid::Uuid;

use super::WriteTx;
use super::entities::exception::{self, Column};
use super::error::StoreError;
use crate::domain::context::Context;
use crate::domain::event::NewEvent;
use crate::domain::exception::{ExceptionKind, NewException, OpenException};
use crate::domain::ids::ExceptionId;

/// SQLite takes 32,766 variables in a statement; a row has at most eleven.
const CHUNK: usize = 2000;

/// Opens an exception, unless one of this kind is already open for the subject.
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
    if already.is_some() {
        return Ok(false);
    }
    let id = context.new_uuid();
    let row = exception::ActiveModel {
        id: Set(id),
        kind: Set(kind.name().to_owned()),
        subject: Set(subject.to_owned()),
        detail: Set(detail.to_owned()),
        remedy: Set(remedy.to_owned()),
        opened_at: Set(context.now()),
        closed_at: Set(None),
        ..Default::default()
    };
    let opened = OpenException {
        id: ExceptionId::new(id),
        kind,
        subject: subject.to_owned(),
        detail: detail.to_owned(),
        remedy: remedy.to_owned(),
        opened_at: context.now(),
    };
    exception::Entity::insert(row)
        .exec_without_returning(&**tx)
        .await?;
    super::outbox::publish(tx, context, vec![NewEvent::exception_raised(&opened)]).await?;
    Ok(true)
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
    let closed = exception::Entity::update_many()
        .col_expr(exception::Column::ClosedAt, Expr::value(context.now()))
        .filter(exception::Column::Kind.eq(kind.name()))
        .filter(exception::Column::Subject.eq(subject))
        .filter(exception::Column::ClosedAt.is_null())
        .exec(&**tx)
        .await?;
    Ok(closed.rows_affected > 0)
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

/// Settles the exceptions of these kinds and subjects: opens what is wanted and not open, closes what is open and not wanted.
/// Tells of each new one. Gives how many were opened and how many closed.
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
    let mut open: HashMap<(String, String), Uuid> = HashMap::new();
    for chunk in subjects.chunks(CHUNK) {
        let rows: Vec<(Uuid, String, String)> = exception::Entity::find()
            .select_only()
            .columns([Column::Id, Column::Kind, Column::Subject])
            .filter(Column::Subject.is_in(chunk))
            .filter(Column::Kind.is_in(kinds.iter().map(|kind| kind.name())))
            .filter(Column::ClosedAt.is_null())
            .into_tuple()
            .all(&**tx)
            .await?;
        open.extend(
            rows.into_iter()
                .map(|(id, kind, subject)| ((kind, subject), id)),
        );
    }
    let mut new = Vec::new();
    for it in wanted {
        if open
            .remove(&(it.kind.name().to_owned(), it.subject.clone()))
            .is_none()
        {
            new.push(it);
        }
    }
    let obsolete: Vec<Uuid> = open.into_values().collect();
    for chunk in obsolete.chunks(CHUNK) {
        exception::Entity::update_many()
            .col_expr(Column::ClosedAt, Expr::value(context.now()))
            .filter(Column::Id.is_in(chunk.iter().copied()))
            .exec(&**tx)
            .await?;
    }
    let opened = new.len();
    add(tx, context, new).await?;
    Ok((opened, obsolete.len()))
}

/// Adds exceptions that are known not to be open, and tells of each.
async fn add(tx: &WriteTx, context: &Context, new: Vec<NewException>) -> Result<(), StoreError> {
    let now = context.now();
    for chunk in new.chunks(CHUNK) {
        let opened: Vec<_> = chunk
            .iter()
            .map(|it| OpenException {
                id: ExceptionId::new(context.new_uuid()),
                kind: it.kind,
                subject: it.subject.clone(),
                detail: it.detail.clone(),
                remedy: it.kind.remedy().to_owned(),
                opened_at: now,
            })
            .collect();
        let rows = opened.iter().map(|it| exception::ActiveModel {
            id: Set(it.id.as_uuid()),
            kind: Set(it.kind.name().to_owned()),
            subject: Set(it.subject.clone()),
            detail: Set(it.detail.clone()),
            remedy: Set(it.remedy.clone()),
            opened_at: Set(now),
            closed_at: Set(None),
            ..Default::default()
        });
        exception::Entity::insert_many(rows)
            .exec_without_returning(&**tx)
            .await?;
        let events = opened.iter().map(NewEvent::exception_raised).collect();
        super::outbox::publish(tx, context, events).await?;
    }
    Ok(())
}
