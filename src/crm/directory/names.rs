//! Every domain name once. `www.contoso.com` is kept as the registrable `contoso.com` and the prefix `www`: prefixes are
//! few, and each Account's website and mail then share one name. A registrable domain also carries its postings, the
//! Accounts it leads to.

use super::postings::Postings;
use super::table::{Row, Slot, Table};
use crate::domain::domain_name::{DomainName, RegistrableDomain};

/// A domain name, as kept here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Host {
    /// Slot of its registrable part (of itself, when it is a bare public suffix).
    pub(super) domain: Slot,
    /// Slot of what stands before it, or [`NO_PREFIX`].
    prefix: Slot,
}

/// The name is its own registrable part.
const NO_PREFIX: Slot = Slot::MAX;

/// The domain names of a row: nearly always none or one, and then without an allocation.
#[derive(Debug)]
pub(super) enum Hosts {
    /// The usual case.
    One(Host),
    /// None, or several.
    Many(Box<[Host]>),
}

impl Hosts {
    pub(super) fn as_slice(&self) -> &[Host] {
        match self {
            Self::One(host) => std::slice::from_ref(host),
            Self::Many(hosts) => hosts,
        }
    }
}

impl Default for Hosts {
    fn default() -> Self {
        Self::Many(Box::default())
    }
}

/// A registrable domain in use.
pub(super) struct Domain {
    name: Box<str>,
    /// Names in rows that refer to it.
    uses: u32,
    /// The Accounts it leads to.
    pub(super) postings: Postings,
}

impl Row for Domain {
    type Key = str;
    fn key(&self) -> &str {
        &self.name
    }
}

struct Prefix(Box<str>);

impl Row for Prefix {
    type Key = str;
    fn key(&self) -> &str {
        &self.0
    }
}

/// All names in use.
#[derive(Default)]
pub(super) struct Names {
    domains: Table<Domain>,
    /// Never shrinks: there are only so many words like `www` and `mail`.
    prefixes: Table<Prefix>,
}

impl Names {
    /// Keeps a name, until [`Self::release`].
    pub(super) fn keep(&mut self, name: &DomainName) -> Host {
        let registrable = name.registrable();
        let domain = registrable
            .as_ref()
            .map_or(name.as_str(), RegistrableDomain::as_str);
        let prefix = name
            .as_str()
            .strip_suffix(domain)
            .and_then(|rest| rest.strip_suffix('.'));
        Host {
            domain: self.keep_domain(domain),
            prefix: prefix.map_or(NO_PREFIX, |prefix| {
                self.prefixes
                    .find(prefix)
                    .unwrap_or_else(|| self.prefixes.insert(Prefix(prefix.into())))
            }),
        }
    }

    fn keep_domain(&mut self, name: &str) -> Slot {
        if let Some(slot) = self.domains.find(name) {
            if let Some(domain) = self.domains.get_mut(slot) {
                domain.uses += 1;
            }
            return slot;
        }
        self.domains.insert(Domain {
            name: name.into(),
            uses: 1,
            postings: Postings::default(),
        })
    }

    /// Keeps several names.
    pub(super) fn keep_all(&mut self, names: &[DomainName]) -> Hosts {
        match names {
            [one] => Hosts::One(self.keep(one)),
            several => Hosts::Many(several.iter().map(|name| self.keep(name)).collect()),
        }
    }

    /// Gives a name back. Its postings must be empty of whatever it was kept for.
    pub(super) fn release(&mut self, host: Host) {
        let Some(domain) = self.domains.get_mut(host.domain) else {
            return;
        };
        domain.uses = domain.uses.saturating_sub(1);
        if domain.uses == 0 {
            self.domains.remove(host.domain);
        }
    }

    /// The domain of a name, if anything uses it.
    pub(super) fn domain(&self, name: &RegistrableDomain) -> Option<&Domain> {
        self.domains.get(self.domains.find(name.as_str())?)
    }

    /// The postings of a domain, to be changed.
    pub(super) fn postings(&mut self, domain: Slot) -> Option<&mut Postings> {
        Some(&mut self.domains.get_mut(domain)?.postings)
    }

    /// The name as it was given.
    pub(super) fn name(&self, host: Host) -> Option<DomainName> {
        let domain = self.domains.get(host.domain)?;
        match self.prefixes.get(host.prefix) {
            Some(prefix) => DomainName::parse(&format!("{}.{}", prefix.0, domain.name)).ok(),
            None => DomainName::parse(&domain.name).ok(),
        }
    }

    #[cfg(test)]
    pub(super) fn domains_in_use(&self) -> usize {
        self.domains.len()
    }

    /// Several names as they were given.
    pub(super) fn all(&self, hosts: &Hosts) -> Vec<DomainName> {
        hosts
            .as_slice()
            .iter()
            .filter_map(|host| self.name(*host))
            .collect()
    }
}
