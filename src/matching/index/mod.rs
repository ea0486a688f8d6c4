//! The CRM's Accounts in memory, to be found by what they share with a Provider Account. Kept up to date one record at a
//! time: putting, changing and removing an Account touches only its own words and domains.
//!
//! An Account's number is that of its key; a removed Account keeps its number, and has it again when it comes back.
//!
//! How common a word is is counted over different names, not over Accounts: a second Account of the same name is a
//! namesake or a duplicate and must not make the name's words look more or less telling than they are.

mod fuzzy;
mod interner;
mod links;
mod postings;

use thin_vec::ThinVec;

use super::facts::Account;
use super::text::hash::{hash, join};
use super::text::host::Host;
use super::text::place::Country;
use fuzzy::Misspellings;
use interner::Interner;
pub(super) use links::Link;
use links::link_to;
use postings::{List, Postings};

/// What kind of thing a list of [`Index::terms`] is about.
#[derive(Debug, Clone, Copy)]
#[repr(u64)]
pub(super) enum Term {
    /// The whole name without spaces.
    Compact = 1,
    /// The first letters of a long name.
    Beginning = 2,
    /// First letters of its words.
    Acronym = 3,
    /// First label of one of its domains.
    Label = 4,
    /// Postal code, with the country.
    Postcode = 5,
    /// Tenant id, shared subscription id or tax number.
    Identity = 6,
    /// Telephone number.
    Phone = 7,
}

/// Names longer than this are found by their first letters too: both sides cut names.
pub(super) const BEGINNING: usize = 18;

/// Bytes of a key of the CRM.
const KEY_BYTES: usize = 36;
/// So many lists of [`Index::terms`] come with an Account, on average.
const TERMS_OF_ACCOUNT: usize = 2;

pub(super) fn term(kind: Term, hashed: u64) -> u64 {
    join(kind as u64, hashed)
}

/// An Account as the index keeps it.
#[derive(Debug, Clone, Default)]
pub(super) struct Entry {
    pub written: Box<str>,
    pub words: Box<[u32]>,
    pub links: ThinVec<Link>,
    pub identities: ThinVec<u64>,
    pub compact: u64,
    pub phone: u64,
    pub city: u32,
    pub postcode: u32,
    /// Business contacts; those with public mail tell nothing and are not counted.
    pub contacts: u32,
    pub country: Country,
    pub name_country: Country,
    pub legal: u8,
    pub present: bool,
    pub inactive: bool,
    pub remark: bool,
}

/// Where an Account is: what ranking a thousand candidates needs of each, close together in memory.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spot {
    pub country: Country,
    /// Parts those whom nothing else parts: it follows from the key, so that the order of the input plays no part.
    pub lot: u16,
    pub city: u32,
    pub postcode: u32,
}

/// The Accounts, indexed.
#[derive(Debug, Default, Clone)]
pub struct Index {
    keys: Interner,
    entries: Vec<Entry>,
    spots: Vec<Spot>,
    pub(super) words: Interner,
    word_lists: Vec<List>,
    /// Different names that have the word.
    word_names: Vec<u32>,
    names: u32,
    pub(super) domains: Interner,
    /// For each domain one more than the number of its label, or 0.
    domain_labels: Vec<u32>,
    labels: Interner,
    domain_lists: Vec<List>,
    websites: Vec<u32>,
    pub(super) places: Interner,
    pub(super) terms: Postings,
    pub(super) misspellings: Misspellings,
    present: usize,
    /// Room to work in.
    text: String,
    keys_of: Vec<u64>,
}

fn at<T>(list: &mut Vec<T>, number: u32) -> Option<&mut T>
where
    T: Default + Clone,
{
    let at = number as usize;
    if list.len() <= at {
        list.resize(at + 1, T::default());
    }
    list.get_mut(at)
}

impl Index {
    /// An empty index.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty index with room for about so many Accounts: a table that grows is copied again and again.
    #[must_use]
    pub fn with_room(accounts: usize) -> Self {
        Self {
            keys: Interner::with_room(accounts, accounts * KEY_BYTES),
            entries: Vec::with_capacity(accounts),
            spots: Vec::with_capacity(accounts),
            terms: Postings::with_room(accounts * TERMS_OF_ACCOUNT),
            ..Self::default()
        }
    }

