//! How failures of flows and of identity become problems. What a caller did is never a 5xx; what the outside did is 502 or
//! 503, so that a flow knows whether trying again may help.

use std::error::Error;
use std::time::Duration;

use super::problem::{Problem, ProblemCode};
use crate::domain::caller::MissingRole;
use crate::flows::FlowError;
use crate::identity::error::AccessError;

/// When nothing says how long to wait.
const DEFAULT_WAIT: Duration = Duration::from_secs(10);
/// A full disk is not emptied in seconds.
const WAIT_FOR_ROOM: Duration = Duration::from_mins(1);

impl From<MissingRole> for Problem {
    fn from(missing: MissingRole) -> Self {
        let detail = format!(
            "{}. Ask an administrator for a key with such a role.",
            sentence(&missing.to_string())
        );
        Self::new(ProblemCode::Forbidden, detail)
    }
}

impl From<FlowError> for Problem {
    fn from(error: FlowError) -> Self {
        let wait = error.retry_after().unwrap_or(DEFAULT_WAIT);
        let retryable = error.retryable();
        let text = format!("{}.", sentence(&error.to_string()));
        match error {
            FlowError::Forbidden(missing) => missing.into(),
            FlowError::NotFound { .. } => Self::not_found(text),
            FlowError::Invalid(_) => Self::new(ProblemCode::RuleViolated, text),
            FlowError::Conflict { current, .. } => {
                Self::new(ProblemCode::Conflict, text).with("current", current)
            }
            FlowError::Stale(_) => Self::new(ProblemCode::PreconditionFailed, text),
            FlowError::Callback(_) => Self::new(ProblemCode::CallbackRefused, text),
            FlowError::Provider(_) | FlowError::Crm(_) if retryable => {
                Self::new(ProblemCode::Unavailable, text).retry_after(wait)
            }
            FlowError::Provider(_) | FlowError::Crm(_) => {
                Self::new(ProblemCode::UpstreamFailed, text)
            }
            FlowError::Store(cause) if retryable => {
                database_unavailable(cause.is_full()).because(&cause)
            }
            FlowError::Store(cause) => Self::internal().because(&cause),
        }
    }
}

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Self {
        let text = format!("{}.", sentence(&error.to_string()));
        match error {
            AccessError::Forbidden(missing) => missing.into(),
            AccessError::Invalid(_) => Self::new(ProblemCode::RuleViolated, text),
            AccessError::NotFound { .. } => Self::not_found(text),
            AccessError::Store(cause) => FlowError::Store(cause).into(),
        }
    }
}

fn database_unavailable(full: bool) -> Problem {
    let (detail, wait) = if full {
        (
            "The database of this service has no room left, so nothing was changed. Whoever runs the service has to free some on \
             its disk; try again as Retry-After says.",
            WAIT_FOR_ROOM,
        )
    } else {
        (
            "The database of this service is not available at the moment; try again as Retry-After says.",
            DEFAULT_WAIT,
        )
    };
    Problem::new(ProblemCode::Unavailable, detail).retry_after(wait)
}

/// The whole chain of causes, for the log.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

/// Errors inside begin in lower case and end without a stop; a problem's detail is made of sentences.
pub(super) fn sentence(text: &str) -> String {
    let text = text.trim_end_matches('.');
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}
