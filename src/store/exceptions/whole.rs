//! Settling all open exceptions of a kind at once, for a look that sees everything there is of it.

use std::collections::HashMap;

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{open_subjects, settle};
use crate::domain::context::Context;
use crate::domain::exception::{ExceptionKind, NewException};
use crate::store::entities::exception::{Column, Entity};
use crate::store::{StoreError, WriteTx};

/// Makes the open exceptions of a kind those that are wanted, by subject with their details: opens what is new, says anew what
/// reads differently, closes the rest.
///
/// # Errors
/// When the database refuses.
pub async fn settle_kind(
    tx: &WriteTx,
    context: &Context,
    kind: ExceptionKind,
    wanted: HashMap<String, String>,
) -> Result<(), StoreError> {
    let mut subjects = open_subjects(&**tx, kind).await?;
    for subject in &subjects {
        let Some(detail) = wanted.get(subject) else {
            continue;
        };
        Entity::update_many()
            .col_expr(Column::Detail, Expr::value(detail.as_str()))
            .filter(Column::Kind.eq(kind.name()))
            .filter(Column::Subject.eq(subject.as_str()))
            .filter(Column::ClosedAt.is_null())
            .filter(Column::Detail.ne(detail.as_str()))
            .exec(&**tx)
            .await?;
    }
    subjects.extend(wanted.keys().cloned());
    subjects.sort_unstable();
    subjects.dedup();
    let wanted = wanted.into_iter().map(|(subject, detail)| NewException {
        kind,
        subject,
        detail,
        import_of: None,
    });
    settle(tx, context, &[kind], &subjects, wanted.collect()).await?;
    Ok(())
}
