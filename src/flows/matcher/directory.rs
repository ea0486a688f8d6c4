//! The directory as the engine sees it: each change goes to the wrapped directory, and what it really changed there goes
//! to the index. An outdated row that the directory refuses is no change here either.

use std::collections::{HashMap, HashSet};

use super::journal::{self, Keys};
use super::{Matcher, facts};
use crate::domain::account::{AccountState, DirectoryAccount, DirectoryContact, DomainHit};
use crate::domain::domain_name::RegistrableDomain;
use crate::domain::ids::{AccountId, ContactId};
use crate::domain::ports::crm::{
    ChangePage, Directory, DirectoryMirror, DirectoryRebuild, MirrorState,
};
use crate::matching::decide::Engine;
use crate::matching::index::Index;
use crate::matching::retrieve::leads;

fn add(index: &mut Index, contact: &DirectoryContact) {
    if let Some(account) = contact.account_id {
        let key = facts::key(account);
        for host in facts::hosts(contact) {
            index.add_contact(&key, &host);
        }
    }
}

fn take(index: &mut Index, contact: &DirectoryContact) {
    if let Some(account) = contact.account_id {
        let key = facts::key(account);
        for host in facts::hosts(contact) {
            index.remove_contact(&key, &host);
        }
    }
}

impl Matcher {
    /// Follows a change of the wrapped directory that concerns these Contacts and Accounts and brought these rows.
    fn follow(
        &self,
        engine: &mut Engine,
        contacts: &[ContactId],
        accounts: &[AccountId],
        page: &ChangePage,
        change: impl FnOnce() -> bool,
    ) -> bool {
        let before = self.inner.contacts(contacts);
        let mut keys = self.keys(&engine.index, &before, accounts);
        if !change() {
            return false;
        }
        let index = &mut engine.index;
        let before: HashMap<_, _> = before.into_iter().map(|it| (it.id, it)).collect();
        let after = self.inner.contacts(contacts);
        let after: HashMap<_, _> = after.into_iter().map(|it| (it.id, it)).collect();
        for id in contacts {
            let (before, after) = (before.get(id), after.get(id));
            if before != after {
                before.into_iter().for_each(|it| take(index, it));
                after.into_iter().for_each(|it| add(index, it));
            }
        }
        let rows: HashMap<_, _> = page.accounts.iter().map(|it| (it.id, it)).collect();
        let mut came = Vec::new();
        for id in accounts {
            let key = facts::key(*id);
            match self.inner.account(*id) {
                // The contacts of a merged Account are its survivor's.
                None
                | Some(DirectoryAccount {
                    state: AccountState::Merged(_),
                    ..
                }) => index.remove(&key),
                Some(held) => {
                    let Some(row) = rows
                        .get(id)
                        .filter(|row| row.row_version == held.row_version)
                    else {
                        continue;
                    };
                    if !index.contains(&key) {
                        came.push(*id);
                    }
                    index.put(&facts::account(row));
                }
            }
        }
        for contact in self.inner.contacts_of(&came) {
            add(index, &contact);
        }
        let contacts: Vec<_> = after.into_values().collect();
        keys.extend(self.keys(index, &contacts, accounts));
        self.journal().touch(keys);
        true
    }

    /// What these Contacts and Accounts are known by at this moment.
    fn keys(&self, index: &Index, contacts: &[DirectoryContact], accounts: &[AccountId]) -> Keys {
        let mut keys = Keys::new();
        for contact in contacts {
            journal::keys_of_contact(contact, &mut keys);
        }
        let theirs = contacts.iter().filter_map(|contact| contact.account_id);
        let accounts: HashSet<_> = accounts.iter().copied().chain(theirs).collect();
        for account in accounts.into_iter().filter_map(|id| self.inner.account(id)) {
            journal::keys_of_account(&account, |word| leads(index, word), &mut keys);
        }
        keys
    }
}

