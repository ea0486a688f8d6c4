//! Where the change feed of each mirrored table goes on. A cursor is only moved by whoever saw the last one, so that several
//! may pull at once and no page is written over a newer one.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use crate::domain::context::Context;
use crate::domain::ports::crm::{ChangeCursor, DirectoryTable, MirrorState};
use crate::store::entities::crm_feed;
use crate::store::{StoreError, WriteTx};

const NEXT: &str = "next";
const DELTA: &str = "delta";

/// How far a table has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// The table.
    pub table: DirectoryTable,
    /// Where it goes on; `None` reads everything.
    pub cursor: Option<ChangeCursor>,
    /// Grows by one with each reading of everything.
    pub generation: i64,
    /// A reading of everything is under way: rows of older generations go when it ends.
    pub reading_everything: bool,
    /// When it was last moved, and its version: it differs after each move. `None` before the first one.
    pub moved_at: Option<DateTime<Utc>>,
}

/// How far this table has been read.
///
/// # Errors
/// When the database refuses, or its row is impossible.
pub async fn feed(
    connection: &impl ConnectionTrait,
    table: DirectoryTable,
) -> Result<Feed, StoreError> {
    let found = crm_feed::Entity::find_by_id(table.name()).one(connection);
    let Some(row) = found.await? else {
        return Ok(Feed {
            table,
            cursor: None,
            generation: 1,
            reading_everything: true,
            moved_at: None,
        });
    };
    let cursor = match (row.cursor_kind.as_deref(), row.cursor) {
        (None, None) => None,
        (Some(NEXT), Some(link)) => Some(ChangeCursor::Next(link)),
        (Some(DELTA), Some(link)) => Some(ChangeCursor::Delta(link)),
        (kind, _) => {
            let kind = kind.unwrap_or_default();
            return Err(StoreError::impossible(
                "crm_feed",
                "cursor_kind",
                row.table_name,
                kind,
            ));
        }
    };
    Ok(Feed {
        table,
        cursor,
        generation: row.generation,
        reading_everything: row.reading_everything,
        moved_at: Some(row.updated_at),
    })
}

/// Moves a feed on from where `from` saw it, and gives it as it is now. `None` when somebody else moved it meanwhile: then
/// nothing was written, and the caller's page must not be.
///
/// # Errors
/// When the database refuses.
pub async fn move_feed(
    tx: &WriteTx,
    context: &Context,
    from: &Feed,
    to: Feed,
) -> Result<Option<Feed>, StoreError> {
    use crm_feed::Column;
    let now = context.now();
    let (kind, link) = match &to.cursor {
        None => (None, None),
        Some(ChangeCursor::Next(link)) => (Some(NEXT), Some(link)),
        Some(ChangeCursor::Delta(link)) => (Some(DELTA), Some(link)),
    };
    let (kind, link) = (kind.map(str::to_owned), link.cloned());
    let completed = from.reading_everything && !to.reading_everything;
    let Some(moved_at) = from.moved_at else {
        let row = crm_feed::ActiveModel {
            table_name: Set(to.table.name().to_owned()),
            cursor_kind: Set(kind),
            cursor: Set(link),
            generation: Set(to.generation),
            reading_everything: Set(to.reading_everything),
            completed_at: Set(completed.then_some(now)),
            updated_at: Set(now),
        };
        let inserted = crm_feed::Entity::insert(row)
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(&**tx)
            .await?;
        return Ok((inserted == 1).then_some(Feed {
            moved_at: Some(now),
            ..to
        }));
    };
    // The instant is the version too, so it must grow even when the clock stands still or was set back.
    let now = now.max(moved_at + TimeDelta::microseconds(1));
    let mut update = crm_feed::Entity::update_many()
        .col_expr(Column::CursorKind, Expr::value(kind))
        .col_expr(Column::Cursor, Expr::value(link))
        .col_expr(Column::Generation, Expr::value(to.generation))
        .col_expr(
            Column::ReadingEverything,
            Expr::value(to.reading_everything),
        )
        .col_expr(Column::UpdatedAt, Expr::value(now));
    if completed {
        update = update.col_expr(Column::CompletedAt, Expr::value(Some(now)));
    }
    let moved = update
        .filter(Column::TableName.eq(to.table.name()))
        .filter(Column::UpdatedAt.eq(moved_at))
        .exec(&**tx)
        .await?;
    Ok((moved.rows_affected == 1).then_some(Feed {
        moved_at: Some(now),
        ..to
    }))
}

/// Names what the mirror holds now.
///
/// # Errors
/// When the database refuses.
pub async fn state(connection: &impl ConnectionTrait) -> Result<MirrorState, StoreError> {
    let rows = crm_feed::Entity::find().all(connection).await?;
    let moved_at = |table: DirectoryTable| {
        let row = rows.iter().find(|row| row.table_name == table.name());
        row.map(|row| row.updated_at)
    };
    Ok(MirrorState {
        accounts: moved_at(DirectoryTable::Accounts),
        contacts: moved_at(DirectoryTable::Contacts),
    })
}
