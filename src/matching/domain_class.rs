//! Whose a domain is. Only a domain that one organisation owns is evidence: half the world shares gmail.com, and every
//! Microsoft tenant has a `*.onmicrosoft.com` that its owner never chose as its name (B7).
//!
//! The lists are facts written down in two text files beside this one, each with its rule of selection. Sub-domains are
//! looked up too, so `mail.contoso.onmicrosoft.com` and `contoso.wixsite.com` are found under their parent.

use std::sync::OnceLock;

use hashbrown::HashMap;

use crate::domain::domain_name::{DomainName, RegistrableDomain};

/// Whose a domain is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DomainClass {
    /// One organisation's own, as far as we know: the only class that counts.
    Owned,
    /// Anybody can have a mailbox there: webmail, consumer mail of a telephone company, throw-away mail.
    PublicMail,
    /// Given to every tenant of a cloud service, such as `contoso.onmicrosoft.com`.
    TenantDefault,
    /// A site on which many organisations have a page, or a bare public suffix.
    Shared,
}

impl DomainClass {
    /// Whether a domain of this class is evidence of who the customer is.
    #[must_use]
    pub const fn counts(self) -> bool {
        matches!(self, Self::Owned)
    }

    /// What people call it, to follow "is".
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Owned => "an organisation's own domain",
            Self::PublicMail => "public mail",
            Self::TenantDefault => "a default domain that every tenant has",
            Self::Shared => "a site that many organisations share",
        }
    }
}

const PUBLIC_MAIL: &str = include_str!("public_mail.txt");
const SHARED_HOSTS: &str = include_str!("shared_hosts.txt");

/// Parents of the domains that cloud services give to each of their tenants, in all their national clouds.
const TENANT_DEFAULTS: &[&str] = &[
    "b2clogin.com",
    "ciamlogin.com",
    "gappssmtp.com",
    "microsoftonline.com",
    "microsoftonline.de",
    "microsoftonline.us",
    "msappproxy.net",
    "msappproxy.us",
    "onmicrosoft.cn",
    "onmicrosoft.com",
    "onmicrosoft.de",
    "onmicrosoft.us",
    "onmschina.cn",
    "sharepoint.cn",
    "sharepoint.com",
    "sharepoint.us",
    "test-google-a.com",
];

fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.starts_with('#'))
}

/// Every domain whose class is written down.
fn listed() -> &'static HashMap<&'static str, DomainClass> {
    static LISTED: OnceLock<HashMap<&'static str, DomainClass>> = OnceLock::new();
    LISTED.get_or_init(|| {
        let of = |class| move |domain| (domain, class);
        let shared = lines(SHARED_HOSTS).map(of(DomainClass::Shared));
        let public_mail = lines(PUBLIC_MAIL).map(of(DomainClass::PublicMail));
        // What stands in two lists is what the last says.
        let defaults = TENANT_DEFAULTS.iter().copied();
        let defaults = defaults.map(of(DomainClass::TenantDefault));
        shared.chain(public_mail).chain(defaults).collect()
    })
}

/// The name itself, then each of its parents, down to two labels.
fn itself_and_parents(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(name), |name| Some(name.split_once('.')?.1))
        .take_while(|name| name.contains('.'))
}

pub(super) fn class_of_text(name: &str) -> DomainClass {
    let listed = listed();
    itself_and_parents(name)
        .find_map(|part| listed.get(part).copied())
        .unwrap_or(DomainClass::Owned)
}

/// The class of a registrable domain.
#[must_use]
pub fn class_of(domain: &RegistrableDomain) -> DomainClass {
    class_of_text(domain.as_str())
}

