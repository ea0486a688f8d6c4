//! Reads one row, and says 304 when the caller has its latest version.

use actix_web::http::StatusCode;

use super::errors::Refusal;
use super::expand::rows_of;
use super::key::Key;
use super::list::context;
use super::present::{Presenter, text};
use super::query::{Annotations, Query, applied};
use super::route::root;
use crate::simulator::exchange::{Answer, Call};
use crate::simulator::simulation::Simulation;
use crate::simulator::world::{Row, Table, World};

/// The entity tag of a row.
pub(super) fn tag(row: &Row) -> String {
    format!("W/\"{}\"", row.version)
}

/// Answers a read of one row.
pub(super) fn answer(
    simulation: &Simulation,
    call: &Call,
    table: &'static Table,
    key: &Key,
) -> Result<Answer, Refusal> {
    let query = Query::of(table, call)?;
    simulation.world.read(|world| {
        let row = key
            .place(world, table)
            .and_then(|place| rows_of(world, table).at(place))
            .ok_or_else(|| key.absent(table))?;
        // With expansions or annotations the row's version says too little, and Dataverse answers in full.
        let plain = query.expand.is_empty() && query.annotations == Annotations::default();
        if plain
            && call
                .header("if-none-match")
                .is_some_and(|known| known.contains(&tag(row)))
        {
            return Ok(Answer::empty(StatusCode::NOT_MODIFIED).with("etag", &tag(row)));
        }
        Ok(
            Answer::json_text(StatusCode::OK, body(call, table, &query, world, row))
                .with("etag", &tag(row))
                .applied(&applied(call)),
        )
    })
}

/// One row as the whole body.
pub(super) fn body(
    call: &Call,
    table: &'static Table,
    query: &Query,
    world: &World,
    row: &Row,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024);
    let mut head = Vec::new();
    head.extend(b"\"@odata.context\":");
    text(&mut head, &context(call, table, query, "/$entity"));
    head.push(b',');
    let root = root(call);
    let presenter = Presenter::new(table, query, world, &[row], &root);
    presenter.row(&mut out, row, &String::from_utf8_lossy(&head));
    out
}
