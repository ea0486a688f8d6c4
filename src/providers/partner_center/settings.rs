//! How to reach Partner Center (the process's configuration) and whom to be there (one connected provider).

use reqwest::Url;
use secrecy::SecretString;

use crate::net::app_token::AppCredential;
use crate::net::backoff::RetryPolicy;

/// Where Partner Center and its sign-in are, and how hard we may ask. The same for every connection of a cloud. Time-outs
/// and the cap on bodies belong to the HTTP client that is handed in.
#[derive(Debug, Clone)]
pub struct PartnerCenterSettings {
    /// The API's address without the version, e.g. `https://api.partnercenter.microsoft.com`.
    pub base_url: Url,
    /// Where tokens are issued, e.g. `https://login.microsoftonline.com`.
    pub authority: Url,
    /// What a token is asked for, e.g. `https://api.partnercenter.microsoft.com/.default`.
    pub scope: String,
    /// Customers per page; the API gives 500 at most.
    pub page_size: u16,
    /// The quota of customer resources is 500 requests per minute and tenant; zero lifts the limit.
    pub requests_per_minute: u32,
    /// How many of them may be sent at once.
    pub burst: u32,
    /// How transient failures are retried.
    pub retry: RetryPolicy,
}

impl PartnerCenterSettings {
    /// The published quota and page size, for the API at `base_url` with sign-in at `authority`.
    #[must_use]
    pub fn new(base_url: Url, authority: Url) -> Self {
        let scope = format!("{}/.default", base_url.as_str().trim_end_matches('/'));
        Self {
            base_url,
            authority,
            scope,
            page_size: 500,
            requests_per_minute: 500,
            burst: 20,
            retry: RetryPolicy::default(),
        }
    }

    /// The address of a resource. `/v1` is set here and nowhere else: the API's own links carry it sometimes.
    pub(super) fn resource(&self, segments: &[&str]) -> Url {
        let mut url = self.base_url.clone();
        let prefix = url.path().trim_end_matches('/');
        let prefix = prefix.strip_suffix("/v1").unwrap_or(prefix).to_owned();
        url.set_path(&prefix);
        url.set_query(None);
        url.set_fragment(None);
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("v1").extend(segments);
        }
        url
    }

    /// The audience a token must be for: the scope without `/.default`.
    pub(super) fn audience(&self) -> &str {
        let resource = self.scope.trim_end_matches("/.default");
        resource.trim_end_matches('/')
    }
}

/// Whom we are at Partner Center.
#[derive(Debug, Clone)]
pub struct PartnerCenterConnection {
    /// The Entra tenant that hosts Partner Center: its id, or one of its domains.
    pub tenant: String,
    /// The application (client) id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: SecretString,
}

impl PartnerCenterConnection {
    /// What the sign-in service wants, for application-only tokens (v2 endpoint).
    pub(super) fn credential(&self, settings: &PartnerCenterSettings) -> AppCredential {
        let mut token_url = settings.authority.clone();
        if let Ok(mut path) = token_url.path_segments_mut() {
            path.pop_if_empty()
                .extend([self.tenant.trim(), "oauth2", "v2.0", "token"]);
        }
        AppCredential {
            token_url,
            client_id: self.client_id.trim().to_owned(),
            client_secret: self.client_secret.clone(),
            scope: settings.scope.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(base: &str, segments: &[&str]) -> String {
        let base = Url::parse(base).unwrap();
        PartnerCenterSettings::new(base.clone(), base)
            .resource(segments)
            .to_string()
    }

    #[test]
    fn the_version_is_in_the_address_once_however_the_base_is_written() {
        for base in [
            "https://pc.test",
            "https://pc.test/",
            "https://pc.test/v1",
            "https://pc.test/v1/?x=y#z",
        ] {
            let address = resource(base, &["customers"]);
            assert_eq!(address, "https://pc.test/v1/customers", "{base}");
        }
        assert_eq!(
            resource("https://proxy.test/csp/", &["customers", "a/b?c"]),
            "https://proxy.test/csp/v1/customers/a%2Fb%3Fc"
        );
    }
}
