//! Change tracking: what changed since a delta link was given, deleted rows included.

use actix_web::http::StatusCode;
use chrono::{DateTime, Days, NaiveDateTime, Utc};

use super::cookie::Cookie;
use super::errors::Refusal;
use super::expand::rows_of;
use super::list::{context, link, next_link};
use super::present::{Presenter, text};
use super::query::{LARGEST_PAGE, Query, preferred_page};
use super::route::root;
use crate::simulator::exchange::{Answer, Call, encode};
use crate::simulator::simulation::Simulation;
use crate::simulator::world::{Row, Table, World};

/// A delta token is good for so many days (`organization.expirechangetrackingindays`).
const TOKEN_DAYS: u64 = 7;
const TOKEN_TIME: &str = "%m/%d/%Y %H:%M:%S";

/// The link under which later changes are found.
pub(super) fn delta_link(call: &Call, version: u64, now: DateTime<Utc>) -> String {
    let token = format!("{version}!{}", now.format(TOKEN_TIME));
    link(call, "$deltatoken", &encode(&token).to_lowercase())
}

/// The version in a delta token that is not too old.
fn version_of(token: &str, now: DateTime<Utc>) -> Result<u64, Refusal> {
    let unreadable = || Refusal::query(format!("The delta token '{token}' is not valid."));
    let (version, time) = token.split_once('!').ok_or_else(unreadable)?;
    let given = NaiveDateTime::parse_from_str(time, TOKEN_TIME).map_err(|_| unreadable())?;
    let end = given
        .and_utc()
        .checked_add_days(Days::new(TOKEN_DAYS))
        .unwrap_or(now);
    if now > end {
        return Err(Refusal::expired_delta());
    }
    version.parse().map_err(|_| unreadable())
}

/// Answers a delta link.
pub(super) fn since(
    simulation: &Simulation,
    call: &Call,
    table: &'static Table,
    token: &str,
    cookie: Option<Cookie>,
) -> Result<Answer, Refusal> {
    let now = simulation.context.now();
    let given = version_of(token, now)?;
    let query = Query::of(table, call)?;
    let size = preferred_page(call).unwrap_or(LARGEST_PAGE);
    simulation.world.read(|world| {
        if given > world.version {
            // A token of another world, for example of one from before a restart.
            return Err(Refusal::expired_delta());
        }
        let after = cookie.map_or(given, |cookie| cookie.after);
        let mut changes = rows_of(world, table).changes_after(after);
        let rows: Vec<&Row> = changes.by_ref().take(size).collect();
        let more = changes.next().is_some();
        let last = rows.last().map_or(after, |row| row.version);
        // Of one answer, what is there comes before what is gone.
        let (mut rows, gone): (Vec<&Row>, Vec<&Row>) = rows.into_iter().partition(|row| row.alive);
        rows.extend(gone);
        let next = if more {
            let page = cookie.map_or(1, |cookie| cookie.page) + 1;
            let cookie = Cookie {
                page,
                after: last,
                since: given,
                tracking: true,
            };
            ("@odata.nextLink", next_link(call, cookie))
        } else {
            ("@odata.deltaLink", delta_link(call, world.version, now))
        };
        Ok(Answer::json_text(
            StatusCode::OK,
            body(call, table, &query, world, &rows, next),
        ))
    })
}

/// `GET /accounts/$count?$deltatoken=…`: how many rows changed.
pub(super) fn count_since(
    simulation: &Simulation,
    table: &'static Table,
    token: &str,
) -> Result<usize, Refusal> {
    let given = version_of(token, simulation.context.now())?;
    Ok(simulation
        .world
        .read(|world| rows_of(world, table).changes_after(given).count()))
}

fn body(
    call: &Call,
    table: &'static Table,
    query: &Query,
    world: &World,
    rows: &[&Row],
    (name, link): (&str, String),
) -> Vec<u8> {
    let mut out = Vec::with_capacity(256 + rows.len() * 256);
    out.extend(b"{\"@odata.context\":");
    text(&mut out, &context(call, table, query, "/$delta"));
    out.extend(b",\"value\":[");
    let root = root(call);
    let presenter = Presenter::new(table, query, world, rows, &root);
    let gone = format!("{root}/$metadata#{}/$deletedEntity", table.set);
    for (at, row) in rows.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        if row.alive {
            presenter.row(&mut out, row, "");
        } else {
            out.extend(b"{\"@odata.context\":");
            text(&mut out, &gone);
            out.extend(format!(",\"id\":\"{}\",\"reason\":\"deleted\"}}", row.id).as_bytes());
        }
    }
    out.extend(format!("],\"{name}\":").as_bytes());
    text(&mut out, &link);
    out.push(b'}');
    out
}
