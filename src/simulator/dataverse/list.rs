//! Reads a table: `GET /accounts?…`, page by page.
//!
//! A plain reading goes on from a place in the table, so it stays right while rows come and go. An ordered reading sorts
//! anew for each page and skips what was given; there rows that change between two pages may show twice or not at all, as
//! they may in Dataverse.

use actix_web::http::StatusCode;
use uuid::Uuid;

use super::changes;
use super::cookie::Cookie;
use super::errors::Refusal;
use super::expand::{Navigation, rows_of, sort};
use super::filter::Filter;
use super::present::{Presenter, text};
use super::query::{LARGEST_PAGE, Query, applied, preferred_page};
use super::route::root;
use crate::simulator::exchange::{Answer, Call};
use crate::simulator::simulation::Simulation;
use crate::simulator::world::{ColumnId, Place, Row, Table, ValueRef, World};

/// `$count` counts no further.
const COUNT_LIMIT: usize = 5000;

/// Answers a read of a whole table.
pub(super) fn answer(
    simulation: &Simulation,
    call: &Call,
    table: &'static Table,
) -> Result<Answer, Refusal> {
    let cookie = call
        .parameter("$skiptoken")
        .map(|text| Cookie::read(&text))
        .transpose()?;
    let tracking = call
        .preferences()
        .any(|preference| preference == "odata.track-changes")
        || cookie.is_some_and(|cookie| cookie.tracking);
    if let Some(token) = call.parameter("$deltatoken") {
        return changes::since(simulation, call, table, &token, cookie);
    }
    read(simulation, call, table, cookie, tracking, None)
}

/// The rows that belong to a row by one of their lookups.
pub(super) fn belonging(
    simulation: &Simulation,
    call: &Call,
    navigation: &Navigation,
    id: Uuid,
) -> Result<Answer, Refusal> {
    let cookie = call
        .parameter("$skiptoken")
        .map(|text| Cookie::read(&text))
        .transpose()?;
    let lookup = navigation
        .to
        .column(navigation.lookup)
        .map(|(column, _)| (column, id));
    read(simulation, call, navigation.to, cookie, false, lookup)
}

/// `GET /accounts/$count`
pub(super) fn count(
    simulation: &Simulation,
    call: &Call,
    table: &'static Table,
) -> Result<Answer, Refusal> {
    let count = match call.parameter("$deltatoken") {
        Some(token) => changes::count_since(simulation, table, &token)?,
        None => {
            let query = Query::of(table, call)?;
            simulation
                .world
                .read(|world| counted(world, table, query.filter.as_ref()))
        }
    };
    let answer = Answer {
        status: StatusCode::OK,
        body: count.min(COUNT_LIMIT).to_string().into(),
        ..Answer::default()
    };
    Ok(answer.with("content-type", "text/plain"))
}

/// The rows that a filter lets through, up to one more than are ever told.
fn counted(world: &World, table: &Table, filter: Option<&Filter>) -> usize {
    let admits = |row: &Row| filter.is_none_or(|filter| filter.admits(world, row));
    rows_of(world, table)
        .from(0)
        .filter(|(_, row)| admits(row))
        .take(COUNT_LIMIT + 1)
        .count()
}

/// Refuses what cannot be had together with change tracking.
fn check_tracking(query: &Query) -> Result<(), Refusal> {
    let refused = [
        ("filter", query.filter.is_some()),
        ("orderby", !query.order.is_empty()),
        ("expand", !query.expand.is_empty()),
        ("top", query.top.is_some()),
    ];
    match refused.into_iter().find(|(_, given)| *given) {
        Some((option, _)) => Err(Refusal::query(format!(
            "The \"${option}\" query parameter isn't supported when Change Tracking is enabled."
        ))),
        None => Ok(()),
    }
}

