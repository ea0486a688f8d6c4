//! Why there is no token, in one shape for every kind of grant: who can do something about it, and what. Nothing of what was
//! sent or answered is quoted but Entra's own code.

use std::time::Duration;

use oauth2::RequestTokenError;
use url::Url;

use super::entra_error::EntraErrorBody;
use super::oauth_http::OauthHttpError;
use crate::domain::ports::crm::CrmError;
use crate::domain::ports::provider::{FailureKind, ProviderError};

/// No token could be had.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct TokenError {
    /// What kind of failure.
    pub kind: FailureKind,
    /// What failed, why, and what to do. Nothing secret.
    pub message: String,
    /// `AADSTS…`, or the OAuth error.
    pub code: Option<String>,
    /// How long the sign-in service asked us to wait.
    pub retry_after: Option<Duration>,
    /// Entra's correlation id, for Microsoft's support.
    pub correlation_id: Option<String>,
}

/// The failure of a request to `token_url`.
pub(super) fn token_failure(
    token_url: &Url,
    client_id: &str,
    scope: &str,
    error: RequestTokenError<OauthHttpError, EntraErrorBody>,
) -> TokenError {
    let host = token_url.host_str().unwrap_or_default();
    let what = format!("no token for `{scope}` from {host}");
    let plain = |kind, message| TokenError {
        kind,
        message,
        code: None,
        retry_after: None,
        correlation_id: None,
    };
    match error {
        RequestTokenError::ServerResponse(body) => {
            let (verdict, code, path) = (body.verdict(), body.code(), token_url.path());
            let message = format!(
                "{what}{path} for application `{client_id}`: {} ({code})",
                verdict.meaning
            );
            TokenError {
                code: Some(code),
                correlation_id: body.correlation_id.or(body.trace_id),
                ..plain(verdict.kind, message)
            }
        }
        RequestTokenError::Request(OauthHttpError::Net(error)) => {
            plain(error.kind(), format!("{what}: {error}"))
        }
        RequestTokenError::Request(OauthHttpError::Status {
            status,
            retry_after,
        }) => {
            let kind = if status == 429 {
                FailureKind::Throttled
            } else {
                FailureKind::Transient
            };
            let message = format!("{what}: it answered {status}; it is tried again later");
            TokenError {
                retry_after,
                ..plain(kind, message)
            }
        }
        // The errors of reading may quote the body, and the body may hold the token.
        _ => plain(
            FailureKind::Protocol,
            format!("{what}: it answered something that is no token; check the authority"),
        ),
    }
}

impl From<TokenError> for ProviderError {
    fn from(error: TokenError) -> Self {
        Self {
            kind: error.kind,
            message: error.message,
            code: error.code,
            retry_after: error.retry_after,
            correlation_id: error.correlation_id,
        }
    }
}

impl From<TokenError> for CrmError {
    fn from(error: TokenError) -> Self {
        Self {
            kind: error.kind,
            message: error.message,
            code: error.code,
            retry_after: error.retry_after,
        }
    }
}
