//! `$expand`: rows that belong to a row. To one (a lookup, e.g. `primarycontactid`) or to many
//! (`contact_customer_accounts`).

use std::collections::HashMap;

use uuid::Uuid;

use super::cell::Slot;
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
    pub from: &'static str,
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

/// The lookup column behind a navigation property of `table`.
pub(super) fn lookup_of(navigation: &Navigation, table: &Table) -> Result<ColumnId, Refusal> {
    let of = if navigation.many {
        navigation.to
    } else {
        table
    };
    let found = of.column(navigation.lookup).map(|(id, _)| id);
    found.ok_or_else(|| Refusal::no_property(navigation.lookup, of.name))
}

/// The row that a lookup of a row leads to, when it leads to this navigation's table.
pub(super) fn follow<'w>(
    world: &'w World,
    navigation: &Navigation,
    lookup: ColumnId,
    row: &Row,
) -> Option<&'w Row> {
    match row.packed.get(lookup)? {
        ValueRef::Reference(table, id) if referenced(navigation.to) == table => {
            rows_of(world, navigation.to).get(id)
        }
        _ => None,
    }
}

/// The navigation properties of all tables.
pub(super) fn navigations() -> &'static [Navigation] {
    NAVIGATIONS
}

/// One expansion with its own query.
#[derive(Debug)]
pub(super) struct Expand {
    pub navigation: &'static Navigation,
    pub query: Query,
    /// Its options as they came, apart by `&`, for the link to the expanded rows.
    pub options: String,
    /// `name/$ref`: only the address of the row.
    pub reference: bool,
    lookup: ColumnId,
}

/// So many expansions may be asked for at once.
const MOST_EXPANSIONS: usize = 15;
const ONLY_SELECT_AND_FILTER: &str = "Only $select and $filter clause can be provided while doing $expand on many-to-one relationship or nested one-to-many relationship.";

impl Expand {
    /// Parses the text of `$expand`.
    pub fn parse(
        table: &'static Table,
        text: &str,
        annotations: Annotations,
    ) -> Result<Vec<Self>, Refusal> {
        let parts = split(text, ',');
        if parts.len() > MOST_EXPANSIONS {
            return Err(Refusal::query(format!(
                "At most {MOST_EXPANSIONS} $expand options are allowed."
            )));
        }
        parts
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
        let (name, reference) = name
            .strip_suffix("/$ref")
            .map_or((name, false), |name| (name, true));
        let navigation =
            navigation_of(table, name).ok_or_else(|| Refusal::no_property(name, table.name))?;
        if reference && navigation.many {
            let text = "Expand with $ref is only supported on lookup type navigation property.";
            return Err(Refusal::query(text));
        }
        let options = split(options, ';');
        let given: HashMap<&str, &str> = options
            .iter()
            .filter_map(|option| option.split_once('='))
            .map(|(key, value)| (key.trim(), value.trim()))
            .collect();
        check_options(navigation, &given)?;
        let option = |key: &str| given.get(key).map(|value| (*value).to_owned());
        let query = Query::parse(navigation.to, option, annotations)?;
        if navigation.many
            && query
                .expand
                .iter()
                .any(|inner| inner.navigation.many && inner.limited())
        {
            return Err(Refusal::query(ONLY_SELECT_AND_FILTER));
        }
        let lookup = lookup_of(navigation, table)?;
        Ok(Self {
            navigation,
            query,
            options: options
                .iter()
                .map(|option| written(option))
                .collect::<Vec<_>>()
                .join("&"),
            reference,
            lookup,
        })
    }

    /// Whether it is ordered or cut.
    fn limited(&self) -> bool {
        self.query.top.is_some() || !self.query.order.is_empty()
    }

    /// Finds what belongs to each of many rows in one walk over the other table.
    pub fn index<'w>(&self, world: &'w World, wanted: &[&Row]) -> Index<'w> {
        let mut many: HashMap<Uuid, Vec<(Place, &'w Row)>> = HashMap::new();
        if self.navigation.many {
            many = wanted.iter().map(|row| (row.id, Vec::new())).collect();
            for (place, row) in rows_of(world, self.navigation.to).from(0) {
                if let Some(ValueRef::Reference(_, id)) = row.packed.get(self.lookup)
                    && let Some(found) = many.get_mut(&id)
                    && self
                        .query
                        .filter
                        .as_ref()
                        .is_none_or(|filter| filter.admits(world, row))
                {
                    found.push((place, row));
                }
            }
        }
        Index { many }
    }

    /// The row that a lookup leads to.
    pub fn one<'w>(&self, world: &'w World, row: &Row) -> Option<&'w Row> {
        follow(world, self.navigation, self.lookup, row)
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
        sort(&self.query.order, self.navigation.to, &mut found);
        found.truncate(self.query.top.unwrap_or(usize::MAX));
        found
    }
}

/// What was found for an expansion.
pub(super) struct Index<'w> {
    many: HashMap<Uuid, Vec<(Place, &'w Row)>>,
}

/// Refuses the options that Dataverse does not take in an expansion.
fn check_options(navigation: &Navigation, given: &HashMap<&str, &str>) -> Result<(), Refusal> {
    const KNOWN: [&str; 5] = ["$select", "$filter", "$orderby", "$top", "$expand"];
    if let Some(other) = given.keys().find(|option| !KNOWN.contains(option)) {
        let text = format!("The query option '{other}' is not supported in $expand.");
        return Err(Refusal::query(text));
    }
    let limited = given.contains_key("$orderby") || given.contains_key("$top");
    if limited && (!navigation.many || given.contains_key("$expand")) {
        return Err(Refusal::query(ONLY_SELECT_AND_FILTER));
    }
    Ok(())
}

/// An option as it may stand in a link: only what would end it or is no ASCII is encoded, the rest stays readable.
fn written(option: &str) -> String {
    let mut out = String::with_capacity(option.len());
    for byte in option.bytes() {
        if byte.is_ascii_graphic() && !b"%&#+\"<>".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
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

/// Sorts rows; rows that are equal keep their order.
pub(super) fn sort(order: &[(Slot, bool)], table: &Table, rows: &mut [&Row]) {
    if order.is_empty() {
        return;
    }
    rows.sort_by(|left, right| {
        order
            .iter()
            .map(|(slot, descending)| {
                let order = filter::order(slot.cell(table, left), slot.cell(table, right));
                if *descending { order.reverse() } else { order }
            })
            .find(|order| order.is_ne())
            .unwrap_or(std::cmp::Ordering::Equal)
    });
}
