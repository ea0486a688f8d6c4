//! Whom a change of the directory concerns. Each change leaves the keys of what it touched (its domains, their labels, the
//! words of its name), as it was and as it is; a Provider Account that shares none of them is where it was when it was
//! last decided, and is not decided again.
//!
//! What surprises: this is memory only. What is forgotten, in a new process or because too much changed, is decided once
//! more, which costs time and nothing else. After a day it is forgotten on purpose, for what shares no key and is concerned
//! all the same: a misspelt name, a word that has become common.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::account::{DirectoryAccount, DirectoryContact};
use crate::domain::domain_name::DomainName;
use crate::domain::ids::ProviderAccountId;
use crate::domain::provider_account::ProviderAccount;
use crate::matching::text::hash::hash;
use crate::matching::text::host::{self, Host};
use crate::matching::text::name;

/// More keys than this are "everything".
const MOST_KEYS: usize = 200_000;
/// A decision is good for so long.
const GOOD_FOR: TimeDelta = TimeDelta::hours(24);

/// What was touched, as hashes.
pub(super) type Keys = HashSet<u64>;

/// When a decision was made: after which change, and by the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::flows) struct Moment {
    change: u64,
    at: DateTime<Utc>,
}

/// Since when what has changed.
#[derive(Default)]
pub(super) struct Journal {
    changes: u64,
    /// After which change each key was last touched.
    touched: HashMap<u64, u64>,
    /// After which change everything was last touched.
    everything: u64,
    known: HashMap<ProviderAccountId, Known>,
}

/// What a Provider Account was decided on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Known {
    facts: u64,
    settings: u64,
    on: Moment,
}

impl Journal {
    /// What is decided now rests on every change so far.
    pub(super) const fn moment(&self, at: DateTime<Utc>) -> Moment {
        let change = self.changes;
        Moment { change, at }
    }

    pub(super) fn touch(&mut self, keys: Keys) {
        if keys.is_empty() {
            return;
        }
        if self.touched.len() + keys.len() > MOST_KEYS {
            self.touch_everything();
            return;
        }
        self.changes += 1;
        for key in keys {
            self.touched.insert(key, self.changes);
        }
    }

    pub(super) fn touch_everything(&mut self) {
        self.changes += 1;
        self.touched.clear();
        self.everything = self.changes;
    }

    /// Whether it has to be decided: it is not as it was, or something that it shares a key with is not.
    pub(super) fn concerned(
        &self,
        account: &ProviderAccount,
        settings: u64,
        now: DateTime<Utc>,
    ) -> bool {
        let Some(known) = self.known.get(&account.id) else {
            return true;
        };
        let later = |change: &u64| *change > known.on.change;
        now - known.on.at > GOOD_FOR
            || known.settings != settings
            || later(&self.everything)
            || known.facts != facts_of(account)
            || keys_of_customer(account)
                .iter()
                .any(|key| self.touched.get(key).is_some_and(later))
    }

    /// Remembers that it was decided on what there was at this moment.
    pub(super) fn remember(&mut self, account: &ProviderAccount, settings: u64, on: Moment) {
        let facts = facts_of(account);
        let known = Known {
            facts,
            settings,
            on,
        };
        self.known.insert(account.id, known);
    }
}

/// Everything that a decision looks at on the provider's side.
fn facts_of(account: &ProviderAccount) -> u64 {
    let place = (&account.country, &account.city, &account.postal_code);
    let names = (&account.name, &account.tenant_id, &account.domains);
    let text = format!("{names:?} {place:?} {}", account.mapping_version);
    hash(text.as_bytes())
}

/// Adds the keys of a domain: itself, and its letters, which may be somebody's name.
pub(super) fn keys_of_domain(name: &DomainName, keys: &mut Keys) {
    match host::read(name.as_str()) {
        Some(Host::Owned { domain, label }) => {
            keys.insert(hash(domain.as_bytes()));
            keys.extend(key_of_letters(&label));
        }
        Some(Host::Tenant(label)) => keys.extend(key_of_letters(&label)),
        Some(Host::Uncounted) | None => {}
    }
}

fn key_of_letters(letters: &str) -> Option<u64> {
    (letters.len() > 2).then(|| hash(format!("={letters}").as_bytes()))
}

/// Adds the keys of a name: the whole of it, and each word that leads to somebody.
fn keys_of_name(written: &str, leads: impl Fn(&str) -> bool, keys: &mut Keys) {
    let core = name::read(written, None).core;
    keys.extend(key_of_letters(&core.replace(' ', "")));
    let words = core.split(' ').filter(|word| leads(word));
    keys.extend(words.filter_map(key_of_letters));
}

fn keys_of_customer(account: &ProviderAccount) -> Keys {
    let mut keys = Keys::new();
    keys_of_name(&account.name, |_| true, &mut keys);
    for domain in &account.domains {
        keys_of_domain(&domain.name, &mut keys);
    }
    keys
}

/// Adds the keys of an Account; a word that leads nowhere, because too many have it, concerns nobody.
pub(super) fn keys_of_account(
    account: &DirectoryAccount,
    leads: impl Fn(&str) -> bool,
    keys: &mut Keys,
) {
    keys_of_name(&account.name, leads, keys);
    for domain in account.web_domain.iter().chain(&account.email_domains) {
        keys_of_domain(domain, keys);
    }
}

/// Adds the keys of a Contact.
pub(super) fn keys_of_contact(contact: &DirectoryContact, keys: &mut Keys) {
    for domain in &contact.email_domains {
        keys_of_domain(domain, keys);
    }
}
