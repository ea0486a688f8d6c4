//! The Accounts by domain, in memory (decision 6). Made for a million Accounts with their Contacts in some hundred
//! bytes each: rows lie in dense tables and refer to each other by 32-bit slots, every domain name is kept once, and a
//! Contact is nothing but its Account and its domains.
//!
//! It holds what the store holds and can be filled in any order: a Contact may come before its Account, a page may come
//! twice, and a row older than the one already here changes nothing.

mod index;
mod links;
mod names;
mod postings;
mod table;

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use self::index::Index;
use crate::domain::account::{DirectoryAccount, DomainHit};
use crate::domain::domain_name::RegistrableDomain;
use crate::domain::ids::AccountId;
use crate::domain::ports::crm::{ChangePage, Directory};

/// So many Accounts a domain leads to at most. A domain of more is a mail service or a reseller's and evidence of
/// nothing; the Accounts whose own domain it is come first.
pub const MAX_HITS: usize = 1_000;

/// The directory. Readers never wait for each other; a page of changes is taken in within milliseconds.
#[derive(Default)]
pub struct AccountDirectory {
    index: RwLock<Index>,
}

impl AccountDirectory {
    /// An empty directory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    // A panic while the lock was held can't happen: nothing in the index panics. Were it to, the rows are still the best
    // there is.
    fn read(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Directory for AccountDirectory {
    fn hits(&self, domain: &RegistrableDomain) -> Vec<DomainHit> {
        self.read().hits(domain)
    }

    fn account(&self, id: AccountId) -> Option<DirectoryAccount> {
        self.read().account(id)
    }

    fn apply(&self, page: &ChangePage) {
        let mut index = self.write();
        for account in &page.accounts {
            index.put_account(account);
        }
        for contact in &page.contacts {
            index.put_contact(contact);
        }
        for id in &page.deleted_accounts {
            index.remove_account(*id);
        }
        for id in &page.deleted_contacts {
            index.remove_contact(*id);
        }
    }

    fn clear(&self) {
        *self.write() = Index::default();
    }

    fn len(&self) -> usize {
        self.read().len()
    }
}
