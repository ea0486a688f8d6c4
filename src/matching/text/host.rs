//! Hosts of websites, mail addresses and tenants, reduced to what is evidence: the registrable domain, the letters of its
//! first label, and for a tenant default (`contoso.onmicrosoft.com`) the letters that its owner chose.
//!
//! A label in mixed scripts ("соntoso" with Cyrillic letters) is somebody's imitation of another: it never becomes the
//! letters it looks like.

use super::super::domain_class::{self, DomainClass};
use super::name::skeleton;
use crate::domain::domain_name::DomainName;

/// What a host tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// One organisation's own registrable domain, and the comparable letters of its first label.
    Owned {
        /// Registrable domain.
        domain: String,
        /// Letters of its first label; empty for a label in mixed scripts.
        label: String,
    },
    /// A tenant default, by the letters before its parent.
    Tenant(String),
    /// Public mail, shared hosts, bare suffixes.
    Uncounted,
}

/// The letters of a label that can be compared with a name.
#[must_use]
pub fn label_letters(label: &str) -> String {
    let text = if label.starts_with("xn--") {
        let (unicode, result) = idna::domain_to_unicode(label);
        if result.is_err() || mixed_scripts(&unicode) {
            return String::new();
        }
        any_ascii::any_ascii(&unicode).to_ascii_lowercase()
    } else {
        label.to_ascii_lowercase()
    };
    let letters: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    skeleton(&letters)
}

/// Latin letters beside Cyrillic or Greek ones, or a whole label of letters that look Latin.
fn mixed_scripts(text: &str) -> bool {
    let latin = text
        .chars()
        .any(|c| c.is_ascii_alphabetic() || ('\u{C0}'..='\u{24F}').contains(&c));
    let look_alike = text.chars().any(|c| ('\u{370}'..='\u{52F}').contains(&c));
    latin && look_alike
}

/// Reads a bare host name.
#[must_use]
pub fn read(text: &str) -> Option<Host> {
    let text = text.trim().trim_end_matches('.');
    if is_plain(text) {
        Some(sort(&text.to_ascii_lowercase()))
    } else {
        DomainName::parse(text).ok().map(|name| sort(name.as_str()))
    }
}

/// The host of a mail address.
#[must_use]
pub fn of_email(address: &str) -> Option<Host> {
    let (local, host) = address.trim().trim_end_matches('>').rsplit_once('@')?;
    if local.is_empty() { None } else { read(host) }
}

/// The host of a web address, with or without scheme.
#[must_use]
pub fn of_website(address: &str) -> Option<Host> {
    let address = address.trim();
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let host = authority.rsplit('@').next()?;
    read(host.split(':').next()?)
}

/// Plain ASCII in the shape of a domain name: nothing for IDNA to do.
fn is_plain(text: &str) -> bool {
    let mut labels = 0;
    let mut last_numeric = false;
    if text.len() > 253 {
        return false;
    }
    for label in text.split('.') {
        let bytes = label.as_bytes();
        let good = !bytes.is_empty()
            && bytes.len() <= 63
            && bytes.first() != Some(&b'-')
            && bytes.last() != Some(&b'-')
            && !(bytes.len() > 3 && bytes.get(2..4) == Some(b"--"))
            && bytes
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || *b == b'-');
        if !good {
            return false;
        }
        last_numeric = bytes.iter().all(u8::is_ascii_digit);
        labels += 1;
    }
    labels > 1 && !last_numeric
}

fn sort(name: &str) -> Host {
    match domain_class::class_of_text(name) {
        DomainClass::TenantDefault => {
            Host::Tenant(label_letters(name.split('.').next().unwrap_or_default()))
        }
        DomainClass::PublicMail | DomainClass::Shared => Host::Uncounted,
        DomainClass::Owned => match psl::domain_str(name) {
            Some(domain) => Host::Owned {
                label: label_letters(domain.split('.').next().unwrap_or_default()),
                domain: domain.to_owned(),
            },
            None => Host::Uncounted,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn owned(domain: &str, label: &str) -> Option<Host> {
        Some(Host::Owned {
            domain: domain.to_owned(),
            label: label.to_owned(),
        })
    }

    #[test]
    fn hosts_are_reduced_to_what_is_evidence() {
        assert_eq!(
            of_website("https://www.Contoso.co.uk:8443/x?y"),
            owned("contoso.co.uk", "contoso")
        );
        assert_eq!(
            of_email("Jo <jo@mail.contoso.com>"),
            owned("contoso.com", "contoso")
        );
        assert_eq!(read("contoso-it.com"), owned("contoso-it.com", "contosoit"));
        assert_eq!(
            read("Contoso.onmicrosoft.com"),
            Some(Host::Tenant("contoso".to_owned()))
        );
        assert_eq!(read("gmail.com"), Some(Host::Uncounted));
        assert_eq!(read("co.uk"), Some(Host::Uncounted));
        assert_eq!(of_email("@contoso.com"), None);
        for bad in [
            "",
            "contoso",
            "10.0.0.1",
            "a..b.com",
            "-x-.com",
            "\u{202e}",
            "xn--zzzzzz--.com\u{0}",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_imitation_in_other_letters_is_not_what_it_looks_like() {
        assert_eq!(read("münchen.de"), owned("xn--mnchen-3ya.de", "munchen"));
        let Some(Host::Owned { label, domain }) = read("с\u{43e}ntoso.com") else {
            panic!("no host")
        };
        assert_eq!(label, "");
        assert_ne!(domain, "contoso.com");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,80}") {
            let _ = (read(&text), of_email(&text), of_website(&text));
        }

        #[test]
        fn the_fast_way_and_the_careful_way_agree(text in "[a-zA-Z0-9-]{1,8}\\.[a-z0-9-]{1,8}(\\.[a-z]{2,5})?") {
            if is_plain(&text) {
                let careful = DomainName::parse(&text).ok().map(|name| sort(name.as_str()));
                prop_assert_eq!(read(&text), careful);
            }
        }
    }
}
