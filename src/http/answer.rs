//! The last touches on every answer: a failure gets its problem body, every answer its security headers.

use actix_web::Error;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::error::{PathError, PayloadError};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::problem::{Problem, ProblemCode};

/// An error's text may quote what the caller sent; so much of it is enough to find the place.
const LONGEST_QUOTE: usize = 300;

/// Finishes answers.
pub struct Finish {
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Finish {
    /// `https` turns on Strict-Transport-Security.
    #[must_use]
    pub fn new(https: bool) -> Self {
        let mut headers = vec![
            (
                header::X_CONTENT_TYPE_OPTIONS,
                HeaderValue::from_static("nosniff"),
            ),
            (
                header::REFERRER_POLICY,
                HeaderValue::from_static("no-referrer"),
            ),
            (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
            (
                header::CONTENT_SECURITY_POLICY,
                HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
            ),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        if https {
            let year = HeaderValue::from_static("max-age=31536000; includeSubDomains");
            headers.push((header::STRICT_TRANSPORT_SECURITY, year));
        }
        Self { headers }
    }

    /// Gives a failure its body and the answer its headers. What a handler set stays: pages have a policy of their own.
    #[must_use]
    pub fn finish(&self, response: ServiceResponse, id: &str) -> ServiceResponse {
        let mut response =
            if response.status().is_client_error() || response.status().is_server_error() {
                explain(response, id)
            } else {
                response
            };
        let headers = response.headers_mut();
        for (name, value) in &self.headers {
            if !headers.contains_key(name) {
                headers.insert(name.clone(), value.clone());
            }
        }
        response
    }
}

/// The failed answer with a problem as its body, unless it has a body of its own.
fn explain(response: ServiceResponse, id: &str) -> ServiceResponse {
    if is_page(&response) {
        return response;
    }
    let problem = match response.response().error() {
        Some(error) => problem_of(error),
        None if is_empty(&response) => bare(response.status()),
        None => return response,
    };
    if problem.code().status().is_server_error() {
        let (code, cause) = (problem.code().name(), problem.cause());
        tracing::error!(request_id = id, code, cause, "a request failed");
    }
    let kept: Vec<_> = keep(response.headers());
    let mut answer = problem.into_response(id);
    for (name, value) in kept {
        answer.headers_mut().insert(name, value);
    }
    response.into_response(answer)
}

/// Headers of a failed answer that say more than its body will.
fn keep(headers: &HeaderMap) -> Vec<(HeaderName, HeaderValue)> {
    [header::ALLOW, header::ETAG]
        .into_iter()
        .filter_map(|name| {
            headers
                .get(&name)
                .map(|value| (name.clone(), value.clone()))
        })
        .collect()
}

/// A page says itself what is wrong, also where an extractor gave it.
fn is_page(response: &ServiceResponse<BoxBody>) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

fn is_empty(response: &ServiceResponse<BoxBody>) -> bool {
    matches!(
        response.response().body().size(),
        BodySize::None | BodySize::Sized(0)
    )
}

/// The problem behind an error, whoever raised it. What is not known to be the caller's doing is ours.
pub fn problem_of(error: &Error) -> Problem {
    if let Some(problem) = error.as_error::<Problem>() {
        return problem.clone();
    }
    if let Some(error) = error.as_error::<PathError>() {
        return Problem::invalid(format!("The path cannot be read: {}.", quote(error)));
    }
    if let Some(error) = error.as_error::<PayloadError>() {
        return payload_problem(error, None);
    }
    bare(error.as_response_error().status_code())
}

/// The problem of a body that did not arrive, or not whole.
pub(super) fn payload_problem(error: &PayloadError, limit: Option<usize>) -> Problem {
    match error {
        PayloadError::Overflow => too_large(limit),
        _ => Problem::invalid("The body did not arrive whole; send the request again."),
    }
}

fn too_large(limit: Option<usize>) -> Problem {
    let limit = limit
        .map(|limit| format!(" than {limit} bytes"))
        .unwrap_or_default();
    Problem::new(
        ProblemCode::PayloadTooLarge,
        format!("The body is larger{limit}; send less at once."),
    )
}

fn quote(error: &impl std::fmt::Display) -> String {
    error.to_string().chars().take(LONGEST_QUOTE).collect()
}

/// A status without a word of explanation.
fn bare(status: StatusCode) -> Problem {
    let code = ProblemCode::ALL
        .into_iter()
        .find(|code| code.status() == status);
    match code {
        Some(ProblemCode::Internal) | None if !status.is_client_error() => Problem::internal(),
        Some(code) => Problem::new(code, format!("{}.", code.title())),
        None => Problem::invalid("The request cannot be understood."),
    }
}
