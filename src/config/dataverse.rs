//! `[dataverse]`: the CRM, its application user, and how long lookups are cached.

use std::str::FromStr;

use chrono::DateTime;
use croner::Cron;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;
use uuid::Uuid;

use super::{Section, is_safe};

/// A webhook's secret is all that tells Dynamics from a stranger.
const SHORTEST_SECRET: usize = 16;

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
    /// Secrets that its webhooks may carry.
    pub webhook_secrets: Vec<SecretString>,
    /// The header that carries one.
    pub webhook_header: String,
    organization_id: String,
}

impl Dataverse {
    /// The organisation's URL; `None` while no CRM is connected.
    #[must_use]
    pub fn org_url(&self) -> Option<Url> {
        self.org_url.parse().ok()
    }

    /// The organisation's id; `None` when its webhooks are told by host alone.
    #[must_use]
    pub fn organization_id(&self) -> Option<Uuid> {
        self.organization_id.parse().ok()
    }

    fn webhook_mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        if self.webhook_secrets.len() > 2 {
            mistakes
                .push("webhook_secrets may be two at most: the new one and the old one".to_owned());
        }
        let short = |secret: &SecretString| secret.expose_secret().trim().len() < SHORTEST_SECRET;
        if self.webhook_secrets.iter().any(short) {
            mistakes.push(format!(
                "webhook_secrets must have {SHORTEST_SECRET} characters or more each"
            ));
        }
        let name = self.webhook_header.as_bytes();
        let visible = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
        if name.is_empty() || !name.iter().all(visible) {
            mistakes.push("webhook_header must be the name of a header".to_owned());
        }
        if !self.organization_id.is_empty() && self.organization_id().is_none() {
            mistakes.push("organization_id must be a GUID".to_owned());
        }
        mistakes
    }
}

/// Whether `text` has five fields (not the six with seconds that the reader would take too) and fires at all.
fn is_schedule(text: &str) -> bool {
    text.split_whitespace().count() == 5
        && Cron::from_str(text).is_ok_and(|cron| {
            cron.find_next_occurrence(&DateTime::UNIX_EPOCH, false)
                .is_ok()
        })
}

impl Section for Dataverse {
    const NAME: &'static str = "dataverse";

    fn mistakes(&self) -> Vec<String> {
        let mut mistakes = self.webhook_mistakes();
        if !(1..=5000).contains(&self.page_size) {
            mistakes.push("page_size must be between 1 and 5000".to_owned());
        }
        if !is_schedule(&self.refresh) {
            mistakes.push(format!(
                "refresh: `{}` is no cron expression of five fields (minute, hour, day, month, weekday) such as */10 * * * *",
                self.refresh
            ));
        }
        if self.org_url.is_empty() {
            return mistakes;
        }
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
        mistakes
    }
}
