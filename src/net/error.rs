//! What can go wrong between us and another host, before anything of the answer is understood. Messages name the host and
//! never more of the URL: a path or query may carry ids or secrets.

use crate::domain::ports::provider::FailureKind;

/// A call outwards that brought no whole answer.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// We would not send it: plain http off loopback, credentials in the URL, a scheme that is not HTTP.
    #[error("the call was not made: {0}")]
    Refused(String),
    /// The client itself could not be made of its settings.
    #[error("the HTTP client cannot be set up: {0}")]
    Setup(String),
    /// No connection: name not found, refused, or TLS failed.
    #[error("cannot connect to {host}: {reason}")]
    Connect {
        /// Whom we called.
        host: String,
        /// The innermost cause, in words.
        reason: String,
    },
    /// The time-out passed before the whole answer was there.
    #[error("{host} did not answer in time")]
    Timeout {
        /// Whom we called.
        host: String,
    },
    /// The connection ended, or spoke something else than HTTP, before the answer's head was there. The call may have
    /// been carried out.
    #[error("the connection to {host} was lost before it answered: {reason}")]
    Lost {
        /// Whom we called.
        host: String,
        /// The innermost cause, in words.
        reason: String,
    },
    /// The body ended before its announced end, or could not be decompressed.
    #[error("the answer of {host} broke off: {reason}")]
    Torn {
        /// Whom we called.
        host: String,
        /// The innermost cause, in words.
        reason: String,
    },
    /// The body is larger than we are willing to hold.
    #[error("the answer of {host} is larger than {limit} bytes")]
    TooLarge {
        /// Whom we called.
        host: String,
        /// The cap, in bytes.
        limit: usize,
    },
}

impl NetError {
    /// Sorts an error of the inner client that came before the answer's head.
    pub(crate) fn before_answer(host: &str, error: &reqwest::Error) -> Self {
        let host = host.to_owned();
        let reason = innermost(error);
        match error {
            error if error.is_timeout() => Self::Timeout { host },
            error if error.is_connect() => Self::Connect { host, reason },
            error if error.is_builder() => Self::Refused(reason),
            _ => Self::Lost { host, reason },
        }
    }

    /// Sorts an error of the inner client that came while the body was read.
    pub(crate) fn in_body(host: &str, error: &reqwest::Error) -> Self {
        let host = host.to_owned();
        if error.is_timeout() {
            Self::Timeout { host }
        } else {
            let reason = innermost(error);
            Self::Torn { host, reason }
        }
    }

    /// How the ports class it: a setting to mend, or something that may work later.
    #[must_use]
    pub const fn kind(&self) -> FailureKind {
        match self {
            Self::Refused(_) | Self::Setup(_) => FailureKind::Configuration,
            Self::TooLarge { .. } => FailureKind::Protocol,
            Self::Connect { .. } | Self::Timeout { .. } | Self::Lost { .. } | Self::Torn { .. } => {
                FailureKind::Transient
            }
        }
    }
}

/// The last error of the chain: it says why (`Connection refused`), while the first only says that. It holds no URL.
fn innermost(error: &reqwest::Error) -> String {
    let mut last: &dyn std::error::Error = match std::error::Error::source(error) {
        Some(source) => source,
        None => return "no further reason given".to_owned(),
    };
    while let Some(next) = last.source() {
        last = next;
    }
    last.to_string()
}
