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

    /// The word in the document.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid-request",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not-found",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::RequestTimeout => "request-timeout",
            Self::Conflict => "conflict",
            Self::IdempotencyInProgress => "idempotency-in-progress",
            Self::PreconditionFailed => "precondition-failed",
            Self::PayloadTooLarge => "payload-too-large",
            Self::UnsupportedMediaType => "unsupported-media-type",
            Self::RuleViolated => "rule-violated",
            Self::IdempotencyMismatch => "idempotency-mismatch",
            Self::CallbackRefused => "callback-refused",
            Self::TooManyRequests => "too-many-requests",
            Self::Internal => "internal",
            Self::UpstreamFailed => "upstream-failed",
            Self::Unavailable => "unavailable",
        }
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::InvalidRequest => StatusCode::BAD_REQUEST,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::Conflict | Self::IdempotencyInProgress => StatusCode::CONFLICT,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::RuleViolated | Self::IdempotencyMismatch | Self::CallbackRefused => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Self::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::UpstreamFailed => StatusCode::BAD_GATEWAY,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// A sentence that is the same for every problem with this code.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::InvalidRequest => "The request cannot be understood",
            Self::Unauthenticated => "A valid credential is needed",
            Self::Forbidden => "The caller lacks a role",
            Self::NotFound => "There is no such thing",
            Self::MethodNotAllowed => "Not with this method",
            Self::RequestTimeout => "The request took too long to arrive",
            Self::Conflict => "The present state stands against it",
            Self::IdempotencyInProgress => "The first call still runs",
            Self::PreconditionFailed => "The caller's copy is stale",
            Self::PayloadTooLarge => "The body is too large",
            Self::UnsupportedMediaType => "The body must be JSON",
            Self::RuleViolated => "A rule stands against it",
            Self::IdempotencyMismatch => "The key was used with another request",
            Self::CallbackRefused => "The callback URL is refused",
            Self::TooManyRequests => "Too many requests",
            Self::Internal => "A fault of this service",
            Self::UpstreamFailed => "A system behind this service failed",
            Self::Unavailable => "Not available at the moment",
        }
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
