//! `application/problem+json` (RFC 9457): the one shape in which anything goes wrong outside. The text says what failed, why,
//! and what to do next, and nothing secret.
//!
//! A [`Problem`] does not know its request. Whatever fails travels as an error to [`super::edge`], which alone writes the
//! body, because only there the request id is at hand.

use std::borrow::Cow;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

pub use super::problem_code::ProblemCode;

/// The media type of problems.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// Something that went wrong, on its way out.
#[derive(Debug, Clone)]
pub struct Problem(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    code: ProblemCode,
    detail: Cow<'static, str>,
    retry_after: Option<Duration>,
    members: Map<String, Value>,
    cause: Option<String>,
}

/// What a handler gives.
pub type Outcome<T> = Result<T, Problem>;

impl Problem {
    /// A problem with its explanation: what failed, why, and what to do next.
    pub fn new(code: ProblemCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Parts {
            code,
            detail: detail.into(),
            retry_after: None,
            members: Map::new(),
            cause: None,
        }))
    }

    /// Of a request that cannot be understood.
    pub fn invalid(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ProblemCode::InvalidRequest, detail)
    }

    /// Of something that is not there.
    pub fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ProblemCode::NotFound, detail)
    }

    /// A fault of ours. The cause belongs in the log, not here.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(
            ProblemCode::Internal,
            "This service failed; nothing is known to be wrong with the request. Try again, and give the request id to \
             whoever runs the service if it happens again.",
        )
    }

    /// With a `Retry-After`.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// With a member beside those of RFC 9457, such as `current`.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: Value) -> Self {
        self.0.members.insert(name.to_owned(), value);
        self
    }

    /// With what is behind it, for the log alone.
    #[must_use]
    pub fn because(mut self, cause: &(dyn std::error::Error + 'static)) -> Self {
        self.0.cause = Some(super::problem_from::chain(cause));
        self
    }

    /// What is behind it, for the log alone.
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        self.0.cause.as_deref()
    }

    /// What went wrong, in one word.
    #[must_use]
    pub fn code(&self) -> ProblemCode {
        self.0.code
    }

    /// The answer with its body.
    #[must_use]
    pub fn into_response(self, request_id: &str) -> HttpResponse {
        let parts = *self.0;
        let mut answer = HttpResponse::build(parts.code.status());
        answer.content_type(PROBLEM_JSON);
        answer.insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")));
        if let Some(wait) = parts.retry_after {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            answer.insert_header((header::RETRY_AFTER, seconds.max(1).to_string()));
        }
        if parts.code == ProblemCode::Unauthenticated {
            let challenge = HeaderValue::from_static(
                "ApiKey realm=\"provider-bridge\", Bearer realm=\"provider-bridge\"",
            );
            answer.insert_header((header::WWW_AUTHENTICATE, challenge));
        }
        answer.json(ProblemDocument {
            kind: format!("urn:provider-bridge:problem:{}", parts.code.name()),
            title: parts.code.title().to_owned(),
            status: parts.code.status().as_u16(),
            detail: parts.detail.into_owned(),
            code: parts.code,
            request_id: request_id.to_owned(),
            members: parts.members,
        })
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.0.code.name(), self.0.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.0.code.status()
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.0.code.status())
    }
}

/// An error answer (RFC 9457). `detail` says what failed, why, and what to do next.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
#[serde(rename_all = "camelCase")]
pub struct ProblemDocument {
    /// A URI that names the kind of problem.
    #[serde(rename = "type")]
    #[schema(example = "urn:provider-bridge:problem:not-found")]
    kind: String,
    /// A sentence that is the same for every problem of this kind.
    #[schema(example = "There is no such thing")]
    title: String,
    /// The HTTP status, again.
    #[schema(example = 404)]
    status: u16,
    /// What failed here, why, and what to do next.
    #[schema(example = "There is no provider account 0197a1b2-0000-7000-8000-000000000001.")]
    detail: String,
    /// The word to switch on.
    code: ProblemCode,
    /// Name of this call in the service's log; also in the header x-request-id.
    #[schema(example = "5f0c2a91-1a")]
    request_id: String,
    /// Further members, such as `current` of a conflict.
    #[serde(flatten)]
    #[schema(ignore)]
    members: Map<String, Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn a_problem_has_the_members_of_rfc_9457_and_ours() {
        let problem = Problem::new(ProblemCode::Conflict, "It is taken.")
            .with("current", serde_json::json!({"state": "mapped"}))
            .retry_after(Duration::from_millis(1500));
        let answer = problem.into_response("r-1");
        assert_eq!(answer.status(), 409);
        assert_eq!(answer.headers().get("content-type").unwrap(), PROBLEM_JSON);
        assert_eq!(answer.headers().get("retry-after").unwrap(), "2");
        let body = actix_web::body::to_bytes(answer.into_body()).await.unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            body,
            serde_json::json!({
                "type": "urn:provider-bridge:problem:conflict",
                "title": "The present state stands against it",
                "status": 409,
                "detail": "It is taken.",
                "code": "conflict",
                "requestId": "r-1",
                "current": {"state": "mapped"},
            })
        );
    }
}
