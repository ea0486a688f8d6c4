//! What the engine is told: a mirrored Account and a Provider Account in its words.

use crate::domain::account::{AccountState, DirectoryAccount, DirectoryContact};
use crate::domain::ids::AccountId;
use crate::domain::provider_account::{DomainSource, ProviderAccount};
use crate::matching::facts::{Account, AccountFacts, Customer, ProviderFacts};
use crate::matching::text::host::{self, Host};

/// The key of an Account.
pub(super) fn key(id: AccountId) -> String {
    id.to_string()
}

fn at(domain: &str) -> String {
    format!("@{domain}")
}

pub(super) fn account(of: &DirectoryAccount) -> Account {
    Account::read(&AccountFacts {
        key: key(of.id),
        name: of.name.clone(),
        website: of.web_domain.as_ref().map(ToString::to_string),
        emails: of
            .email_domains
            .iter()
            .map(|name| at(name.as_str()))
            .collect(),
        phone: of.place.phone.clone(),
        country: of.place.country.clone(),
        city: of.place.city.clone(),
        postcode: of.place.postal_code.clone(),
        inactive: of.state != AccountState::Active,
        identities: Vec::new(),
    })
}

pub(super) fn customer(of: &ProviderAccount) -> Customer {
    let named = |contact: bool| {
        of.domains
            .iter()
            .filter(move |domain| (domain.source == DomainSource::ContactEmail) == contact)
    };
    Customer::read(&ProviderFacts {
        id: of.id.to_string(),
        name: of.name.clone(),
        domains: named(false).map(|it| it.name.to_string()).collect(),
        emails: named(true).map(|it| at(it.name.as_str())).collect(),
        phone: None,
        country: of.country.clone(),
        city: of.city.clone(),
        postcode: of.postal_code.clone(),
        identities: Vec::new(),
    })
}

/// What a Contact's addresses say of its Account: two addresses at one domain are one piece of evidence, and those of an
/// inactive Contact none.
pub(super) fn hosts(of: &DirectoryContact) -> Vec<Host> {
    let mut hosts: Vec<Host> = Vec::new();
    if of.active {
        for name in &of.email_domains {
            if let Some(host @ Host::Owned { .. }) = host::read(name.as_str())
                && !hosts.contains(&host)
            {
                hosts.push(host);
            }
        }
    }
    hosts
}
