//! Writes rows as JSON. By hand into one buffer, because a page has up to 5000 of them.

use std::io::Write;

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
    indexes: Vec<(&'q Expand, Index<'w>)>,
}

impl<'q, 'w> Presenter<'q, 'w> {
    /// Prepares to write these rows.
    pub fn new(table: &'static Table, query: &'q Query, world: &'w World, rows: &[&Row]) -> Self {
        let indexes = query
            .expand
            .iter()
            .map(|expand| (expand, expand.index(world, rows)))
            .collect();
        Self {
            table,
            query,
            world,
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
        let Annotations { formatted, lookup } = self.query.annotations;
        if !formatted && !lookup {
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
        if let (true, Cell::Reference(table, _)) = (lookup, cell) {
            let many = matches!(slot.column.kind, Kind::Lookup(to) if to.len() > 1);
            let name = slot.column.name;
            let navigation = match name {
                "parentcustomerid" if many => format!("{name}_{table}"),
                _ => name.to_owned(),
            };
            annotate(
                "Microsoft.Dynamics.CRM.associatednavigationproperty",
                &navigation,
            );
            annotate("Microsoft.Dynamics.CRM.lookuplogicalname", table);
        }
    }

    fn label(&self, slot: &Slot, cell: &Cell<'_>) -> Option<String> {
        match (cell, slot.column.kind) {
            (Cell::Whole(number), Kind::Choice(first, labels)) => usize::try_from(number - first)
                .ok()
                .and_then(|at| labels.get(at))
                .map(|label| (*label).to_owned()),
            (Cell::Whole(number), _) => Some(number.to_string()),
            (Cell::Decimal(number), _) => Some(format!("{number:.2}")),
            (Cell::Flag(flag), _) => Some(if *flag { "Yes" } else { "No" }.to_owned()),
            (Cell::Instant(seconds), _) => Some(instant(*seconds)),
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
            let inner = Presenter::new(to, &expand.query, self.world, &rows);
            out.push(b'[');
            for (at, row) in rows.into_iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                inner.row(out, row, "");
            }
            out.push(b']');
        } else if let Some(found) = expand.one(index, row) {
            Presenter::new(to, &expand.query, self.world, &[found]).row(out, found, "");
        } else {
            out.extend(b"null");
        }
    }
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