fn contact_ids(page: &ChangePage) -> Vec<ContactId> {
    let rows = page.contacts.iter().map(|it| it.id);
    let mut ids: Vec<_> = rows.chain(page.deleted_contacts.iter().copied()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn account_ids(page: &ChangePage) -> Vec<AccountId> {
    let rows = page.accounts.iter().map(|it| it.id);
    let mut ids: Vec<_> = rows.chain(page.deleted_accounts.iter().copied()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

impl Directory for Matcher {
    fn hits(&self, domain: &RegistrableDomain) -> Vec<DomainHit> {
        self.inner.hits(domain)
    }

    fn account(&self, id: AccountId) -> Option<DirectoryAccount> {
        self.inner.account(id)
    }

    fn contacts(&self, ids: &[ContactId]) -> Vec<DirectoryContact> {
        self.inner.contacts(ids)
    }

    fn contacts_of(&self, accounts: &[AccountId]) -> Vec<DirectoryContact> {
        self.inner.contacts_of(accounts)
    }

    fn apply(&self, page: &ChangePage) {
        let mut engine = self.write();
        let (contacts, accounts) = (contact_ids(page), account_ids(page));
        self.follow(&mut engine, &contacts, &accounts, page, || {
            self.inner.apply(page);
            true
        });
    }

    fn clear(&self) {
        let mut engine = self.write();
        self.inner.clear();
        engine.index = Index::new();
        self.journal().touch_everything();
    }

    fn len(&self) -> usize {
        self.inner.len()
    }

    fn mirror(&self) -> Option<&dyn DirectoryMirror> {
        self.inner.mirror().map(|_| self as &dyn DirectoryMirror)
    }
}

impl DirectoryMirror for Matcher {
    fn changes(&self) -> u64 {
        self.inner.mirror().map_or(0, DirectoryMirror::changes)
    }

    fn replace_accounts(&self, changes: u64, ids: &[AccountId], page: &ChangePage) -> bool {
        let Some(mirror) = self.inner.mirror() else {
            return false;
        };
        let theirs = self.inner.contacts_of(ids);
        let mut contacts = contact_ids(page);
        contacts.extend(theirs.iter().map(|it| it.id));
        contacts.sort_unstable();
        contacts.dedup();
        let mut engine = self.write();
        self.follow(&mut engine, &contacts, ids, page, || {
            mirror.replace_accounts(changes, ids, page)
        })
    }

    fn rebuild(&self) -> Box<dyn DirectoryRebuild + '_> {
        Box::new(Rebuild {
            matcher: self,
            inner: self.inner.mirror().map(DirectoryMirror::rebuild),
            index: Index::new(),
        })
    }

    fn state(&self) -> Option<MirrorState> {
        let _engine = self.read();
        self.inner.mirror().and_then(DirectoryMirror::state)
    }

    fn advance(&self, from: MirrorState, to: MirrorState) {
        if let Some(mirror) = self.inner.mirror() {
            mirror.advance(from, to);
        }
    }
}

struct Rebuild<'a> {
    matcher: &'a Matcher,
    inner: Option<Box<dyn DirectoryRebuild + 'a>>,
    index: Index,
}

impl DirectoryRebuild for Rebuild<'_> {
    /// The store gives each row once, Accounts before Contacts.
    fn add(&mut self, page: &ChangePage) {
        for account in &page.accounts {
            if !matches!(account.state, AccountState::Merged(_)) {
                self.index.put(&facts::account(account));
            }
        }
        for contact in &page.contacts {
            add(&mut self.index, contact);
        }
        if let Some(inner) = &mut self.inner {
            inner.add(page);
        }
    }

    fn finish(self: Box<Self>, state: MirrorState) -> bool {
        let mut engine = self.matcher.write();
        if !self.inner.is_some_and(|inner| inner.finish(state)) {
            return false;
        }
        let old = std::mem::replace(&mut engine.index, self.index);
        self.matcher.journal().touch_everything();
        drop(engine);
        // Freeing a million rows takes a while; nobody waits for it.
        drop(old);
        true
    }
}
