//! Exceptions (D6): opened and closed in the transaction that changes the fact.

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect,
};

use super::WriteTx;
use super::entities::exception;
use super::error::StoreError;
use crate::domain::context::Context;
use crate::domain::exception::ExceptionKind;

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
    let row = exception::ActiveModel {
        id: Set(context.new_uuid()),
        kind: Set(kind.name().to_owned()),
        subject: Set(subject.to_owned()),
        detail: Set(detail.to_owned()),
        remedy: Set(remedy.to_owned()),
        opened_at: Set(context.now()),
        closed_at: Set(None),
    };
    exception::Entity::insert(row)
        .exec_without_returning(&**tx)
        .await?;
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
