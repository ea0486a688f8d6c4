//! `[log]`: what is logged and how it looks.

use std::str::FromStr;

use serde::Deserialize;
use tracing_subscriber::EnvFilter;

use super::Section;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

impl FromStr for LogFormat {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(()),
        }
    }
}

fn format<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<LogFormat, D::Error> {
    super::from_text(deserializer, "format of log lines: use text or json")
}

/// Logging.
#[derive(Debug, Clone, Deserialize)]
pub struct Log {
    /// A filter such as `info` or `provider_bridge=debug,warn`.
    pub filter: String,
    /// How lines look.
    #[serde(deserialize_with = "format")]
    pub format: LogFormat,
}

impl Section for Log {
    const NAME: &'static str = "log";

    fn mistakes(&self) -> Vec<String> {
        let Err(error) = EnvFilter::try_new(&self.filter) else {
            return Vec::new();
        };
        vec![format!(
            "filter: `{}` is no filter such as info or provider_bridge=debug,warn ({error})",
            self.filter
        )]
    }
}
