//! What the engine is told of the two sides, as people and systems wrote it; and the same made comparable, which costs
//! the most and needs no index, so that many threads can do it.

use super::text::host::{self, Host};
use super::text::name::{self, Name};
use super::text::place::{self, Country};

/// Of one record at most so many domains count; the rest of ten thousand tells nothing more.
pub const MAX_DOMAINS: usize = 64;

/// A CRM Account as written. Contacts come one by one, see [`super::index::Index::add_contact`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountFacts {
    /// The Account's key: its id in the CRM.
    pub key: String,
    /// Name of the organisation.
    pub name: String,
    /// Website, as written.
    pub website: Option<String>,
    /// The Account's own e-mail addresses, or `@domain` where only the domain is kept.
    pub emails: Vec<String>,
    /// Telephone.
    pub phone: Option<String>,
    /// Country by code or name.
    pub country: Option<String>,
    /// City.
    pub city: Option<String>,
    /// Postal code.
    pub postcode: Option<String>,
    /// Deactivated Accounts are never mapped to.
    pub inactive: bool,
    /// What identifies the customer beyond doubt where both sides have it: `tenant:…`, `subscription:…`, `tax:…`.
    pub identities: Vec<String>,
}

/// A Provider Account as written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProviderFacts {
    /// Its id.
    pub id: String,
    /// The customer's name at the provider.
    pub name: String,
    /// The customer's own domains, tenant defaults among them.
    pub domains: Vec<String>,
    /// Contact and billing addresses, or `@domain` where only the domain is kept: they may be somebody else's.
    pub emails: Vec<String>,
    /// Telephone.
    pub phone: Option<String>,
    /// Country by code or name.
    pub country: Option<String>,
    /// City.
    pub city: Option<String>,
    /// Postal code.
    pub postcode: Option<String>,
    /// As [`AccountFacts::identities`].
    pub identities: Vec<String>,
}

/// An Account made comparable.
#[derive(Debug, Clone)]
pub struct Account {
    pub(super) key: String,
    pub(super) written: String,
    pub(super) name: Name,
    pub(super) website: Option<Host>,
    pub(super) emails: Vec<Host>,
    pub(super) country: Country,
    pub(super) city: String,
    pub(super) postcode: String,
    pub(super) phone: Option<u64>,
    pub(super) inactive: bool,
    pub(super) identities: Vec<u64>,
}

/// A domain that its owner chose, and the comparable letters of its first label.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct OwnDomain {
    pub domain: String,
    pub label: String,
}

/// A Provider Account made comparable.
#[derive(Debug, Clone)]
pub struct Customer {
    pub(super) id: String,
    pub(super) name: Name,
    pub(super) domains: Vec<OwnDomain>,
    /// Letters chosen for tenant defaults, as they are and without what people hang on.
    pub(super) tenant_labels: Vec<String>,
    /// From contact addresses only.
    pub(super) contact_domains: Vec<OwnDomain>,
    /// Own domains at which contact addresses are.
    pub(super) own_contacts: Vec<OwnDomain>,
    pub(super) country: Country,
    pub(super) city: String,
    pub(super) postcode: String,
    pub(super) phone: Option<u64>,
    pub(super) identities: Vec<u64>,
}

/// A domain alone is written `@domain`, which has no local part.
fn email(text: &str) -> Option<Host> {
    match text.trim().strip_prefix('@') {
        Some(domain) => host::read(domain),
        None => host::of_email(text),
    }
}

