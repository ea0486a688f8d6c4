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
use crate::domain::account::{DirectoryAccount, DirectoryContact, DomainHit};
use crate::domain::domain_name::RegistrableDomain;
use crate::domain::ids::{AccountId, ContactId};
use crate::domain::ports::crm::{
    ChangePage, Directory, DirectoryMirror, DirectoryRebuild, MirrorState,
};

/// So many Accounts a domain leads to at most. A domain of more is a mail service or a reseller's and evidence of
/// nothing; the Accounts whose own domain it is come first.
pub const MAX_HITS: usize = 1_000;

/// The directory. Readers never wait for each other; a page of changes is taken in within milliseconds.
#[derive(Default)]
pub struct AccountDirectory {
    inner: RwLock<Inner>,
}

#[derive(Default)]
struct Inner {
    index: Index,
    /// Grows with each change.
    changes: u64,
    state: Option<MirrorState>,
}

impl AccountDirectory {
    /// An empty directory, which is as an empty store.
    #[must_use]
    pub fn new() -> Self {
        let directory = Self::default();
        directory.write().state = Some(MirrorState::default());
        directory
    }

    // A panic while the lock was held can't happen: nothing in the index panics. Were it to, the rows are still the best
    // there is.
    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner> {
        self.inner.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Directory for AccountDirectory {
    fn hits(&self, domain: &RegistrableDomain) -> Vec<DomainHit> {
        self.read().index.hits(domain)
    }

    fn account(&self, id: AccountId) -> Option<DirectoryAccount> {
        self.read().index.account(id)
    }

    fn apply(&self, page: &ChangePage) {
        let mut inner = self.write();
        inner.changes += 1;
        inner.index.apply(page);
    }

    fn clear(&self) {
        let mut inner = self.write();
        inner.changes += 1;
        inner.index = Index::default();
        inner.state = None;
    }

    fn len(&self) -> usize {
        self.read().index.len()
    }

    fn contacts(&self, ids: &[ContactId]) -> Vec<DirectoryContact> {
        let inner = self.read();
        ids.iter()
            .filter_map(|id| inner.index.contact(*id))
            .collect()
    }

    fn contacts_of(&self, accounts: &[AccountId]) -> Vec<DirectoryContact> {
        self.read().index.contact_rows_of(accounts)
    }

    fn mirror(&self) -> Option<&dyn DirectoryMirror> {
        Some(self)
    }
}

impl DirectoryMirror for AccountDirectory {
    fn changes(&self) -> u64 {
        self.read().changes
    }

    fn replace_accounts(&self, changes: u64, ids: &[AccountId], page: &ChangePage) -> bool {
        let mut inner = self.write();
        if inner.changes != changes {
            return false;
        }
        inner.changes += 1;
        for contact in inner.index.contacts_of(ids) {
            inner.index.remove_contact(contact);
        }
        for id in ids {
            inner.index.remove_account(*id);
        }
        inner.index.apply(page);
        true
    }

    fn rebuild(&self) -> Box<dyn DirectoryRebuild + '_> {
        Box::new(Rebuild {
            directory: self,
            changes: self.changes(),
            index: Index::default(),
        })
    }

    fn state(&self) -> Option<MirrorState> {
        self.read().state
    }

    fn advance(&self, from: MirrorState, to: MirrorState) {
        let mut inner = self.write();
        if inner.state == Some(from) {
            inner.state = Some(to);
        }
    }
}

struct Rebuild<'a> {
    directory: &'a AccountDirectory,
    changes: u64,
    index: Index,
}

impl DirectoryRebuild for Rebuild<'_> {
    fn add(&mut self, page: &ChangePage) {
        self.index.apply(page);
    }

    fn finish(self: Box<Self>, state: MirrorState) -> bool {
        let mut inner = self.directory.write();
        if inner.changes != self.changes {
            return false;
        }
        inner.changes += 1;
        inner.state = Some(state);
        let old = std::mem::replace(&mut inner.index, self.index);
        drop(inner);
        // Freeing a million rows takes a while; nobody waits for it.
        drop(old);
        true
    }
}
