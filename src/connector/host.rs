//! The host a connector calls. Swagger 2.0 knows a host and a base path but no URL, and Power Platform calls https only,
//! so a public URL is cut down to its host here and everything it cannot say is refused.

use url::Url;

/// Host and, where it is not 443, port of a deployment, as Swagger's `host` wants it, and the path below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    name: String,
    base_path: String,
}

/// Why a text is no host for a connector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// It cannot be read as a host or URL at all.
    #[error(
        "`{0}` is neither a host nor a URL; write it like bridge.contoso.com or https://bridge.contoso.com"
    )]
    Unreadable(String),
    /// A scheme that the platform does not call.
    #[error("`{0}` is not https; Power Platform calls a connector over https only")]
    NotHttps(String),
    /// A query, fragment or user that Swagger 2.0 has no place for.
    #[error("`{0}` has more than a host, a port and a path; leave the rest away")]
    MoreThanHost(String),
}

impl Host {
    /// What the checked-in package names. A deployment puts its own in with `--host` or `--public-url`.
    #[must_use]
    pub fn placeholder() -> Self {
        Self {
            name: "provider-bridge.contoso.com".to_owned(),
            base_path: "/".to_owned(),
        }
    }

    /// Reads `bridge.contoso.com`, `bridge.contoso.com:8443` or `https://bridge.contoso.com/base`.
    ///
    /// # Errors
    /// When it is not https, has a query or the like, or is no host at all.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        let text = text.trim();
        let url = if text.contains("://") {
            Url::parse(text)
        } else {
            Url::parse(&format!("https://{text}"))
        }
        .map_err(|_| HostError::Unreadable(text.to_owned()))?;
        if url.scheme() != "https" {
            return Err(HostError::NotHttps(text.to_owned()));
        }
        let bare = url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if !bare {
            return Err(HostError::MoreThanHost(text.to_owned()));
        }
        let host = url
            .host_str()
            .ok_or_else(|| HostError::Unreadable(text.to_owned()))?;
        let name = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let base_path = format!("/{}", url.path().trim_matches('/'));
        Ok(Self { name, base_path })
    }

    /// The host as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// What every path of the API begins with, as Swagger's `basePath` wants it: without a slash at its end.
    #[must_use]
    pub fn base_path(&self) -> &str {
        &self.base_path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_read_from_a_name_or_from_a_url() {
        for text in [
            "bridge.contoso.com",
            "https://bridge.contoso.com",
            " https://bridge.contoso.com:443/ ",
        ] {
            assert_eq!(Host::parse(text).unwrap().as_str(), "bridge.contoso.com");
        }
        assert_eq!(
            Host::parse("bridge.contoso.com:8443").unwrap().as_str(),
            "bridge.contoso.com:8443"
        );
        let below = Host::parse("https://gateway.contoso.com/base/path/").unwrap();
        assert_eq!(below.as_str(), "gateway.contoso.com");
        assert_eq!(below.base_path(), "/base/path");
        assert_eq!(Host::parse("https://contoso.com").unwrap().base_path(), "/");
    }

    #[test]
    fn what_the_platform_could_not_call_is_refused_with_its_reason() {
        let refused = |text: &str| Host::parse(text).unwrap_err();
        assert!(matches!(
            refused("http://bridge.contoso.com"),
            HostError::NotHttps(_)
        ));
        for text in [
            "https://contoso.com/bridge#x",
            "bridge.contoso.com/?x=1",
            "me@contoso.com",
        ] {
            assert!(
                matches!(refused(text), HostError::MoreThanHost(_)),
                "{text}"
            );
        }
        for text in ["", "two words", "https://"] {
            assert!(matches!(refused(text), HostError::Unreadable(_)), "{text}");
        }
    }
}
