//! `[database]`: where the data is.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::Section;

/// The database.
#[derive(Debug, Clone, Deserialize)]
pub struct Database {
    /// `sqlite:FILE` or `postgres://…`, which may hold a password.
    url: SecretString,
    /// Where files are kept.
    pub data_directory: PathBuf,
    /// Connections at most.
    pub max_connections: u32,
}

impl Database {
    /// The SQLite file, when it is SQLite; a relative one is below the data directory.
    #[must_use]
    pub fn sqlite_file(&self) -> Option<PathBuf> {
        let file = self.url.expose_secret().strip_prefix("sqlite:")?;
        Some(self.data_directory.join(file.trim_start_matches("//")))
    }

    /// The URL as given.
    #[must_use]
    pub const fn url(&self) -> &SecretString {
        &self.url
    }
}

impl Section for Database {
    const NAME: &'static str = "database";

    fn mistakes(&self) -> Vec<String> {
        let url = self.url.expose_secret();
        let known = ["postgres://", "postgresql://", "sqlite:"];
        let mut mistakes = Vec::new();
        if !known
            .iter()
            .any(|prefix| url.starts_with(prefix) && url.len() > prefix.len())
        {
            mistakes
                .push("url must begin with sqlite: or postgres:// and name a database".to_owned());
        }
        if self.max_connections == 0 {
            mistakes.push("max_connections must be at least 1".to_owned());
        }
        mistakes
    }
}
