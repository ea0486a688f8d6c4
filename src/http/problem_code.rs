//! The closed list of problem codes. A caller may switch on the code; status and title follow from it, and the list is in
//! the OpenAPI document, so a new code is a change of the contract.

use actix_web::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What went wrong, in one word that never changes. The status follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemCode {
    /// The request cannot be understood.
    InvalidRequest,
    /// There is no credential, or it is not valid.
    Unauthenticated,
    /// The caller lacks the role for this.
    Forbidden,
    /// There is no such thing, or the caller may not know of it.
    NotFound,
    /// The path exists, but not with this method.
    MethodNotAllowed,
    /// The request took too long to arrive.
    RequestTimeout,
    /// The present state stands against it; `current` shows that state.
    Conflict,
    /// The first call with this Idempotency-Key still runs.
    IdempotencyInProgress,
    /// The caller's copy is stale (`If-Match` or an expected value).
    PreconditionFailed,
    /// The body is larger than allowed.
    PayloadTooLarge,
    /// The body is not JSON.
    UnsupportedMediaType,
    /// A rule of the domain stands against it.
    RuleViolated,
    /// This Idempotency-Key was used with another request.
    IdempotencyMismatch,
    /// The callback URL is not one that this service calls.
    CallbackRefused,
    /// Too many requests; `Retry-After` says when to come back.
    TooManyRequests,
    /// A fault of this service.
    Internal,
    /// A provider or the CRM refused or could not be understood.
    UpstreamFailed,
    /// A provider, the CRM or the database cannot be reached now; `Retry-After` says when to come back.
    Unavailable,
}

impl ProblemCode {
    /// Every code.
    pub const ALL: [Self; 18] = [
        Self::InvalidRequest,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::RequestTimeout,
        Self::Conflict,
        Self::IdempotencyInProgress,
        Self::PreconditionFailed,
        Self::PayloadTooLarge,
        Self::UnsupportedMediaType,
        Self::RuleViolated,
        Self::IdempotencyMismatch,
        Self::CallbackRefused,
        Self::TooManyRequests,
        Self::Internal,
        Self::UpstreamFailed,
        Self::Unavailable,
    ];

    /// Name, status and title.
    const fn facts(self) -> (&'static str, StatusCode, &'static str) {
        use StatusCode as S;
        match self {
            Self::InvalidRequest => (
                "invalid-request",
                S::BAD_REQUEST,
                "The request cannot be understood",
            ),
            Self::Unauthenticated => (
                "unauthenticated",
                S::UNAUTHORIZED,
                "A valid credential is needed",
            ),
            Self::Forbidden => ("forbidden", S::FORBIDDEN, "The caller lacks a role"),
            Self::NotFound => ("not-found", S::NOT_FOUND, "There is no such thing"),
            Self::MethodNotAllowed => (
                "method-not-allowed",
                S::METHOD_NOT_ALLOWED,
                "Not with this method",
            ),
            Self::RequestTimeout => (
                "request-timeout",
                S::REQUEST_TIMEOUT,
                "The request took too long to arrive",
            ),
            Self::Conflict => (
                "conflict",
                S::CONFLICT,
                "The present state stands against it",
            ),
            Self::IdempotencyInProgress => (
                "idempotency-in-progress",
                S::CONFLICT,
                "The first call still runs",
            ),
            Self::PreconditionFailed => (
                "precondition-failed",
                S::PRECONDITION_FAILED,
                "The caller's copy is stale",
            ),
            Self::PayloadTooLarge => (
                "payload-too-large",
                S::PAYLOAD_TOO_LARGE,
                "The body is too large",
            ),
            Self::UnsupportedMediaType => (
                "unsupported-media-type",
                S::UNSUPPORTED_MEDIA_TYPE,
                "The body must be JSON",
            ),
            Self::RuleViolated => (
                "rule-violated",
                S::UNPROCESSABLE_ENTITY,
                "A rule stands against it",
            ),
            Self::IdempotencyMismatch => (
                "idempotency-mismatch",
                S::UNPROCESSABLE_ENTITY,
                "The key was used with another request",
            ),
            Self::CallbackRefused => (
                "callback-refused",
                S::UNPROCESSABLE_ENTITY,
                "The callback URL is refused",
            ),
            Self::TooManyRequests => (
                "too-many-requests",
                S::TOO_MANY_REQUESTS,
                "Too many requests",
            ),
            Self::Internal => (
                "internal",
                S::INTERNAL_SERVER_ERROR,
                "A fault of this service",
            ),
            Self::UpstreamFailed => (
                "upstream-failed",
                S::BAD_GATEWAY,
                "A system behind this service failed",
            ),
            Self::Unavailable => (
                "unavailable",
                S::SERVICE_UNAVAILABLE,
                "Not available at the moment",
            ),
        }
    }

    /// The word in the document.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.facts().0
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        self.facts().1
    }

    /// A sentence that is the same for every problem with this code.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.facts().2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_the_word_that_serde_writes_and_every_status_is_an_error() {
        for code in ProblemCode::ALL {
            assert_eq!(serde_json::json!(code), code.name());
            assert!(code.status().is_client_error() || code.status().is_server_error());
        }
    }
}