fn read(
    simulation: &Simulation,
    call: &Call,
    table: &'static Table,
    cookie: Option<Cookie>,
    tracking: bool,
    of: Option<(ColumnId, Uuid)>,
) -> Result<Answer, Refusal> {
    let query = Query::of(table, call)?;
    if tracking {
        check_tracking(&query)?;
    }
    let preferred = preferred_page(call);
    // Dataverse heeds only one of the two.
    let top = query.top.filter(|_| preferred.is_none());
    let size = top
        .unwrap_or(LARGEST_PAGE)
        .min(preferred.unwrap_or(LARGEST_PAGE));
    let reading = Reading {
        table,
        query: &query,
        size,
        cookie,
        tracking,
        of,
        endless: top.is_none(),
    };
    let now = simulation.context.now();
    Ok(simulation.world.read(|world| {
        let page = reading.page(world);
        let link = match (page.next, tracking) {
            (Some(cookie), _) => Some(("@odata.nextLink", next_link(call, cookie))),
            (None, true) => {
                let since = cookie.map_or(world.version, |cookie| cookie.since);
                Some(("@odata.deltaLink", changes::delta_link(call, since, now)))
            }
            (None, false) => None,
        };
        let body = reading.body(world, call, &page, link);
        Answer::json_text(StatusCode::OK, body).applied(&applied(call))
    }))
}

struct Reading<'q> {
    table: &'static Table,
    query: &'q Query,
    size: usize,
    cookie: Option<Cookie>,
    tracking: bool,
    endless: bool,
    /// Only rows that belong to this one.
    of: Option<(ColumnId, Uuid)>,
}

struct Page<'w> {
    rows: Vec<&'w Row>,
    count: Option<usize>,
    next: Option<Cookie>,
}

impl Reading<'_> {
    fn page<'w>(&self, world: &'w World) -> Page<'w> {
        let (mut rows, next_after) = if self.query.order.is_empty() {
            self.plain(world)
        } else {
            self.ordered(world)
        };
        rows.truncate(self.size);
        let filter = self.query.filter.as_ref();
        let count = self.query.count.then(|| counted(world, self.table, filter));
        let next = next_after.filter(|_| self.endless).map(|after| Cookie {
            page: self.cookie.map_or(1, |cookie| cookie.page) + 1,
            after,
            since: self.cookie.map_or(world.version, |cookie| cookie.since),
            tracking: self.tracking,
        });
        Page { rows, count, next }
    }

    fn plain<'w>(&self, world: &'w World) -> (Vec<&'w Row>, Option<u64>) {
        let start = self.cookie.map_or(0, |cookie| {
            Place::try_from(cookie.after).unwrap_or(Place::MAX)
        });
        let table = rows_of(world, self.table);
        let key = self
            .table
            .columns
            .first()
            .map_or("", |column| column.property);
        if let Some(id) = self
            .query
            .filter
            .as_ref()
            .and_then(|filter| filter.only(key))
        {
            return (
                table
                    .get(id)
                    .filter(|row| self.admits(world, row))
                    .into_iter()
                    .collect(),
                None,
            );
        }
        let mut found = table.from(start).filter(|(_, row)| self.admits(world, row));
        let rows = found.by_ref().take(self.size).map(|(_, row)| row).collect();
        (rows, found.next().map(|(place, _)| u64::from(place)))
    }

    fn ordered<'w>(&self, world: &'w World) -> (Vec<&'w Row>, Option<u64>) {
        let skipped =
            usize::try_from(self.cookie.map_or(0, |cookie| cookie.after)).unwrap_or(usize::MAX);
        let all = rows_of(world, self.table).from(0);
        let mut rows: Vec<&Row> = all
            .map(|(_, row)| row)
            .filter(|row| self.admits(world, row))
            .collect();
        sort(&self.query.order, self.table, &mut rows);
        let end = skipped.saturating_add(self.size);
        let next = (rows.len() > end).then(|| u64::try_from(end).unwrap_or(u64::MAX));
        let rows = rows
            .get(skipped.min(rows.len())..)
            .unwrap_or_default()
            .to_vec();
        (rows, next)
    }

    fn admits(&self, world: &World, row: &Row) -> bool {
        let belongs = self.of.is_none_or(|(column, id)| {
            matches!(row.packed.get(column), Some(ValueRef::Reference(_, to)) if to == id)
        });
        belongs
            && self
                .query
                .filter
                .as_ref()
                .is_none_or(|filter| filter.admits(world, row))
    }

    /// `@odata.count` and what goes with it.
    fn totals(&self, out: &mut Vec<u8>, count: Option<usize>) {
        let told = count.map(|count| count.min(COUNT_LIMIT));
        if let Some(told) = told {
            out.extend(format!(",\"@odata.count\":{told}").as_bytes());
        }
        if self.query.annotations.count {
            let (all, more) = (
                told.map_or_else(|| "-1".to_owned(), |told| told.to_string()),
                count.is_some_and(|count| count > COUNT_LIMIT),
            );
            let name = "@Microsoft.Dynamics.CRM.totalrecordcount";
            out.extend(format!(",\"{name}\":{all},\"{name}limitexceeded\":{more}").as_bytes());
        }
        if self.query.annotations.schema_version {
            out.extend(b",\"@Microsoft.Dynamics.CRM.globalmetadataversion\":\"1\"");
        }
    }

    fn body(
        &self,
        world: &World,
        call: &Call,
        page: &Page<'_>,
        link: Option<(&str, String)>,
    ) -> Vec<u8> {
        let mut out = Vec::with_capacity(256 + page.rows.len() * 64 * self.query.slots.len());
        out.extend(b"{\"@odata.context\":");
        text(&mut out, &context(call, self.table, self.query, ""));
        self.totals(&mut out, page.count);
        out.extend(b",\"value\":[");
        let root = root(call);
        let presenter = Presenter::new(self.table, self.query, world, &page.rows, &root);
        for (at, row) in page.rows.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            presenter.row(&mut out, row, "");
        }
        out.push(b']');
        if let Some((name, link)) = link {
            out.extend(format!(",\"{name}\":").as_bytes());
            text(&mut out, &link);
        }
        out.push(b'}');
        out
    }
}