fn identities(written: &[String]) -> Vec<u64> {
    let mut hashes: Vec<u64> = written
        .iter()
        .map(|text| text.trim().to_ascii_lowercase())
        .filter(|text| {
            text.split_once(':')
                .is_some_and(|(_, value)| value.len() >= 4)
        })
        .map(|text| super::text::hash::hash(text.as_bytes()))
        .collect();
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

fn optional<T>(text: Option<&String>, read: impl Fn(&str) -> T) -> T {
    read(text.map_or("", String::as_str))
}

impl Account {
    /// Makes an Account comparable.
    #[must_use]
    pub fn read(facts: &AccountFacts) -> Self {
        let mut emails: Vec<Host> = facts
            .emails
            .iter()
            .take(8)
            .filter_map(|text| email(text))
            .collect();
        emails.retain(|host| matches!(host, Host::Owned { .. }));
        Self {
            key: facts.key.clone(),
            written: facts
                .name
                .chars()
                .filter(|c| !c.is_control())
                .take(120)
                .collect(),
            name: name::read(&facts.name, facts.city.as_deref()),
            website: facts.website.as_deref().and_then(host::of_website),
            emails,
            country: optional(facts.country.as_ref(), place::country),
            city: optional(facts.city.as_ref(), place::city),
            postcode: optional(facts.postcode.as_ref(), place::postcode),
            phone: facts.phone.as_deref().and_then(place::phone),
            inactive: facts.inactive,
            identities: identities(&facts.identities),
        }
    }
}

impl Customer {
    /// Makes a Provider Account comparable.
    #[must_use]
    pub fn read(facts: &ProviderFacts) -> Self {
        let (mut domains, mut tenant_labels) = (Vec::new(), Vec::new());
        for written in facts.domains.iter().take(MAX_DOMAINS * 16) {
            match host::read(written) {
                Some(Host::Owned { domain, label }) => domains.push(OwnDomain { domain, label }),
                Some(Host::Tenant(label)) => tenant_labels.extend(chosen_letters(label)),
                Some(Host::Uncounted) | None => {}
            }
        }
        let mut contact_domains: Vec<OwnDomain> = facts
            .emails
            .iter()
            .take(MAX_DOMAINS)
            .filter_map(|text| match email(text)? {
                Host::Owned { domain, label } => Some(OwnDomain { domain, label }),
                Host::Tenant(_) | Host::Uncounted => None,
            })
            .collect();
        for list in [&mut domains, &mut contact_domains] {
            list.sort_unstable();
            list.dedup();
        }
        let (own_contacts, contact_domains) = contact_domains
            .into_iter()
            .partition(|contact| domains.binary_search(contact).is_ok());
        domains.truncate(MAX_DOMAINS);
        tenant_labels.sort_unstable();
        tenant_labels.dedup();
        tenant_labels.truncate(MAX_DOMAINS);
        Self {
            id: facts.id.clone(),
            name: name::read(&facts.name, facts.city.as_deref()),
            domains,
            tenant_labels,
            contact_domains,
            own_contacts,
            country: optional(facts.country.as_ref(), place::country),
            city: optional(facts.city.as_ref(), place::city),
            postcode: optional(facts.postcode.as_ref(), place::postcode),
            phone: facts.phone.as_deref().and_then(place::phone),
            identities: identities(&facts.identities),
        }
    }

    /// The Provider Account's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

const HUNG_ON: &[&str] = &[
    "ltd", "365", "group", "gmbh", "inc", "online", "hq", "corp", "llc", "com", "net", "it", "bv",
    "uk", "de",
];

/// The letters somebody chose for a tenant, and the same without what people hang on when their name is taken. Letters
/// that a registrar made up (`netorgft1234567`) were chosen by nobody.
fn chosen_letters(label: String) -> Vec<String> {
    let digits = label.bytes().filter(u8::is_ascii_digit).count();
    if label.starts_with("netorg") && digits > 3 || label.len() < 2 || digits * 2 > label.len() {
        return Vec::new();
    }
    let without_digits = label.trim_end_matches(|c: char| c.is_ascii_digit());
    let mut letters = Vec::with_capacity(3);
    if without_digits.len() < label.len() && without_digits.len() > 2 {
        letters.push(without_digits.to_owned());
    }
    let bare = HUNG_ON.iter().find_map(|end| label.strip_suffix(end));
    if let Some(bare) = bare.filter(|bare| bare.len() > 2) {
        letters.push(bare.to_owned());
    }
    letters.push(label);
    letters
}
