//! `$expand`: rows that belong to a row. To one (a lookup, e.g. `primarycontactid`) or to many
//! (`contact_customer_accounts`).

use std::collections::HashMap;

use uuid::Uuid;

use super::errors::Refusal;
use super::filter;
use super::query::{Annotations, Query};
use super::tokens::split;
use crate::simulator::world::{
    ACCOUNT, CONTACT, ColumnId, Place, Referenced, Row, Rows, Table, ValueRef, World,
};

/// A navigation property.
#[derive(Debug)]
pub(super) struct Navigation {
    pub name: &'static str,
    from: &'static str,
    pub to: &'static Table,
    /// The lookup behind it: of the row itself, or of the rows that belong to it.
    pub lookup: &'static str,
    pub many: bool,
}

const fn navigation(
    from: &'static str,
    name: &'static str,
    to: &'static Table,
    lookup: &'static str,
    many: bool,
) -> Navigation {
    Navigation {
        name,
        from,
        to,
        lookup,
        many,
    }
}

static NAVIGATIONS: &[Navigation] = &[
    navigation(
        "account",
        "primarycontactid",
        &CONTACT,
        "primarycontactid",
        false,
    ),
    navigation(
        "account",
        "parentaccountid",
        &ACCOUNT,
        "parentaccountid",
        false,
    ),
    navigation("account", "masterid", &ACCOUNT, "masterid", false),
    navigation(
        "account",
        "contact_customer_accounts",
        &CONTACT,
        "parentcustomerid",
        true,
    ),
    navigation(
        "account",
        "account_parent_account",
        &ACCOUNT,
        "parentaccountid",
        true,
    ),
    navigation(
        "contact",
        "parentcustomerid_account",
        &ACCOUNT,
        "parentcustomerid",
        false,
    ),
    navigation(
        "contact",
        "parentcustomerid_contact",
        &CONTACT,
        "parentcustomerid",
        false,
    ),
    navigation("contact", "masterid", &CONTACT, "masterid", false),
    navigation(
        "contact",
        "account_primary_contact",
        &ACCOUNT,
        "primarycontactid",
        true,
    ),
];

/// The navigation property of that name.
pub(super) fn navigation_of(table: &Table, name: &str) -> Option<&'static Navigation> {
    NAVIGATIONS
        .iter()
        .find(|known| known.from == table.name && known.name == name)
}

/// One expansion with its own query.
#[derive(Debug)]
pub(super) struct Expand {
    pub navigation: &'static Navigation,
    pub query: Query,
    lookup: ColumnId,
}

impl Expand {
    /// Parses the text of `$expand`.
    pub fn parse(
        table: &'static Table,
        text: &str,
        annotations: Annotations,
    ) -> Result<Vec<Self>, Refusal> {
        split(text, ',')
            .into_iter()
            .map(|part| Self::single(table, part, annotations))
            .collect()
    }

    fn single(
        table: &'static Table,
        text: &str,
        annotations: Annotations,
    ) -> Result<Self, Refusal> {
        let (name, options) = match text.split_once('(') {
            Some((name, rest)) => (name.trim(), rest.strip_suffix(')').unwrap_or(rest)),
            None => (text, ""),
        };
        let navigation =
            navigation_of(table, name).ok_or_else(|| Refusal::no_property(name, table.name))?;
        let options: HashMap<&str, &str> = split(options, ';')
            .into_iter()
            .filter_map(|option| option.split_once('='))
            .map(|(key, value)| (key.trim(), value.trim()))
            .collect();
        let option = |key: &str| options.get(key).map(|value| (*value).to_owned());
        let query = Query::parse(navigation.to, option, annotations)?;
        let of = if navigation.many {
            navigation.to
        } else {
            table
        };
        let (lookup, _) = of
            .column(navigation.lookup)
            .ok_or_else(|| Refusal::no_property(navigation.lookup, of.name))?;
        Ok(Self {
            navigation,
            query,
            lookup,
        })
    }

    /// Finds what belongs to each of many rows in one walk over the other table.
    pub fn index<'w>(&self, world: &'w World, wanted: &[&Row]) -> Index<'w> {
        let rows = rows_of(world, self.navigation.to);
        let mut many: HashMap<Uuid, Vec<(Place, &'w Row)>> = HashMap::new();
        if self.navigation.many {
            many = wanted.iter().map(|row| (row.id, Vec::new())).collect();
            for (place, row) in rows.from(0) {
                if let Some(ValueRef::Reference(_, id)) = row.packed.get(self.lookup)
                    && let Some(found) = many.get_mut(&id)
                    && self
                        .query
                        .filter
                        .as_ref()
                        .is_none_or(|f| f.admits(self.navigation.to, row))
                {
                    found.push((place, row));
                }
            }
        }
        Index { rows, many }
    }

    /// The row that a lookup leads to.
    pub fn one<'w>(&self, index: &Index<'w>, row: &Row) -> Option<&'w Row> {
        match row.packed.get(self.lookup)? {
            ValueRef::Reference(table, id) if referenced(self.navigation.to) == table => {
                index.rows.get(id)
            }
            _ => None,
        }
    }

    /// The rows that belong to a row, ordered and cut.
    pub fn many<'w>(&self, index: &Index<'w>, row: &Row) -> Vec<&'w Row> {
        let mut found: Vec<&Row> = index
            .many
            .get(&row.id)
            .into_iter()
            .flatten()
            .map(|(_, row)| *row)
            .collect();
        sort(&self.query, self.navigation.to, &mut found);
        found.truncate(self.query.top.unwrap_or(usize::MAX));
        found
    }
}

/// What was found for an expansion.
pub(super) struct Index<'w> {
    rows: &'w Rows,
    many: HashMap<Uuid, Vec<(Place, &'w Row)>>,
}

fn referenced(table: &Table) -> Referenced {
    if table.name == CONTACT.name {
        Referenced::Contact
    } else {
        Referenced::Account
    }
}

/// The rows of a table.
pub(super) fn rows_of<'w>(world: &'w World, table: &Table) -> &'w Rows {
    if table.name == CONTACT.name {
        &world.contacts
    } else {
        &world.accounts
    }
}

/// Sorts rows as the query asks; rows that are equal keep their order.
pub(super) fn sort(query: &Query, table: &Table, rows: &mut [&Row]) {
    if query.order.is_empty() {
        return;
    }
    rows.sort_by(|left, right| {
        query
            .order
            .iter()
            .map(|(slot, descending)| {
                let order = filter::order(slot.cell(table, left), slot.cell(table, right));
                if *descending { order.reverse() } else { order }
            })
            .find(|order| order.is_ne())
            .unwrap_or(std::cmp::Ordering::Equal)
    });
}
