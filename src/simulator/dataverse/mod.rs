//! The stand-in for the Dataverse Web API (v9.2): accounts and contacts, to read and to write.

mod actions;
mod batch;
mod bulk_delete;
mod cell;
mod changes;
mod cookie;
mod errors;
mod expand;
mod filter;
mod filter_text;
mod functions;
mod key;
mod list;
mod literal;
mod metadata;
mod metadata_filter;
mod metadata_items;
mod multipart;
mod payload;
mod present;
mod query;
mod related;
mod relationships;
mod route;
mod service;
mod single;
mod sql;
mod sql_words;
mod tokens;
mod write;

use actix_web::http::{Method, StatusCode};

use super::credentials;
use super::exchange::{Answer, Call};
use super::simulation::Simulation;

pub(super) use errors::Refusal;
use route::{Wanted, wanted};
use write::Desk;

/// The operation a request is counted under; `None` when the path is not Dataverse's.
pub(super) fn operation(call: &Call) -> Option<&'static str> {
    call.path
        .starts_with(route::ROOT)
        .then(|| route::operation(call))
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
    let request_id = simulation.context.new_uuid().to_string();
    authorised(simulation, call)
        .and_then(|()| respond(simulation, call).map_err(|refusal| refusal.answer_to(call)))
        .unwrap_or_else(|answer| answer)
        .instead("odata-version", "4.0")
        .with("req_id", &request_id)
        .with("x-ms-service-request-id", &request_id)
}

/// Lets a caller in, or gives the answer that turns it away.
fn authorised(simulation: &Simulation, call: &Call) -> Result<(), Answer> {
    if let Some(seconds) = simulation.crm_throttle.refuse(simulation.context.now()) {
        return Err(Refusal::throttled(Some(seconds.to_string())).answer());
    }
    let claims = simulation
        .claims(call, &[&call.origin])
        .map_err(|_| challenge(call))?;
    if claims.appid != credentials::DATAVERSE_CLIENT_ID {
        let text = "The user is not a member of the organization.";
        return Err(Refusal::new(StatusCode::FORBIDDEN, "0x80072560", text).answer());
    }
    Ok(())
}

/// The answer to a token that is missing or not good: where to get one, and no reason.
pub(super) fn challenge(call: &Call) -> Answer {
    let (tenant, origin) = (credentials::ENTRA_TENANT_ID, &call.origin);
    let value = format!(
        "Bearer authorization_uri={origin}/{tenant}/oauth2/authorize, resource_id={origin}/"
    );
    Answer {
        status: StatusCode::UNAUTHORIZED,
        body: "HTTP Error 401 - Unauthorized: Access is denied".into(),
        ..Answer::default()
    }
    .with("content-type", "text/plain")
    .with("www-authenticate", &value)
}

/// Answers a request that may come.
fn respond(simulation: &Simulation, call: &Call) -> Result<Answer, Refusal> {
    let answer = match wanted(call)? {
        Wanted::Batch if call.method == Method::POST => batch::answer(simulation, call)?,
        wanted if call.method == Method::GET => read(simulation, call, wanted)?,
        _ => simulation.world.write(|world, _| {
            world.attempt(|world| {
                let mut desk = Desk {
                    world,
                    context: &simulation.context,
                };
                write_into(&mut desk, call)
            })
        })?,
    };
    Ok(typed(answer))
}

/// The answer with the content type that Dataverse gives to JSON.
fn typed(answer: Answer) -> Answer {
    let is_json = |(name, value): &(_, actix_web::http::header::HeaderValue)| {
        name == actix_web::http::header::CONTENT_TYPE
            && value.as_bytes().starts_with(b"application/json")
    };
    if answer.headers.iter().any(is_json) {
        answer.instead("content-type", errors::JSON)
    } else {
        answer
    }
}

fn read(simulation: &Simulation, call: &Call, wanted: Wanted<'_>) -> Result<Answer, Refusal> {
    match wanted {
        Wanted::Table(_) if call.parameter("fetchXml").is_some() => {
            let text = "The simulator answers OData queries and SQL, but not FetchXML.";
            Err(Refusal::new(
                StatusCode::NOT_IMPLEMENTED,
                "0x80040203",
                text,
            ))
        }
        Wanted::Table(table) => match call.parameter("sql") {
            Some(statement) => sql::answer(simulation, call, table, &statement),
            None => list::answer(simulation, call, table),
        },
        Wanted::Count(table) => list::count(simulation, call, table),
        Wanted::Row(table, key) => single::answer(simulation, call, table, &key),
        Wanted::Part(table, key, part) => related::read(simulation, call, table, &key, part),
        Wanted::Value(table, key, part) => related::raw(simulation, table, &key, part),
        Wanted::CountOf(table, key, part) => related::count(simulation, call, table, &key, part),
        Wanted::Tie(table, key, name, None) => {
            related::references(simulation, call, table, &key, name)
        }
        Wanted::Function(name) => functions::answer(simulation, call, name),
        Wanted::Metadata(path) => metadata::answer(call, path),
        Wanted::Service => Ok(service::document(call)),
        Wanted::Csdl => Ok(service::csdl(call)),
        Wanted::Nothing(path) => Err(Refusal::no_resource(path)),
        _ => Err(not_supported(call)),
    }
}

/// Answers a write, in whatever transaction the caller has begun.
fn write_into(desk: &mut Desk<'_>, call: &Call) -> Result<Answer, Refusal> {
    let answer = match (&call.method, wanted(call)?) {
        (&Method::POST, Wanted::Table(table)) => desk.create(call, table),
        (&Method::PATCH, Wanted::Row(table, key)) => desk.upsert(call, table, &key),
        (&Method::DELETE, Wanted::Row(table, key)) => desk.delete(call, table, &key),
        (&Method::PUT | &Method::PATCH | &Method::DELETE, Wanted::Part(table, key, part)) => {
            desk.set_column(call, table, &key, part)
        }
        (&Method::PUT | &Method::POST | &Method::DELETE, Wanted::Tie(table, key, name, target)) => {
            desk.tie(call, table, &key, name, target)
        }
        (&Method::POST, Wanted::Action(table, action)) => desk.multiple(call, table, action),
        (&Method::POST, Wanted::Merge) => desk.merge(call),
        (&Method::POST, Wanted::BulkDelete) => desk.bulk_delete(call),
        (_, Wanted::Nothing(path)) => Err(Refusal::no_resource(path)),
        _ => Err(not_supported(call)),
    };
    answer.map(typed)
}

fn not_supported(call: &Call) -> Refusal {
    let message = format!(
        "The requested resource does not support http method '{}'.",
        call.method
    );
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "0x80060888", message)
}
