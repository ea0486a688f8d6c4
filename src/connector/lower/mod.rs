//! From OpenAPI 3.1 to the Swagger 2.0 that Power Platform accepts.
//!
//! The walk is the document's own: paths, their operations, what those refer to. Only schemas that something refers to
//! are defined in the result. Everything is read from the document; an error names the place in it (a JSON Pointer) and
//! what would do instead. What would surprise: nothing is lost silently except remarks (tags, links, servers, examples
//! of parameters) and the bodies of problems, because only one answer of an operation may have a schema.

mod keyword;
mod operation;
mod parameter;
mod pointer;
mod response;
mod schema;
mod security;
mod source;
mod words;

#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use self::keyword::put;
pub use self::pointer::{LowerError, Pointer};
use self::source::{Object, Source, object};
use super::host::Host;

const JSON: [&str; 1] = ["application/json"];

/// Lowers an OpenAPI 3.1 document to Swagger 2.0 for a connector that calls `host`.
///
/// # Errors
/// The first thing in the document that Swagger 2.0, as the platform reads it, cannot say.
pub fn lower(openapi: &Value, host: &Host) -> Result<Value, LowerError> {
    let mut source = Source::new(openapi);
    let schemes = source.security_definitions()?;
    let paths = source.paths(&schemes)?;
    let definitions = definitions(&mut source)?;
    let mut swagger = Object::new();
    put(&mut swagger, "swagger", json!("2.0"));
    put(&mut swagger, "info", info(&source)?);
    put(&mut swagger, "host", json!(host.as_str()));
    put(&mut swagger, "basePath", json!(host.base_path()));
    put(&mut swagger, "schemes", json!(["https"]));
    put(&mut swagger, "consumes", json!(JSON));
    put(&mut swagger, "produces", json!(JSON));
    put(&mut swagger, "paths", Value::Object(paths));
    put(&mut swagger, "definitions", Value::Object(definitions));
    put(
        &mut swagger,
        "securityDefinitions",
        Value::Object(schemes.clone()),
    );
    if let Some(security) = source.security(openapi, &schemes, &Pointer::root())? {
        put(&mut swagger, "security", security);
    }
    let extensions = object(openapi, &Pointer::root())?
        .iter()
        .filter(|(key, _)| key.starts_with("x-"));
    for (key, value) in extensions {
        put(&mut swagger, key, value.clone());
    }
    Ok(Value::Object(swagger))
}

/// `info` without an empty licence, which utoipa writes for a crate without one.
fn info(source: &Source<'_>) -> Result<Value, LowerError> {
    let at = Pointer::root().child("info");
    let info = source
        .member("info")
        .ok_or_else(|| at.refuse("info is missing"))?;
    let mut info = object(info, &at)?.clone();
    let unnamed = |licence: &Value| licence.get("name").and_then(Value::as_str) == Some("");
    if info.get("license").is_some_and(unnamed) {
        info.shift_remove("license");
    }
    // New in OpenAPI 3.1; the description says it all.
    info.shift_remove("summary");
    Ok(Value::Object(info))
}

/// The schemas referred to, and those that they refer to, in the document's order.
fn definitions(source: &mut Source<'_>) -> Result<Object, LowerError> {
    let at = Pointer::root().child("components").child("schemas");
    let mut lowered = Object::new();
    while let Some(name) = source
        .referred
        .iter()
        .find(|name| !lowered.contains_key(*name))
        .cloned()
    {
        let at = at.child(&name);
        let schema = source
            .find(&at)
            .ok_or_else(|| at.refuse("this schema is missing"))?;
        let definition = source.schema(schema, &at)?;
        put(&mut lowered, &name, definition);
    }
    let all = source.find(&at).and_then(Value::as_object);
    let mut ordered = Object::new();
    for name in all.into_iter().flat_map(Object::keys) {
        if let Some(definition) = lowered.shift_remove(name) {
            put(&mut ordered, name, definition);
        }
    }
    Ok(ordered)
}
