//! Functions that are bound to no table: who is asking, which version this is, how many rows a table has.

use actix_web::http::StatusCode;
use serde_json::{Map, Value as Json, json};

use super::errors::Refusal;
use super::expand::rows_of;
use super::metadata;
use super::route::root;
use super::tokens::{Token, tokens};
use crate::simulator::credentials;
use crate::simulator::exchange::{Answer, Call};
use crate::simulator::simulation::Simulation;
use crate::simulator::world::{OWNER, table};

/// The functions that there are.
pub(super) const NAMES: [&str; 4] = [
    "WhoAmI",
    "RetrieveVersion",
    "RetrieveTotalRecordCount",
    "RetrieveMetadataChanges",
];

/// Answers a function; its arguments stand in its parentheses, or behind aliases in the query.
pub(super) fn answer(
    simulation: &Simulation,
    call: &Call,
    function: &str,
) -> Result<Answer, Refusal> {
    let (name, arguments) = function.split_once('(').unwrap_or((function, ""));
    let fields = match name {
        "WhoAmI" => json!({
            "BusinessUnitId": OWNER,
            "UserId": credentials::APPLICATION_USER_ID,
            "OrganizationId": credentials::ENTRA_TENANT_ID,
        }),
        "RetrieveVersion" => json!({ "Version": "9.2.0.0" }),
        "RetrieveTotalRecordCount" => total_counts(simulation, call, arguments)?,
        _ => metadata::changes(&query_argument(call, arguments)?)?,
    };
    let type_name = format!("Microsoft.Dynamics.CRM.{name}Response");
    let context = format!("{}/$metadata#{type_name}", root(call));
    let mut body = Map::from_iter([("@odata.context".to_owned(), Json::from(context))]);
    body.extend(fields.as_object().cloned().unwrap_or_default());
    Ok(Answer::json(StatusCode::OK, &body).with("x-ms-dop-hint", "4"))
}

/// The text of an argument, followed through an alias such as `@p1`.
fn argument(call: &Call, arguments: &str) -> String {
    let inside = arguments.strip_suffix(')').unwrap_or(arguments);
    let value = inside
        .split_once('=')
        .map_or(inside, |(_, value)| value)
        .trim();
    match value.strip_prefix('@') {
        Some(_) => call.parameter(value).unwrap_or_default(),
        None => value.to_owned(),
    }
}

fn query_argument(call: &Call, arguments: &str) -> Result<Json, Refusal> {
    serde_json::from_str(&argument(call, arguments))
        .map_err(|error| Refusal::query(format!("The argument Query cannot be read: {error}")))
}

/// `RetrieveTotalRecordCount(EntityNames=['account'])`
fn total_counts(simulation: &Simulation, call: &Call, arguments: &str) -> Result<Json, Refusal> {
    let names = tokens(&argument(call, arguments))?;
    let mut keys = Vec::new();
    let mut values = Vec::new();
    for name in names {
        let Token::Text(name) = name else { continue };
        let table = table(&name)
            .filter(|table| table.name == name)
            .ok_or_else(|| {
                Refusal::new(
                    StatusCode::NOT_FOUND,
                    "0x80040217",
                    format!("The entity with a name = '{name}' was not found in the metadata."),
                )
            })?;
        values.push(simulation.world.read(|world| rows_of(world, table).len()));
        keys.push(name);
    }
    let (count, is_read_only) = (keys.len(), false);
    Ok(json!({
        "EntityRecordCountCollection": {
            "Count": count, "IsReadOnly": is_read_only, "Keys": keys, "Values": values,
        }
    }))
}
