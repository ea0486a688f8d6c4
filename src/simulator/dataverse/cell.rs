//! The value of one column of one row, whether it is stored, comes from the row itself, or is worked out from others.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::simulator::world::{ACCOUNT, Column, ColumnId, OWNER, Referenced, Row, Table, ValueRef};

/// A value as it is compared and written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell<'r> {
    Text(Cow<'r, str>),
    Whole(i64),
    Decimal(f64),
    Flag(bool),
    /// Seconds since 1970.
    Instant(i64),
    Id(Uuid),
    Reference(&'static str, Uuid),
}

/// Where a column's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Stored,
    Key,
    Version,
    Created,
    Modified,
    Composite,
    Owner,
    BusinessUnit,
    /// The parent of a contact, when it is an account.
    ParentAccount,
    /// A column that is never null.
    Default(i64),
    NotMerged,
}

/// A column, resolved once for many rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    pub id: ColumnId,
    pub column: &'static Column,
    source: Source,
}

impl Slot {
    /// The column that is read as `property`.
    pub fn of(table: &Table, property: &str) -> Option<Self> {
        let (id, column) = table.column(property)?;
        (column.property == property).then(|| Self::at(table, id, column))
    }

    /// All columns of a table.
    pub fn all(table: &Table) -> Vec<Self> {
        (0_u8..)
            .zip(table.columns)
            .map(|(id, column)| Self::at(table, id, column))
            .collect()
    }

    fn at(table: &Table, id: ColumnId, column: &'static Column) -> Self {
        let source = match column.name {
            "accountid" if table.name == ACCOUNT.name => Source::Key,
            "accountid" => Source::ParentAccount,
            "contactid" => Source::Key,
            "versionnumber" => Source::Version,
            "createdon" => Source::Created,
            "modifiedon" => Source::Modified,
            "address1_composite" => Source::Composite,
            "ownerid" => Source::Owner,
            "owningbusinessunit" => Source::BusinessUnit,
            "statecode" => Source::Default(0),
            "statuscode" => Source::Default(1),
            "merged" => Source::NotMerged,
            _ => Source::Stored,
        };
        Self { id, column, source }
    }

    /// The value in a row; `None` is null.
    pub fn cell<'r>(&self, table: &Table, row: &'r Row) -> Option<Cell<'r>> {
        let stored = || row.packed.get(self.id).map(Cell::from);
        match self.source {
            Source::Stored => stored(),
            Source::Key => Some(Cell::Id(row.id)),
            Source::Version => i64::try_from(row.version).ok().map(Cell::Whole),
            Source::Created => Some(Cell::Instant(i64::from(row.created))),
            Source::Modified => Some(Cell::Instant(i64::from(row.modified))),
            Source::Composite => composite(table, row),
            Source::Owner => stored().or(Some(Cell::Reference("systemuser", OWNER))),
            Source::BusinessUnit => Some(Cell::Reference("businessunit", OWNER)),
            Source::ParentAccount => {
                let (parent, _) = table.column("parentcustomerid")?;
                match row.packed.get(parent)? {
                    ValueRef::Reference(Referenced::Account, id) => {
                        Some(Cell::Reference("account", id))
                    }
                    _ => None,
                }
            }
            Source::Default(value) => stored().or(Some(Cell::Whole(value))),
            Source::NotMerged => stored().or(Some(Cell::Flag(false))),
        }
    }
}

impl<'r> From<ValueRef<'r>> for Cell<'r> {
    fn from(value: ValueRef<'r>) -> Self {
        match value {
            ValueRef::Text(text) => Self::Text(Cow::Borrowed(text)),
            ValueRef::Whole(number) => Self::Whole(number),
            ValueRef::Decimal(number) => Self::Decimal(number),
            ValueRef::Flag(flag) => Self::Flag(flag),
            ValueRef::Reference(table, id) => Self::Reference(table.name(), id),
        }
    }
}

fn composite(table: &Table, row: &Row) -> Option<Cell<'static>> {
    let part = |name: &str| table.column(name).and_then(|(id, _)| row.packed.text(id));
    let town = [part("address1_postalcode"), part("address1_city")];
    let town: Vec<&str> = town.into_iter().flatten().collect();
    let town = town.join(" ");
    let lines = [
        part("address1_line1"),
        Some(town.as_str()),
        part("address1_country"),
    ];
    let lines: Vec<&str> = lines
        .into_iter()
        .flatten()
        .filter(|line| !line.is_empty())
        .collect();
    (!lines.is_empty()).then(|| Cell::Text(Cow::Owned(lines.join("\r\n"))))
}

/// An instant as Dataverse writes it.
pub(super) fn instant(seconds: i64) -> String {
    DateTime::<Utc>::from_timestamp(seconds, 0)
        .unwrap_or_default()
        .to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A value as JSON.
pub(super) fn json_of(cell: &Cell<'_>) -> Json {
    match cell {
        Cell::Text(text) => json!(text),
        Cell::Whole(number) => json!(number),
        Cell::Decimal(number) => json!(number),
        Cell::Flag(flag) => json!(flag),
        Cell::Instant(seconds) => json!(instant(*seconds)),
        Cell::Id(id) | Cell::Reference(_, id) => json!(id),
    }
}