    /// How many Accounts there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.present
    }

    /// Whether there is an Account of this key.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        self.keys
            .get(key)
            .is_some_and(|number| self.entry(number).is_some())
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.present == 0
    }

    /// Puts an Account in, or what changed of it. Its contacts stay.
    pub fn put(&mut self, account: &Account) {
        let number = self.keys.intern(&account.key);
        let contacts: ThinVec<Link> = self.entry(number).map_or_else(ThinVec::new, |entry| {
            entry
                .links
                .iter()
                .filter(|link| link.contacts > 0)
                .copied()
                .collect()
        });
        self.take_out(number);
        let mut links: ThinVec<Link> = contacts
            .into_iter()
            .map(|link| Link {
                website: false,
                email: false,
                ..link
            })
            .collect();
        if let Some(Host::Owned { domain, label }) = &account.website {
            let domain = self.domain(domain, label);
            link_to(&mut links, domain).website = true;
        }
        for host in &account.emails {
            if let Host::Owned { domain, label } = host {
                let domain = self.domain(domain, label);
                link_to(&mut links, domain).email = true;
            }
        }
        let texts = || account.name.core.split(' ').filter(|word| !word.is_empty());
        let mut words = Vec::with_capacity(texts().count());
        words.extend(texts().map(|word| self.word(word)));
        self.text.clear();
        self.text.extend(texts());
        let compact = hash(self.text.as_bytes());
        let entry = Entry {
            written: account.written.as_str().into(),
            words: words.into(),
            contacts: links.iter().map(|link| u32::from(link.contacts)).sum(),
            links,
            identities: account.identities.as_slice().into(),
            compact,
            phone: account.phone.unwrap_or(0),
            city: self.places.intern(&account.city),
            postcode: self.places.intern(&account.postcode),
            country: account.country,
            name_country: account.name.country,
            legal: account.name.legal,
            present: true,
            inactive: account.inactive,
            remark: account.name.remark,
        };
        self.put_in(number, entry);
    }

    /// Removes an Account with its contacts: deleted, or merged into another.
    pub fn remove(&mut self, key: &str) {
        if let Some(number) = self.keys.get(key) {
            self.take_out(number);
            if let Some(entry) = self.entries.get_mut(number as usize) {
                *entry = Entry::default();
            }
        }
    }

    /// Adds a contact's mail address to its Account. Public mail tells nothing and changes nothing.
    pub fn add_contact(&mut self, key: &str, host: &Host) {
        self.add_contacts(key, std::slice::from_ref(host));
    }

    /// Adds the mail addresses of several contacts of one Account, if it is here.
    pub fn add_contacts(&mut self, key: &str, hosts: &[Host]) -> bool {
        let number = self.keys.get(key);
        let number = number.filter(|number| self.entry(*number).is_some());
        if let Some(number) = number {
            for host in hosts {
                self.change_contact(number, host, true);
            }
        }
        number.is_some()
    }

    /// Takes a contact's mail address from its Account.
    pub fn remove_contact(&mut self, key: &str, host: &Host) {
        if let Some(number) = self.keys.get(key) {
            self.change_contact(number, host, false);
        }
    }

    fn change_contact(&mut self, number: u32, host: &Host, more: bool) {
        let Host::Owned { domain, label } = host else {
            return;
        };
        let domain = self.domain(domain, label);
        let Some(entry) = self
            .entries
            .get_mut(number as usize)
            .filter(|entry| entry.present)
        else {
            return;
        };
        let link = link_to(&mut entry.links, domain);
        let before = link.contacts;
        link.contacts = if more {
            before.saturating_add(1)
        } else {
            before.saturating_sub(1)
        };
        entry.contacts = entry.contacts + u32::from(link.contacts) - u32::from(before);
        let fresh = more && before == 0 && !link.website && !link.email;
        let gone = link.contacts == 0 && !link.website && !link.email;
        if gone {
            entry.links.retain(|link| link.domain != domain);
        }
        if fresh || gone {
            self.list_domain(number, domain, fresh);
        }
    }

    fn word(&mut self, text: &str) -> u32 {
        let known = self.words.len();
        let number = self.words.intern(text);
        if self.words.len() > known {
            self.misspellings.learn(number, text);
        }
        number
    }

    fn domain(&mut self, domain: &str, label: &str) -> u32 {
        let number = self.domains.intern(domain);
        if let Some(known) = at(&mut self.domain_labels, number)
            && *known == 0
        {
            *known = self.labels.intern(label) + 1;
        }
        number
    }

    fn list_domain(&mut self, number: u32, domain: u32, put: bool) {
        let label = hash(self.label(domain).as_bytes());
        let key = term(Term::Label, label);
        if let Some(list) = at(&mut self.domain_lists, domain) {
            if put {
                list.insert(number)
            } else {
                list.remove(number)
            }
        }
        if put {
            self.terms.insert(key, number);
            return;
        }
        let another = self.entries.get(number as usize).is_some_and(|entry| {
            let mut others = entry.links.iter().filter(|link| link.domain != domain);
            others.any(|link| hash(self.label(link.domain).as_bytes()) == label)
        });
        if !another {
            self.terms.remove(key, number);
        }
    }

    fn put_in(&mut self, number: u32, entry: Entry) {
        self.list_terms(number, &entry, true);
        for link in &entry.links {
            self.list_domain(number, link.domain, true);
            self.count_website(*link, 1);
        }
        let lot = hash(self.keys.text(number).as_bytes()) >> 48;
        if let Some(spot) = at(&mut self.spots, number) {
            *spot = Spot {
                country: entry.country,
                lot: u16::try_from(lot).unwrap_or(u16::MAX),
                city: entry.city,
                postcode: entry.postcode,
            };
        }
        if let Some(slot) = at(&mut self.entries, number) {
            *slot = entry;
        }
        self.present += 1;
    }

    fn take_out(&mut self, number: u32) {
        let Some(entry) = self
            .entries
            .get_mut(number as usize)
            .filter(|entry| entry.present)
        else {
            return;
        };
        let entry = std::mem::take(entry);
        self.list_terms(number, &entry, false);
        for link in &entry.links {
            self.list_domain(number, link.domain, false);
            self.count_website(*link, -1);
        }
        self.present -= 1;
    }

    fn count_website(&mut self, link: Link, change: i32) {
        if link.website
            && let Some(count) = at(&mut self.websites, link.domain)
        {
            *count = count.saturating_add_signed(change);
        }
    }

    fn list_terms(&mut self, number: u32, entry: &Entry, put: bool) {
        let mut keys = std::mem::take(&mut self.keys_of);
        self.term_keys(entry, &mut keys);
        for (at, key) in keys.drain(..).enumerate() {
            let left = if put {
                self.terms.insert(key, number)
            } else {
                self.terms.remove(key, number)
            };
            if at == 0 && left == usize::from(put) {
                self.count_name(entry, put);
            }
        }
        self.keys_of = keys;
        for word in &entry.words {
            if let Some(list) = at(&mut self.word_lists, *word) {
                if put {
                    list.insert(number)
                } else {
                    list.remove(number)
                }
            }
        }
    }

    /// The keys under which an Account is listed, its whole name first.
    fn term_keys(&mut self, entry: &Entry, keys: &mut Vec<u64>) {
        keys.push(term(Term::Compact, entry.compact));
        let (words, text) = (&self.words, &mut self.text);
        let texts = || entry.words.iter().map(|word| words.text(*word));
        let length: usize = texts().map(str::len).sum();
        if length > BEGINNING {
            text.clear();
            text.extend(texts().flat_map(str::chars).take(BEGINNING));
            keys.push(term(Term::Beginning, hash(text.as_bytes())));
        }
        if entry.words.len() > 2 {
            text.clear();
            text.extend(texts().filter_map(|text| text.chars().next()));
            keys.push(term(Term::Acronym, hash(text.as_bytes())));
        }
        let postcode = self.places.text(entry.postcode);
        if postcode.len() > 2 {
            keys.push(term(Term::Postcode, hash(postcode.as_bytes())));
        }
        if entry.phone != 0 {
            keys.push(term(Term::Phone, entry.phone));
        }
        let identities = entry.identities.iter();
        keys.extend(identities.map(|identity| term(Term::Identity, *identity)));
    }

    /// Counts a name that appeared first or disappeared last.
    fn count_name(&mut self, entry: &Entry, put: bool) {
        let change = if put { 1 } else { -1 };
        self.names = self.names.saturating_add_signed(change);
        for (place, word) in entry.words.iter().enumerate() {
            let again = entry.words.iter().take(place).any(|before| before == word);
            if !again && let Some(count) = at(&mut self.word_names, *word) {
                *count = count.saturating_add_signed(change);
            }
        }
    }

    pub(super) fn entry(&self, number: u32) -> Option<&Entry> {
        self.entries
            .get(number as usize)
            .filter(|entry| entry.present)
    }

    pub(super) fn spot(&self, number: u32) -> Spot {
        self.spots.get(number as usize).copied().unwrap_or_default()
    }

    /// One past the highest number.
    pub(super) const fn numbers(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn key(&self, number: u32) -> &str {
        self.keys.text(number)
    }

    pub(super) fn with_word(&self, word: u32) -> &[u32] {
        self.word_lists
            .get(word as usize)
            .map_or(&[], List::members)
    }

    pub(super) fn with_domain(&self, domain: u32) -> &[u32] {
        self.domain_lists
            .get(domain as usize)
            .map_or(&[], List::members)
    }

    /// So many Accounts have the domain as their website.
    pub(super) fn websites_at(&self, domain: u32) -> u32 {
        self.websites.get(domain as usize).copied().unwrap_or(0)
    }

    pub(super) fn label(&self, domain: u32) -> &str {
        let label = self.domain_labels.get(domain as usize);
        let label = label.and_then(|label| label.checked_sub(1));
        label.map_or("", |label| self.labels.text(label))
    }

    /// How telling a word is: 1 for one that no name or only one has, towards 0 the more names have it.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a proportion needs no more digits"
    )]
    pub(super) fn rarity(&self, word: Option<u32>) -> f32 {
        let names = self.names.max(200) as f32;
        let with = word
            .and_then(|word| self.word_names.get(word as usize))
            .map_or(1, |count| (*count).max(1)) as f32;
        (1.0 + names / with).ln() / (1.0 + names).ln()
    }
}
