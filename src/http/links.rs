//! The one place where absolute URLs are made (decision 11): Locations, next links, unsubscribe links. Their host is the
//! configured public URL, or the prefix that an API gateway in front sends, if the gateway's host is on the list. The
//! `Host` header is never looked at: whoever writes it would choose where the platform sends its next call.

use std::borrow::Cow;

use actix_web::HttpRequest;
use url::Url;

/// The header in which a gateway says under which URL it was called, e.g. `https://contoso.azure-api.net/bridge`.
pub const GATEWAY_PREFIX: &str = "x-forwarded-prefix";
const LONGEST_PREFIX: usize = 500;

/// Makes absolute URLs.
#[derive(Debug, Clone)]
pub struct Links {
    base: String,
    https: bool,
    gateway_hosts: Vec<String>,
}

impl Links {
    /// URLs below `public_url`, or below the prefix of one of the `gateway_hosts`.
    #[must_use]
    pub fn new(public_url: &Url, gateway_hosts: &[String]) -> Self {
        Self {
            base: public_url.as_str().trim_end_matches('/').to_owned(),
            https: public_url.scheme() == "https",
            gateway_hosts: gateway_hosts
                .iter()
                .map(|host| host.to_lowercase())
                .collect(),
        }
    }

    /// Whether the service is reached over https.
    #[must_use]
    pub const fn https(&self) -> bool {
        self.https
    }

    /// The absolute URL of `path` (which begins with `/`), for whoever sent `request`.
    #[must_use]
    pub fn absolute(&self, request: &HttpRequest, path: &str) -> String {
        let prefix = request
            .headers()
            .get(GATEWAY_PREFIX)
            .and_then(|value| value.to_str().ok());
        format!("{}{path}", self.base(prefix))
    }

    fn base(&self, prefix: Option<&str>) -> Cow<'_, str> {
        prefix
            .filter(|prefix| prefix.len() <= LONGEST_PREFIX)
            .and_then(|prefix| Url::parse(prefix).ok())
            .filter(|url| self.is_gateway(url))
            .map_or(Cow::Borrowed(self.base.as_str()), |url| {
                Cow::Owned(url.as_str().trim_end_matches('/').to_owned())
            })
    }

    fn is_gateway(&self, url: &Url) -> bool {
        url.scheme() == "https"
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
            && url
                .host_str()
                .is_some_and(|host| self.gateway_hosts.iter().any(|known| known == host))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_listed_gateway_over_https_changes_the_host() {
        let public = Url::parse("https://bridge.contoso.com/").unwrap();
        let links = Links::new(&public, &["Contoso.Azure-API.net".to_owned()]);
        let ours = "https://bridge.contoso.com";
        for (prefix, base) in [
            (None, ours),
            (
                Some("https://contoso.azure-api.net/bridge/"),
                "https://contoso.azure-api.net/bridge",
            ),
            (Some("http://contoso.azure-api.net/bridge"), ours),
            (Some("https://evil.example/bridge"), ours),
            (Some("https://contoso.azure-api.net.evil.example"), ours),
            (Some("https://contoso.azure-api.net@evil.example/"), ours),
            (Some("https://me@contoso.azure-api.net/"), ours),
            (Some("https://contoso.azure-api.net/?x="), ours),
            (Some("/bridge"), ours),
        ] {
            assert_eq!(links.base(prefix), base, "{prefix:?}");
        }
    }
}
