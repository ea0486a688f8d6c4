//! What a handler knows of the call: who, through which channel, under which correlation id. [`super::gate`] puts it into the
//! request; a handler that asks for it on a path the gate does not guard gets 401.

use std::future::{Ready, ready};
use std::str::FromStr;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{FromRequest, HttpMessage, HttpRequest};

use super::problem::{Problem, ProblemCode};
use crate::domain::caller::Caller;

/// The headers in which Power Platform and Dataverse name a call on their side, in the order they are asked.
pub const CORRELATION_HEADERS: [&str; 2] = ["x-ms-client-request-id", "x-ms-correlation-id"];
const LONGEST_CORRELATION_ID: usize = 128;

/// An authenticated call.
#[derive(Clone)]
pub struct Call {
    /// The caller, as flows see it.
    pub caller: Arc<Caller>,
    /// Poll tokens show a Job to whoever follows its Location; every other credential shows all that its roles allow.
    pub by_poll_token: bool,
}

impl FromRequest for Call {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let call = request.extensions().get::<Self>().cloned();
        ready(
            call.ok_or_else(|| {
                Problem::new(ProblemCode::Unauthenticated, super::credential::MISSING)
            }),
        )
    }
}

/// The caller's own name for the call, if it is one that can be kept.
#[must_use]
pub fn correlation_id(headers: &HeaderMap) -> Option<String> {
    CORRELATION_HEADERS
        .into_iter()
        .filter_map(|name| headers.get(name)?.to_str().ok())
        .map(str::trim)
        .find(|id| {
            (1..=LONGEST_CORRELATION_ID).contains(&id.len())
                && id.bytes().all(|byte| byte.is_ascii_graphic())
        })
        .map(str::to_owned)
}

/// The id in the path. Every path has at most one.
pub struct PathId<T>(pub T);

impl<T: FromStr<Err: std::fmt::Display>> FromRequest for PathId<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let text = request
            .match_info()
            .iter()
            .next()
            .map(|(_, text)| text)
            .unwrap_or_default();
        ready(match text.parse() {
            Ok(id) => Ok(Self(id)),
            Err(error) => Err(Problem::invalid(format!(
                "The path cannot be read: {error}."
            ))),
        })
    }
}

/// The version in `If-Match`, where the caller sent one: the `ETag` of what it read.
pub struct IfMatch(pub Option<i64>);

impl FromRequest for IfMatch {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let Some(value) = request.headers().get(header::IF_MATCH) else {
            return ready(Ok(Self(None)));
        };
        let text = value.to_str().unwrap_or_default().trim();
        if text == "*" {
            return ready(Ok(Self(None)));
        }
        let version = text
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'))
            .and_then(|text| text.parse().ok());
        ready(version.map(|version| Self(Some(version))).ok_or_else(|| {
            Problem::invalid("If-Match must be the ETag of one answer, such as \"3\", or *.")
        }))
    }
}

/// The entity tag of a version.
#[must_use]
pub fn etag(version: i64) -> (header::HeaderName, String) {
    (header::ETAG, format!("\"{version}\""))
}