/// The context URL of a reading.
pub(super) fn context(call: &Call, table: &Table, query: &Query, end: &str) -> String {
    let selected = columns_of(query);
    let selected = if selected.is_empty() {
        selected
    } else {
        format!("({selected})")
    };
    format!("{}/$metadata#{}{selected}{end}", root(call), table.set)
}

/// The columns and expansions of a query, as a context URL names them.
fn columns_of(query: &Query) -> String {
    let expanded = query
        .expand
        .iter()
        .map(|expand| match expand.navigation.name {
            name if expand.reference => format!("{name},{name}/$ref()"),
            name => format!("{name}({})", columns_of(&expand.query)),
        });
    query
        .selected
        .iter()
        .cloned()
        .chain(expanded)
        .collect::<Vec<_>>()
        .join(",")
}

/// The link to the next page: the query as it came, with another cookie.
pub(super) fn next_link(call: &Call, cookie: Cookie) -> String {
    link(call, "$skiptoken", &cookie.encoded())
}

/// The address of the call with one option set; `value` is encoded already.
pub(super) fn link(call: &Call, option: &str, value: &str) -> String {
    let is_paging = |part: &&str| {
        let name = part
            .split('=')
            .next()
            .unwrap_or_default()
            .replace("%24", "$");
        name != option && (name != "$skiptoken") && !part.is_empty()
    };
    let mut query: Vec<&str> = call.query.split('&').filter(is_paging).collect();
    let set = format!("{option}={value}");
    query.push(&set);
    // Only in a batch can an address have spaces.
    let query = query.join("&").replace(' ', "%20");
    format!("{}{}?{query}", call.origin, call.path)
}
