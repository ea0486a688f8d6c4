//! The stand-in for the Dataverse Web API (v9.2): accounts and contacts.

mod cell;
mod changes;
mod cookie;
mod errors;
mod expand;
mod filter;
mod key;
mod list;
mod present;
mod query;
mod single;
mod tokens;

use actix_web::http::{Method, StatusCode};
use serde_json::json;

use super::credentials;
use super::exchange::{Answer, Call};
use super::simulation::{Simulation, TokenProblem};
use super::world::{OWNER, Table, table};

pub(super) use errors::Refusal;
use key::Key;

/// The root of the service, below the origin.
const ROOT: &str = "/api/data/v9.";

/// What a request wants.
enum Wanted<'c> {
    Table(&'static Table),
    Row(&'static Table, Key),
    WhoAmI,
    Nothing(&'c str),
}

fn wanted(call: &Call) -> Result<Wanted<'_>, Refusal> {
    let rest = call
        .path
        .strip_prefix(ROOT)
        .and_then(|rest| rest.split_once('/'));
    let path = rest.map_or("", |(_, path)| path).trim_end_matches('/');
    if path == "WhoAmI" || path == "WhoAmI()" {
        return Ok(Wanted::WhoAmI);
    }
    let (set, key) = Key::parse(path)?;
    match (table(set).filter(|table| table.set == set), key) {
        (Some(table), Some(key)) => Ok(Wanted::Row(table, key)),
        (Some(table), None) => Ok(Wanted::Table(table)),
        (None, _) => Ok(Wanted::Nothing(path)),
    }
}

/// The operation a request is counted under; `None` when the path is not Dataverse's.
pub(super) fn operation(call: &Call) -> Option<&'static str> {
    if !call.path.starts_with(ROOT) {
        return None;
    }
    let delta = call.query.contains("deltatoken=");
    Some(match (&call.method, wanted(call)) {
        (&Method::GET, Ok(Wanted::Table(_))) if delta => "changes",
        (&Method::GET, Ok(Wanted::Table(table))) if table.set == "contacts" => "list-contacts",
        (&Method::GET, Ok(Wanted::Table(_))) => "list-accounts",
        (&Method::GET, Ok(Wanted::Row(table, _))) if table.set == "contacts" => "contact-by-id",
        (&Method::GET, Ok(Wanted::Row(..))) => "account-by-id",
        (_, Ok(Wanted::WhoAmI)) => "who-am-i",
        _ => "unknown",
    })
}

/// The number of the page that a request asks for.
pub(super) fn page_number(call: &Call) -> u32 {
    let cookie = call
        .parameter("$skiptoken")
        .and_then(|text| cookie::Cookie::read(&text).ok());
    cookie.map_or(1, |cookie| cookie.page)
}

/// Answers a request.
pub(super) fn answer(simulation: &Simulation, call: &Call) -> Answer {
    let answer = authorised(simulation, call).and_then(|()| respond(simulation, call));
    answer
        .unwrap_or_else(|refusal| refusal.answer())
        .with("odata-version", "4.0")
        .with("req_id", &simulation.context.new_uuid().to_string())
}

fn authorised(simulation: &Simulation, call: &Call) -> Result<(), Refusal> {
    if let Some(seconds) = simulation.crm_throttle.refuse(simulation.context.now()) {
        return Err(Refusal::throttled(Some(seconds.to_string())));
    }
    let claims = simulation
        .claims(call, &[&call.origin])
        .map_err(|problem| {
            let text = match problem {
                TokenProblem::Missing => "The request has no access token.",
                TokenProblem::Unreadable => "The access token's signature is not valid.",
                TokenProblem::Expired => "The access token has expired.",
                TokenProblem::Audience => "The access token's audience is not this organization.",
            };
            Refusal::new(StatusCode::UNAUTHORIZED, "0x80040220", text)
        })?;
    if claims.appid != credentials::DATAVERSE_CLIENT_ID {
        let text = "The user is not a member of the organization.";
        return Err(Refusal::new(StatusCode::FORBIDDEN, "0x80072560", text));
    }
    Ok(())
}

fn respond(simulation: &Simulation, call: &Call) -> Result<Answer, Refusal> {
    match (&call.method, wanted(call)?) {
        (&Method::GET, Wanted::Table(table)) => list::answer(simulation, call, table),
        (&Method::GET, Wanted::Row(table, key)) => single::answer(simulation, call, table, &key),
        (&Method::GET, Wanted::WhoAmI) => Ok(who_am_i(call)),
        (_, Wanted::Nothing(path)) => Err(Refusal::no_resource(path)),
        _ => Err(Refusal::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "0x80060888",
            format!(
                "The requested resource does not support http method '{}'.",
                call.method
            ),
        )),
    }
}

fn who_am_i(call: &Call) -> Answer {
    let context = format!(
        "{}/api/data/v9.2/$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse",
        call.origin
    );
    let body = json!({
        "@odata.context": context,
        "BusinessUnitId": OWNER,
        "UserId": OWNER,
        "OrganizationId": credentials::ENTRA_TENANT_ID,
    });
    Answer::json(StatusCode::OK, &body).with("x-ms-dop-hint", "4")
}
