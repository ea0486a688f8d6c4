//! `[dataverse]`: the CRM, its application user, and how long lookups are cached.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use super::{Section, is_safe};

/// The CRM.
#[derive(Debug, Clone, Deserialize)]
pub struct Dataverse {
    org_url: String,
    /// Tenant of the application user.
    pub tenant: String,
    /// Application id of the application user.
    pub client_id: String,
    /// Its secret.
    pub client_secret: SecretString,
    /// Rows on a page of the change feed.
    pub page_size: u32,
    /// How long a looked-up account is served from memory.
    pub cache_seconds: u64,
    /// Accounts in the cache at most.
    pub cache_entries: u64,
    /// When the directory pulls the changes.
    pub refresh: String,
}

impl Dataverse {
    /// The organisation's URL; `None` while no CRM is connected.
    #[must_use]
    pub fn org_url(&self) -> Option<Url> {
        self.org_url.parse().ok()
    }
}

impl Section for Dataverse {
    const NAME: &'static str = "dataverse";

    fn mistakes(&self) -> Vec<String> {
        if self.org_url.is_empty() {
            return Vec::new();
        }
        let mut mistakes = Vec::new();
        if !self.org_url().is_some_and(|url| is_safe(&url)) {
            mistakes.push("org_url must be an https URL, or http to this very machine".to_owned());
        }
        let secret = self.client_secret.expose_secret();
        for (key, value) in [
            ("tenant", self.tenant.as_str()),
            ("client_id", &self.client_id),
            ("client_secret", secret),
        ] {
            if value.trim().is_empty() {
                mistakes.push(format!("{key} must be set when org_url is"));
            }
        }
        if !(1..=5000).contains(&self.page_size) {
            mistakes.push("page_size must be between 1 and 5000".to_owned());
        }
        mistakes
    }
}
