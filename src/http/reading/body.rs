//! The JSON body of a request.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::refusal::{Place, of_json};
use crate::http::answer::{payload_problem, problem_of};
use crate::http::problem::{Outcome, Problem, ProblemCode};

/// Bytes of a body at most, for the refusal of a larger one.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimit(pub usize);

/// A JSON object as a `T`.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Outcome<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        if !is_json(request) {
            return Box::pin(std::future::ready(Err(Problem::new(
                ProblemCode::UnsupportedMediaType,
                "The body must be JSON; send it with `Content-Type: application/json`.",
            ))));
        }
        let limit = request.app_data::<BodyLimit>().map(|limit| limit.0);
        let bytes = Bytes::from_request(request, payload);
        Box::pin(async move {
            let bytes = bytes
                .await
                .map_err(|error| match error.as_error::<PayloadError>() {
                    Some(error) => payload_problem(error, limit),
                    None => problem_of(&error),
                })?;
            read(&bytes).map(Self)
        })
    }
}

fn is_json(request: &HttpRequest) -> bool {
    request.mime_type().ok().flatten().is_some_and(|mime| {
        mime.subtype() == "json" || mime.suffix().is_some_and(|suffix| suffix == "json")
    })
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Outcome<T> {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    match first {
        Some(b'{') => {}
        None => {
            return Err(Problem::invalid(
                "The body is empty; it must be a JSON object.",
            ));
        }
        Some(_) => {
            let value: Value = serde_json::from_slice(bytes).map_err(|error| not_json(&error))?;
            let what = match value {
                Value::Array(_) => "an array",
                Value::String(_) => "a string",
                Value::Number(_) => "a number",
                Value::Bool(_) => "a boolean",
                Value::Null | Value::Object(_) => "null",
            };
            return Err(Problem::invalid(format!(
                "The body must be a JSON object with named fields, not {what}."
            )));
        }
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let read = serde_path_to_error::deserialize(&mut deserializer);
    let value = read.map_err(|error| {
        let path = error.path().to_string();
        let error = error.into_inner();
        if error.is_data() {
            Problem::invalid(of_json(&Place::Body, &path, &error))
        } else {
            not_json(&error)
        }
    })?;
    deserializer.end().map_err(|error| not_json(&error))?;
    Ok(value)
}

fn not_json(error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    let why = if error.is_eof() {
        "it ends too early"
    } else {
        "it breaks JSON's rules"
    };
    Problem::invalid(format!(
        "The body is not valid JSON: {why} at line {line}, column {column}."
    ))
}
