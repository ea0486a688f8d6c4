//! What the Provider Accounts have in common: a contact domain that many customers share is a reseller's or an
//! accountant's, whoever else uses it. Kept up to date one record at a time, like the index.

use hashbrown::HashTable;

use super::facts::Customer;
use super::text::hash::hash;

/// How many Provider Accounts have each domain, as their own or from contact addresses.
#[derive(Debug, Default, Clone)]
pub struct Population {
    own: HashTable<(u64, u32)>,
    contact: HashTable<(u64, u32)>,
}

fn count(table: &mut HashTable<(u64, u32)>, domain: &str, change: i32) {
    let key = hash(domain.as_bytes());
    match table.find_entry(key, |(known, _)| *known == key) {
        Ok(mut entry) => {
            let count = entry.get().1.saturating_add_signed(change);
            if count == 0 {
                entry.remove();
            } else {
                entry.get_mut().1 = count;
            }
        }
        Err(_) if change > 0 => {
            table.insert_unique(key, (key, 1), |(known, _)| *known);
        }
        Err(_) => {}
    }
}

fn of(table: &HashTable<(u64, u32)>, domain: &str) -> u32 {
    let key = hash(domain.as_bytes());
    table
        .find(key, |(known, _)| *known == key)
        .map_or(0, |(_, count)| *count)
}

impl Population {
    /// Counts a Provider Account in.
    pub fn add(&mut self, customer: &Customer) {
        self.change(customer, 1);
    }

    /// Counts a Provider Account out.
    pub fn remove(&mut self, customer: &Customer) {
        self.change(customer, -1);
    }

    fn change(&mut self, customer: &Customer, change: i32) {
        for own in &customer.domains {
            count(&mut self.own, &own.domain, change);
        }
        for contact in &customer.contact_domains {
            count(&mut self.contact, &contact.domain, change);
        }
    }

    /// So many Provider Accounts own the domain.
    #[must_use]
    pub(super) fn owners(&self, domain: &str) -> u32 {
        of(&self.own, domain)
    }

    /// So many Provider Accounts know the domain from a contact address only.
    #[must_use]
    pub(super) fn contacts(&self, domain: &str) -> u32 {
        of(&self.contact, domain)
    }
}
