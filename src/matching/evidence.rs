//! What speaks for each Account: the domains of a Provider Account, reduced to those that count, looked up, and gathered
//! by the active Account they lead to. Everything is kept in sorted maps, so that the order of the input cannot matter.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::domain_class::{DomainClass, counted};
use crate::domain::account::{AccountState, DirectoryAccount, DomainHit};
use crate::domain::domain_name::{DomainName, RegistrableDomain};
use crate::domain::ids::AccountId;
use crate::domain::provider_account::{AccountDomain, DomainSource};

/// The counted domains of a Provider Account.
#[derive(Debug, Default)]
pub(super) struct Domains {
    /// The customer's own: its default and custom domains. Only these can lead to a mapping.
    pub own: BTreeSet<RegistrableDomain>,
    /// Known from contact addresses only. They may be a reseller's or an accountant's, so they cannot map, only warn.
    pub contact_only: BTreeSet<RegistrableDomain>,
    /// What does not count, and why.
    pub uncounted: BTreeMap<DomainName, DomainClass>,
}

impl Domains {
    pub(super) fn of(domains: &[AccountDomain]) -> Self {
        let mut sorted = Self::default();
        for domain in domains {
            match counted(&domain.name) {
                Err(class) => {
                    sorted.uncounted.insert(domain.name.clone(), class);
                }
                Ok(name) if domain.source == DomainSource::ContactEmail => {
                    sorted.contact_only.insert(name);
                }
                Ok(name) => {
                    sorted.own.insert(name);
                }
            }
        }
        let Self {
            own, contact_only, ..
        } = &mut sorted;
        contact_only.retain(|name| !own.contains(name));
        sorted
    }
}

/// How one domain leads to one Account.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Link {
    pub website: bool,
    pub account_email: bool,
    pub contacts: u32,
    /// It led to an Account that was merged into this one.
    pub merged: bool,
}

impl Link {
    fn take_in(&mut self, hit: &DomainHit, merged: bool) {
        self.website |= hit.website;
        self.account_email |= hit.account_email;
        self.contacts = self.contacts.saturating_add(hit.contacts);
        self.merged |= merged;
    }

    /// Points for ranking, nothing more: the Account's own address says more than a Contact's, several Contacts more
    /// than one, but no crowd of Contacts as much as a website and an e-mail address together.
    pub(super) fn points(&self) -> u32 {
        let contacts = if self.contacts == 0 {
            0
        } else {
            2 + self.contacts.min(4)
        };
        u32::from(self.website) * 6 + u32::from(self.account_email) * 5 + contacts
    }
}

/// What speaks for one Account.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Evidence {
    /// From the customer's own domains.
    pub own: BTreeMap<RegistrableDomain, Link>,
    /// From domains known only from contact addresses.
    pub contact_only: BTreeMap<RegistrableDomain, Link>,
}

impl Evidence {
    /// The whole of the evidence in points. A contact address counts a quarter of an own domain.
    pub(super) fn points(&self) -> u32 {
        let sum = |links: &BTreeMap<_, Link>| links.values().map(Link::points).sum::<u32>();
        sum(&self.own) * 4 + sum(&self.contact_only)
    }
}

/// All active Accounts that the domains lead to.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    pub by_account: BTreeMap<AccountId, Evidence>,
    /// Domains that lead to deactivated Accounts (or to a merge without an active end).
    pub inactive_at: BTreeSet<RegistrableDomain>,
}

impl Candidates {
    pub(super) fn gather(
        domains: &Domains,
        hits: impl Fn(&RegistrableDomain) -> Vec<DomainHit>,
        resolve: &impl Fn(AccountId) -> Option<DirectoryAccount>,
    ) -> Self {
        let mut candidates = Self::default();
        let own = domains.own.iter().map(|domain| (domain, true));
        let contact_only = domains.contact_only.iter().map(|domain| (domain, false));
        for (domain, is_own) in own.chain(contact_only) {
            for hit in hits(domain) {
                let Some(account_id) = survivor(&hit, resolve) else {
                    candidates.inactive_at.insert(domain.clone());
                    continue;
                };
                let evidence = candidates.by_account.entry(account_id).or_default();
                let links = if is_own {
                    &mut evidence.own
                } else {
                    &mut evidence.contact_only
                };
                let merged = account_id != hit.account_id;
                links
                    .entry(domain.clone())
                    .or_default()
                    .take_in(&hit, merged);
            }
        }
        candidates
    }

    /// The candidates, the strongest first; equals by id, so that the order is always the same.
    pub(super) fn ranked(&self) -> Vec<(AccountId, &Evidence)> {
        let mut ranked: Vec<_> = self
            .by_account
            .iter()
            .map(|(id, evidence)| (*id, evidence))
            .collect();
        ranked.sort_by_key(|(id, evidence)| (std::cmp::Reverse(evidence.points()), *id));
        ranked
    }
}

/// The active Account that a hit stands for: itself, or the end of its chain of merges. A circle stands for nobody.
fn survivor(
    hit: &DomainHit,
    resolve: &impl Fn(AccountId) -> Option<DirectoryAccount>,
) -> Option<AccountId> {
    let (mut id, mut state) = (hit.account_id, hit.state);
    let mut seen = HashSet::new();
    loop {
        match state {
            AccountState::Active => return Some(id),
            AccountState::Inactive => return None,
            AccountState::Merged(into) => {
                if !seen.insert(into) {
                    return None;
                }
                id = into;
                state = resolve(into)?.state;
            }
        }
    }
}
