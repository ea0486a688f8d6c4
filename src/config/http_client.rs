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

    fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        if !(1..=3600).contains(&self.timeout_seconds) {
            mistakes.push("timeout_seconds must be between 1 and 3600".to_owned());
        }
        if let Some(file) = self.trusted_roots() {
            let shown = file.display();
            match std::fs::read_to_string(file) {
                Err(error) => {
                    mistakes.push(format!("trusted_roots: {shown} cannot be read: {error}"));
                }
                Ok(text) if !text.contains("-----BEGIN CERTIFICATE-----") => mistakes.push(
                    format!("trusted_roots: {shown} holds no certificate in PEM format"),
                ),
                Ok(_) => {}
            }
        }
        mistakes
    }
}
