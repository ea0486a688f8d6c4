//! Internet domain names as evidence: parsed once (IDNA, lower case), compared by their registrable part.
//! `shop.contoso.co.uk` and `contoso.co.uk` are the same organisation's; `contoso.onmicrosoft.com` is nobody's own (B7).

use std::fmt;

use serde::{Deserialize, Serialize};

/// A syntactically valid host name of at least two labels, in ASCII (punycode) and lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DomainName(String);

/// The part of a domain name that somebody registered: one label below a public suffix (public suffix list).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RegistrableDomain(String);

/// The text is no domain name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a domain name")]
pub struct DomainNameError(pub String);

/// A domain name as people write it: punycode becomes letters again. For showing only.
#[must_use]
pub fn readable(name: &str) -> String {
    idna::domain_to_unicode(name).0
}

/// What of a search can be a part of a domain name that is kept in punycode: its IDNA form, where that differs.
#[must_use]
pub fn searchable(text: &str) -> Option<String> {
    let text = text.trim();
    if text.is_ascii() || text.contains(char::is_whitespace) {
        return None;
    }
    idna::domain_to_ascii(text).ok()
}

impl DomainName {
    /// Parses a host name. Unicode names become punycode; a trailing dot and surrounding space are dropped.
    ///
    /// # Errors
    /// When it has fewer than two labels, is an IP address, or breaks IDNA (UTS 46, strict).
    pub fn parse(text: &str) -> Result<Self, DomainNameError> {
        let refuse = || DomainNameError(text.chars().take(80).collect());
        let name = text.trim().trim_end_matches('.');
        if name.len() > 253 * 4 || !name.contains('.') {
            return Err(refuse());
        }
        let ascii = idna::domain_to_ascii_strict(name).map_err(|_| refuse())?;
        let numeric_end = ascii
            .rsplit('.')
            .next()
            .is_some_and(|label| label.bytes().all(|b| b.is_ascii_digit()));
        if ascii.len() > 253
            || numeric_end
            || ascii
                .split('.')
                .any(|label| label.is_empty() || label.len() > 63)
        {
            return Err(refuse());
        }
        Ok(Self(ascii))
    }

    /// The domain of an e-mail address: what follows its last `@`.
    #[must_use]
    pub fn of_email(address: &str) -> Option<Self> {
        let (local, host) = address.trim().trim_end_matches('>').rsplit_once('@')?;
        if local.is_empty() {
            None
        } else {
            Self::parse(host).ok()
        }
    }

    /// The host of a web address, with or without scheme, path and port.
    #[must_use]
    pub fn of_website(address: &str) -> Option<Self> {
        let address = address.trim();
        let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
        let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        let host = host.split(':').next().unwrap_or_default();
        Self::parse(host).ok()
    }

    /// The name in ASCII and lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The registrable part, or `None` for a bare public suffix such as `co.uk`.
    #[must_use]
    pub fn registrable(&self) -> Option<RegistrableDomain> {
        psl::domain_str(&self.0).map(|domain| RegistrableDomain(domain.to_owned()))
    }
}

impl RegistrableDomain {
    /// The name in ASCII and lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for RegistrableDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn registrable(text: &str) -> Option<String> {
        DomainName::parse(text)
            .ok()?
            .registrable()
            .map(|domain| domain.to_string())
    }

    #[test]
    fn the_registrable_part_follows_the_public_suffix_list() {
        assert_eq!(
            registrable("Shop.Contoso.co.uk."),
            Some("contoso.co.uk".to_owned())
        );
        assert_eq!(registrable("co.uk"), None);
        assert_eq!(
            registrable("münchen.de"),
            Some("xn--mnchen-3ya.de".to_owned())
        );
    }

    #[test]
    fn addresses_give_their_domain_and_nonsense_gives_none() {
        assert_eq!(
            DomainName::of_email("Jo <jo@Contoso.com>")
                .unwrap()
                .as_str(),
            "contoso.com"
        );
        assert_eq!(
            DomainName::of_website("https://user@www.contoso.com:8443/x?y")
                .unwrap()
                .as_str(),
            "www.contoso.com"
        );
        assert_eq!(
            DomainName::of_website("contoso.com").unwrap().as_str(),
            "contoso.com"
        );
        for text in [
            "",
            "contoso",
            "10.0.0.1",
            "a..b.com",
            "@contoso.com",
            "-x-.com",
            "http://",
        ] {
            assert!(DomainName::parse(text).is_err(), "{text} was taken");
        }
    }

    #[test]
    fn punycode_is_read_and_searched_as_people_write_it() {
        assert_eq!(readable("xn--zjmller-p2a.de"), "zjmüller.de");
        assert_eq!(searchable("ZJMüller").unwrap(), "xn--zjmller-p2a");
        assert_eq!(searchable("zjmueller"), None);
        assert_eq!(searchable("Müller Söhne"), None);
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_what_it_gives_parses_to_itself(text in "\\PC{0,80}") {
            if let Ok(name) = DomainName::parse(&text) {
                prop_assert_eq!(DomainName::parse(name.as_str()).unwrap(), name);
            }
            let _ = DomainName::of_email(&text);
            let _ = DomainName::of_website(&text);
        }
    }
}
