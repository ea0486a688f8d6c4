//! Writes rows as JSON. By hand into one buffer, because a page has up to 5000 of them.

use std::io::Write;

use chrono::{DateTime, Utc};

use super::cell::{Cell, Slot, instant};
use super::expand::{Expand, Index};
use super::query::{Annotations, Query};
use crate::simulator::world::{Kind, OWNER, Row, Table, World};

/// Writes a text as a JSON string.
pub(super) fn text(out: &mut Vec<u8>, value: &str) {
    // Writing into memory cannot fail.
    let _ = serde_json::to_writer(out, value);
}

/// What is needed to write rows of one query.
pub(super) struct Presenter<'q, 'w> {
    pub table: &'static Table,
    pub query: &'q Query,
    pub world: &'w World,
    root: &'q str,
    indexes: Vec<(&'q Expand, Index<'w>)>,
}

impl<'q, 'w> Presenter<'q, 'w> {
    /// Prepares to write these rows.
    pub fn new(
        table: &'static Table,
        query: &'q Query,
        world: &'w World,
        rows: &[&Row],
        root: &'q str,
    ) -> Self {
        let indexes = query
            .expand
            .iter()
            .map(|expand| (expand, expand.index(world, rows)))
            .collect();
        Self {
            table,
            query,
            world,
            root,
            indexes,
        }
    }

    /// Writes one row; `head` comes first inside the braces.
    pub fn row(&self, out: &mut Vec<u8>, row: &Row, head: &str) {
        out.push(b'{');
        out.extend(head.as_bytes());
        let _ = write!(out, "\"@odata.etag\":\"W/\\\"{}\\\"\"", row.version);
        for slot in &self.query.slots {
            self.column(out, row, slot);
        }
        for (expand, index) in &self.indexes {
            self.expansion(out, row, expand, index);
        }
        out.push(b'}');
    }

    fn column(&self, out: &mut Vec<u8>, row: &Row, slot: &Slot) {
        let cell = slot.cell(self.table, row);
        if let Some(cell) = &cell {
            self.annotations(out, slot, cell);
        }
        out.push(b',');
        text(out, slot.column.property);
        out.push(b':');
        match cell {
            Some(cell) => value(out, &cell),
            None => out.extend(b"null"),
        }
    }

    fn annotations(&self, out: &mut Vec<u8>, slot: &Slot, cell: &Cell<'_>) {
        let Annotations {
            formatted,
            navigation,
            lookup,
            ..
        } = self.query.annotations;
        if !formatted && !navigation && !lookup {
            return;
        }
        let property = slot.column.property;
        let mut annotate = |name: &str, value: &str| {
            out.push(b',');
            text(out, &format!("{property}@{name}"));
            out.push(b':');
            text(out, value);
        };
        if formatted && let Some(label) = self.label(slot, cell) {
            annotate("OData.Community.Display.V1.FormattedValue", &label);
        }
        let Cell::Reference(table, _) = cell else {
            return;
        };
        if navigation {
            let many = matches!(slot.column.kind, Kind::Lookup(to) if to.len() > 1);
            let name = match slot.column.name {
                name @ "parentcustomerid" if many => format!("{name}_{table}"),
                name => name.to_owned(),
            };
            annotate("Microsoft.Dynamics.CRM.associatednavigationproperty", &name);
        }
        if lookup {
            annotate("Microsoft.Dynamics.CRM.lookuplogicalname", table);
        }
    }

    fn label(&self, slot: &Slot, cell: &Cell<'_>) -> Option<String> {
        match (cell, slot.column.kind) {
            (Cell::Whole(number), Kind::Choice(first, labels)) => usize::try_from(number - first)
                .ok()
                .and_then(|at| labels.get(at))
                .map(|label| (*label).to_owned()),
            (Cell::Whole(number), _) => Some(grouped(&number.to_string())),
            (Cell::Decimal(number), _) => Some(format!("${}", grouped(&format!("{number:.2}")))),
            (Cell::Flag(flag), _) => Some(if *flag { "Yes" } else { "No" }.to_owned()),
            (Cell::Instant(seconds), _) => Some(local_time(*seconds)),
            (Cell::Reference(_, id), _) if *id == OWNER => Some("Simulated Owner".to_owned()),
            (Cell::Reference(table, id), _) => self.name_of(table, *id),
            (Cell::Text(_) | Cell::Id(_), _) => None,
        }
    }

    fn name_of(&self, table: &str, id: uuid::Uuid) -> Option<String> {
        let rows = if table == "contact" {
            &self.world.contacts
        } else {
            &self.world.accounts
        };
        let (column, _) = rows.table.column(rows.table.primary_name)?;
        rows.get(id)?.packed.text(column).map(str::to_owned)
    }

    fn expansion(&self, out: &mut Vec<u8>, row: &Row, expand: &Expand, index: &Index<'w>) {
        out.push(b',');
        text(out, expand.navigation.name);
        out.push(b':');
        let to = expand.navigation.to;
        if expand.navigation.many {
            let rows = expand.many(index, row);
            let inner = Presenter::new(to, &expand.query, self.world, &rows, self.root);
            out.push(b'[');
            for (at, row) in rows.into_iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                inner.row(out, row, "");
            }
            out.push(b']');
            self.link_to_expanded(out, row, expand);
        } else if let Some(found) = expand.one(self.world, row) {
            if expand.reference {
                out.extend(b"{\"@odata.id\":");
                text(out, &format!("{}/{}({})", self.root, to.set, found.id));
                out.push(b'}');
            } else {
                let inner = Presenter::new(to, &expand.query, self.world, &[found], self.root);
                inner.row(out, found, "");
            }
        } else {
            out.extend(b"null");
        }
    }

    /// The address of the expanded rows, all of them, without anything about paging.
    fn link_to_expanded(&self, out: &mut Vec<u8>, row: &Row, expand: &Expand) {
        let name = expand.navigation.name;
        out.push(b',');
        text(out, &format!("{name}@odata.nextLink"));
        out.push(b':');
        let (root, set) = (self.root, self.table.set);
        let mut link = format!("{root}/{set}({})/{name}", row.id);
        if !expand.options.is_empty() {
            link = format!("{link}?{}", expand.options);
        }
        text(out, &link);
    }
}

/// A number with a comma between thousands, as an English user reads it.
fn grouped(number: &str) -> String {
    let (whole, fraction) = number
        .split_once('.')
        .map_or((number, None), |(a, b)| (a, Some(b)));
    let (sign, digits) = whole
        .strip_prefix('-')
        .map_or(("", whole), |digits| ("-", digits));
    let mut text = String::from(sign);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    match fraction {
        Some(fraction) => format!("{text}.{fraction}"),
        None => text,
    }
}

/// An instant as a user of the United States in UTC reads it: `8/22/2017 8:10 AM`.
fn local_time(seconds: i64) -> String {
    let instant = DateTime::<Utc>::from_timestamp(seconds, 0).unwrap_or_default();
    instant.format("%-m/%-d/%Y %-I:%M %p").to_string()
}

fn value(out: &mut Vec<u8>, cell: &Cell<'_>) {
    // Writing into memory cannot fail.
    let _ = match cell {
        Cell::Text(value) => {
            text(out, value);
            Ok(())
        }
        Cell::Whole(number) => write!(out, "{number}"),
        Cell::Decimal(number) => write!(out, "{number}"),
        Cell::Flag(flag) => write!(out, "{flag}"),
        Cell::Instant(seconds) => write!(out, "\"{}\"", instant(*seconds)),
        Cell::Id(id) | Cell::Reference(_, id) => write!(out, "\"{id}\""),
    };
}