/// The part of `name` that counts as evidence, or the class for which it does not.
///
/// # Errors
/// The class, when it is not [`DomainClass::Owned`]; a bare public suffix such as `co.uk` is [`DomainClass::Shared`].
pub fn counted(name: &DomainName) -> Result<RegistrableDomain, DomainClass> {
    let class = class_of_text(name.as_str());
    match name.registrable() {
        Some(domain) if class.counts() => Ok(domain),
        Some(_) => Err(class),
        None if class.counts() => Err(DomainClass::Shared),
        None => Err(class),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn class(text: &str) -> DomainClass {
        match counted(&DomainName::parse(text).unwrap()) {
            Ok(_) => DomainClass::Owned,
            Err(class) => class,
        }
    }

    fn well_formed(line: &str, suffixes_too: bool) -> bool {
        let parsed = DomainName::parse(line).unwrap();
        let private = || {
            psl::suffix(line.as_bytes())
                .is_some_and(|suffix| suffix.typ() == Some(psl::Type::Private))
        };
        parsed.as_str() == line
            && match parsed.registrable() {
                Some(domain) => domain.as_str() == line,
                None => suffixes_too && private(),
            }
    }

    #[test]
    fn the_lists_are_sorted_ascii_domains_without_repetition_or_overlap() {
        for (name, text, suffixes_too) in [
            ("public_mail.txt", PUBLIC_MAIL, false),
            ("shared_hosts.txt", SHARED_HOSTS, true),
        ] {
            let lines: Vec<_> = lines(text).collect();
            for pair in lines.windows(2) {
                assert!(
                    pair[0] < pair[1],
                    "{name}: {} stands before {}",
                    pair[0],
                    pair[1]
                );
            }
            let wrong: Vec<_> = lines
                .into_iter()
                .filter(|line| !well_formed(line, suffixes_too))
                .collect();
            assert!(
                wrong.is_empty(),
                "{name}: no plain registrable domains: {wrong:?}"
            );
        }
        assert!(TENANT_DEFAULTS.is_sorted());
        let shared: Vec<_> = lines(SHARED_HOSTS).collect();
        let both: Vec<_> = lines(PUBLIC_MAIL)
            .filter(|line| shared.contains(line))
            .collect();
        assert!(both.is_empty(), "on both lists: {both:?}");
    }

    #[test]
    fn mail_that_anybody_can_have_is_nobodys_own() {
        for text in [
            "gmail.com",
            "Outlook.com",
            "mail.yahoo.co.jp",
            "t-online.de",
            "qq.com",
            "vip.163.com",
            "mailinator.com",
        ] {
            assert_eq!(class(text), DomainClass::PublicMail, "{text}");
        }
    }

    #[test]
    fn the_domain_that_every_tenant_has_is_nobodys_own_in_any_cloud() {
        for text in [
            "contoso.onmicrosoft.com",
            "contoso.mail.onmicrosoft.com",
            "contoso.onmicrosoft.us",
            "contoso.partner.onmschina.cn",
            "contoso.sharepoint.com",
            "onmicrosoft.com",
        ] {
            assert_eq!(class(text), DomainClass::TenantDefault, "{text}");
        }
    }

    #[test]
    fn sites_of_many_organisations_and_bare_suffixes_are_nobodys_own() {
        for text in [
            "www.facebook.com",
            "linkedin.com",
            "contoso.wixsite.com",
            "contoso.azurewebsites.net",
            "co.uk",
            "github.io",
        ] {
            assert_eq!(class(text), DomainClass::Shared, "{text}");
        }
    }

    #[test]
    fn a_domain_that_only_looks_like_a_listed_one_is_owned() {
        for text in [
            "contoso.com",
            "notgmail.com",
            "gmail.com.contoso.com",
            "myonmicrosoft.com",
            "facebook.contoso.de",
        ] {
            assert_eq!(class(text), DomainClass::Owned, "{text}");
        }
    }

    proptest! {
        #[test]
        fn case_and_sub_domains_do_not_change_the_class(
            parent in prop::sample::select(vec!["gmail.com", "contoso.com", "contoso.co.uk", "facebook.com", "contoso.onmicrosoft.com"]),
            label in "[a-z][a-z0-9]{0,8}",
            upper in any::<bool>(),
        ) {
            let below = format!("{label}.{parent}");
            let below = if upper { below.to_uppercase() } else { below };
            prop_assert_eq!(class(&below), class(parent));
        }
    }
}
