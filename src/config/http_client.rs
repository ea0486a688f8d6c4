//! `[http_client]`: how we call others.

use serde::Deserialize;

use super::Section;

/// The HTTP client.
#[derive(Debug, Clone, Deserialize)]
pub struct HttpClient {
    trusted_roots: String,
    /// Plain http to this very machine.
    pub allow_plain_loopback: bool,
    /// A whole request takes so long at most.
    pub timeout_seconds: u64,
}

impl HttpClient {
    /// PEM file with further trusted roots.
    #[must_use]
    pub fn trusted_roots(&self) -> Option<&std::path::Path> {
        (!self.trusted_roots.is_empty()).then(|| self.trusted_roots.as_ref())
    }
}

impl Section for HttpClient {
    const NAME: &'static str = "http_client";
}
