//! Where requests may go: the organisation's own host and nowhere else. Next and delta links come out of answers and are
//! followed with our bearer token, so their scheme, host and port must be the organisation's.

use std::fmt;

use url::Url;
use url::form_urlencoded::byte_serialize;

use crate::domain::ports::crm::CrmError;
use crate::domain::ports::provider::FailureKind;

/// The organisation's address and the root of its Web API.
#[derive(Clone)]
pub(super) struct Organisation {
    origin: Url,
}

const API: &str = "/api/data/v9.2/";

impl Organisation {
    /// Takes the address, with or without a final slash.
    pub(super) fn new(url: &Url) -> Result<Self, CrmError> {
        let plain = url.has_host()
            && matches!(url.scheme(), "https" | "http")
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if plain {
            return Ok(Self {
                origin: url.clone(),
            });
        }
        Err(CrmError {
            kind: FailureKind::Configuration,
            message: "the organisation's address is not one such as `https://contoso.crm4.dynamics.com`; \
                      give scheme and host, and nothing after them"
                .to_owned(),
            code: None,
            retry_after: None,
        })
    }

    /// The host, for messages.
    pub(super) fn host(&self) -> &str {
        self.origin.host_str().unwrap_or_default()
    }

    /// A resource of the API with query options. A space is `%20`: not every server reads `+` as one.
    pub(super) fn query(&self, path: &str, options: &[(&str, &str)]) -> Url {
        let mut url = self.origin.clone();
        url.set_path(&format!("{API}{path}"));
        let query: Vec<String> = options
            .iter()
            .map(|(name, value)| {
                let value: String = byte_serialize(value.as_bytes()).collect();
                format!("{name}={}", value.replace('+', "%20").replace("%2C", ","))
            })
            .collect();
        url.set_query((!query.is_empty()).then(|| query.join("&")).as_deref());
        url
    }

    /// The URL of a link, byte for byte what it was, if it stays here.
    pub(super) fn own_link(&self, link: &str) -> Option<Url> {
        let url = Url::parse(link).ok()?;
        let same = url.scheme() == self.origin.scheme()
            && url.host() == self.origin.host()
            && url.port_or_known_default() == self.origin.port_or_known_default()
            && url.username().is_empty()
            && url.password().is_none();
        same.then_some(url)
    }
}

impl fmt::Debug for Organisation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.origin.as_str())
    }
}
