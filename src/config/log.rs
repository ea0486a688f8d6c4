//! `[log]`: what is logged and how it looks.

use serde::Deserialize;

use super::Section;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// Logging.
#[derive(Debug, Clone, Deserialize)]
pub struct Log {
    /// A filter such as `info` or `provider_bridge=debug,warn`.
    pub filter: String,
    /// How lines look.
    pub format: LogFormat,
}

impl Section for Log {
    const NAME: &'static str = "log";
}
