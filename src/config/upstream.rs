//! `[entra]` and `[partner_center]`: where the upstream services are. Never changeable through the API, so that no caller
//! can send our secrets elsewhere.

use serde::Deserialize;
use url::Url;

use super::{Section, is_safe};

/// Microsoft Entra.
#[derive(Debug, Clone, Deserialize)]
pub struct Entra {
    /// Where tokens come from.
    #[serde(deserialize_with = "super::url")]
    pub authority: Url,
}

/// Microsoft Partner Center.
#[derive(Debug, Clone, Deserialize)]
pub struct PartnerCenter {
    /// Base URL, without `/v1`.
    #[serde(deserialize_with = "super::url")]
    pub base_url: Url,
    /// Requests in a minute; 0 lifts the limit.
    pub requests_per_minute: u32,
    /// Customers on a page.
    pub page_size: u32,
}

fn unsafe_url(key: &str, url: &Url) -> Vec<String> {
    if is_safe(url) {
        return Vec::new();
    }
    vec![format!("{key} must be https, or http to this very machine")]
}

impl Section for Entra {
    const NAME: &'static str = "entra";

    fn mistakes(&self) -> Vec<String> {
        unsafe_url("authority", &self.authority)
    }
}

impl Section for PartnerCenter {
    const NAME: &'static str = "partner_center";

    fn mistakes(&self) -> Vec<String> {
        let mut mistakes = unsafe_url("base_url", &self.base_url);
        if !(1..=500).contains(&self.page_size) {
            mistakes.push("page_size must be between 1 and 500".to_owned());
        }
        mistakes
    }
}
