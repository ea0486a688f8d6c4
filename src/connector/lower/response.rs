//! Responses. The designers offer the fields of exactly one answer, so one keeps its schema: that of the success. What
//! goes wrong keeps its status and its words; the body of a problem is the same everywhere and never dynamic content.

use serde_json::{Value, json};

use super::keyword::put;
use super::parameter::json_schema;
use super::pointer::{LowerError, Pointer};
use super::source::{Object, Source, object};

/// Said of the answer that the platform fetches by itself from the `Location` of a 202.
const FINISHED: &str = "The finished result, fetched from the Location of the 202 answer.";

impl<'a> Source<'a> {
    /// The responses of an operation.
    ///
    /// # Errors
    /// When one has no description or no plain status, or its schema cannot be said.
    pub fn responses(&mut self, operation: &'a Object, at: &Pointer) -> Result<Value, LowerError> {
        let at = at.child("responses");
        let responses = operation
            .get("responses")
            .and_then(Value::as_object)
            .filter(|responses| !responses.is_empty())
            .ok_or_else(|| at.refuse("an operation needs at least one response"))?;
        let mut lowered = Object::new();
        let mut schemas = Vec::new();
        for (status, response) in responses {
            let (response, at) = self.follow(response, &at.child(status))?;
            let response = object(response, &at)?;
            if status != "default" && !is_status(status) {
                return Err(at.refuse("a response is for one status of three digits, or `default`"));
            }
            if status.starts_with('2')
                && let Some((schema, at)) = json_schema(response, &at)?
            {
                schemas.push((status, schema, at));
            }
            put(&mut lowered, status, self.response(response, &at)?);
        }
        if let Some((status, schema, at)) = schemas.into_iter().min_by_key(|(status, ..)| *status) {
            let schema = self.schema(schema, &at)?;
            give_schema(&mut lowered, status, schema);
        }
        Ok(Value::Object(lowered))
    }

    fn response(&mut self, response: &'a Object, at: &Pointer) -> Result<Value, LowerError> {
        let description = response
            .get("description")
            .filter(|description| description.as_str().is_some_and(|text| !text.is_empty()))
            .ok_or_else(|| at.refuse("a response needs a description"))?;
        let mut lowered = Object::new();
        put(&mut lowered, "description", description.clone());
        for (key, value) in response {
            match key.as_str() {
                "description" | "content" | "links" => {}
                "headers" => put(&mut lowered, key, self.headers(value, &at.child(key))?),
                extension if extension.starts_with("x-") => put(&mut lowered, key, value.clone()),
                _ => return Err(at.child(key).refuse("a response has no such part")),
            }
        }
        Ok(Value::Object(lowered))
    }

    fn headers(&mut self, headers: &'a Value, at: &Pointer) -> Result<Value, LowerError> {
        let mut lowered = Object::new();
        for (name, header) in object(headers, at)? {
            let (header, at) = self.follow(header, &at.child(name))?;
            let schema = header
                .get("schema")
                .ok_or_else(|| at.refuse("a header needs a schema"))?;
            let schema = self.schema(schema, &at.child("schema"))?;
            let mut one = Object::new();
            for key in ["type", "format", "items"] {
                if let Some(value) = schema.get(key) {
                    put(&mut one, key, value.clone());
                }
            }
            if let Some(description) = header.get("description") {
                put(&mut one, "description", description.clone());
            }
            put(&mut lowered, name, Value::Object(one));
        }
        Ok(Value::Object(lowered))
    }
}

fn is_status(status: &str) -> bool {
    status.len() == 3 && status.bytes().all(|digit| digit.is_ascii_digit())
}

/// Puts the schema on its response. A 202 with a `Location` is the platform's long action: it polls there by itself and
/// hands on the last answer, so that answer's fields are declared under 200.
fn give_schema(responses: &mut Object, status: &str, schema: Value) {
    let long_action = status == "202"
        && responses
            .get(status)
            .is_some_and(|response| response.pointer("/headers/Location").is_some());
    if long_action {
        let mut reordered = Object::new();
        put(
            &mut reordered,
            "200",
            json!({ "description": FINISHED, "schema": schema }),
        );
        reordered.append(responses);
        *responses = reordered;
    } else if let Some(response) = responses.get_mut(status).and_then(Value::as_object_mut) {
        put(response, "schema", schema);
    }
}
