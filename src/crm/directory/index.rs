//! The index itself: rows of Accounts and Contacts, and for each domain the Accounts it leads to. Every change takes the
//! old row's postings out and puts the new row's in, so that what is here depends on the last row of each id only.

use std::collections::{HashMap, HashSet};

use super::MAX_HITS;
use super::links::{AccountRow, ContactRow, NONE, Standing};
use super::names::{Host, Names};
use super::postings::Uses;
use super::table::{Slot, Table};
use crate::domain::account::{AccountState, DirectoryAccount, DirectoryContact, DomainHit, Place};
use crate::domain::domain_name::RegistrableDomain;
use crate::domain::ids::{AccountId, ContactId};
use crate::domain::ports::crm::ChangePage;

/// Everything the directory knows.
#[derive(Default)]
pub(super) struct Index {
    accounts: Table<AccountRow>,
    contacts: Table<ContactRow>,
    names: Names,
    /// The survivors of merged Accounts, and the parents of subsidiaries: few have one.
    merged_into: HashMap<Slot, AccountId>,
    parents: HashMap<Slot, AccountId>,
    known: usize,
}

/// Version 0 means that the CRM did not tell: such a row is always taken.
fn outdated(new: i64, held: i64) -> bool {
    new != 0 && new < held
}

/// The distinct domains of a row: an Account with two addresses at one domain is one piece of evidence.
fn distinct(hosts: &[Host]) -> Vec<Slot> {
    let mut domains: Vec<Slot> = hosts.iter().map(|host| host.domain).collect();
    domains.sort_unstable();
    domains.dedup();
    domains
}

impl Index {
    pub(super) fn len(&self) -> usize {
        self.known
    }

    /// Takes in a page: rows, then deletions.
    pub(super) fn apply(&mut self, page: &ChangePage) {
        for account in &page.accounts {
            self.put_account(account);
        }
        for contact in &page.contacts {
            self.put_contact(contact);
        }
        for id in &page.deleted_accounts {
            self.remove_account(*id);
        }
        for id in &page.deleted_contacts {
            self.remove_contact(*id);
        }
    }

    /// The Contacts of these Accounts.
    pub(super) fn contacts_of(&self, ids: &[AccountId]) -> Vec<ContactId> {
        self.rows_of(ids).map(|row| row.id).collect()
    }

    /// The Contacts of these Accounts, as rows.
    pub(super) fn contact_rows_of(&self, ids: &[AccountId]) -> Vec<DirectoryContact> {
        self.rows_of(ids).map(|row| self.contact_of(row)).collect()
    }

    /// Each Account leads to the Contact that came last, and each Contact to the one before it.
    fn rows_of(&self, ids: &[AccountId]) -> impl Iterator<Item = &ContactRow> {
        let slots: HashSet<Slot> = ids.iter().filter_map(|id| self.accounts.find(id)).collect();
        let latest = slots.into_iter().filter_map(|slot| {
            let account = self.accounts.get(slot)?;
            self.contacts.get(account.latest)
        });
        latest.flat_map(|latest| {
            std::iter::successors(Some(latest), |row| self.contacts.get(row.older))
        })
    }

    pub(super) fn contact(&self, id: ContactId) -> Option<DirectoryContact> {
        let row = self.contacts.get(self.contacts.find(&id)?)?;
        Some(self.contact_of(row))
    }

    fn contact_of(&self, row: &ContactRow) -> DirectoryContact {
        DirectoryContact {
            id: row.id,
            account_id: self.accounts.get(row.account).map(|account| account.id),
            email_domains: self.names.all(&row.emails),
            active: row.active,
            row_version: row.row_version,
        }
    }

    pub(super) fn put_account(&mut self, account: &DirectoryAccount) {
        let slot = match self.accounts.find(&account.id) {
            Some(slot) => slot,
            None => self.accounts.insert(AccountRow::unknown(account.id)),
        };
        let held = self.accounts.get(slot);
        if held.is_some_and(|row| outdated(account.row_version, row.row_version)) {
            return;
        }
        let web = account
            .web_domain
            .as_ref()
            .map(|name| self.names.keep(name));
        let emails = self.names.keep_all(&account.email_domains);
        self.forget_account(slot);
        let (standing, survivor) = match account.state {
            AccountState::Active => (Standing::Active, None),
            AccountState::Inactive => (Standing::Inactive, None),
            AccountState::Merged(into) => (Standing::Merged, Some(into)),
        };
        if let Some(into) = survivor {
            self.merged_into.insert(slot, into);
        }
        if let Some(parent) = account.parent_id {
            self.parents.insert(slot, parent);
        }
        if let Some(host) = web {
            self.update(host.domain, slot, |uses| uses.website = true);
        }
        for domain in distinct(emails.as_slice()) {
            self.update(domain, slot, |uses| uses.account_email = true);
        }
        if let Some(row) = self.accounts.get_mut(slot) {
            row.name = account.name.as_str().into();
            row.row_version = account.row_version;
            row.web = web;
            row.emails = emails;
            row.standing = standing;
            self.known += 1;
        }
    }

    pub(super) fn remove_account(&mut self, id: AccountId) {
        if let Some(slot) = self.accounts.find(&id) {
            self.forget_account(slot);
            self.drop_if_unused(slot);
        }
    }

    /// Takes everything out that the Account itself brought; its Contacts stay.
    fn forget_account(&mut self, slot: Slot) {
        let Some(row) = self.accounts.get_mut(slot) else {
            return;
        };
        if row.standing != Standing::Unknown {
            self.known -= 1;
        }
        row.standing = Standing::Unknown;
        row.name = Box::default();
        row.row_version = 0;
        let web = row.web.take();
        let emails = std::mem::take(&mut row.emails);
        self.merged_into.remove(&slot);
        self.parents.remove(&slot);
        if let Some(host) = web {
            self.update(host.domain, slot, |uses| uses.website = false);
            self.names.release(host);
        }
        for host in emails.as_slice() {
            self.update(host.domain, slot, |uses| uses.account_email = false);
            self.names.release(*host);
        }
    }

    fn drop_if_unused(&mut self, slot: Slot) {
        let unused = self
            .accounts
            .get(slot)
            .is_some_and(|row| row.standing == Standing::Unknown && row.contacts == 0);
        if unused {
            self.accounts.remove(slot);
        }
    }

    pub(super) fn put_contact(&mut self, contact: &DirectoryContact) {
        if let Some(slot) = self.contacts.find(&contact.id) {
            let held = self.contacts.get(slot);
            if held.is_some_and(|row| outdated(contact.row_version, row.row_version)) {
                return;
            }
        }
        // New before old, so that names and Accounts that stay in use are not dropped and made again.
        let emails = self.names.keep_all(&contact.email_domains);
        let account = contact.account_id.map(|id| {
            let slot = match self.accounts.find(&id) {
                Some(slot) => slot,
                None => self.accounts.insert(AccountRow::unknown(id)),
            };
            if let Some(row) = self.accounts.get_mut(slot) {
                row.contacts += 1;
            }
            slot
        });
        self.remove_contact(contact.id);
        if let (Some(account), true) = (account, contact.active) {
            for domain in distinct(emails.as_slice()) {
                self.update(domain, account, |uses| uses.contacts += 1);
            }
        }
        let slot = self.contacts.insert(ContactRow {
            id: contact.id,
            row_version: contact.row_version,
            emails,
            account: account.unwrap_or(NONE),
            newer: NONE,
            older: NONE,
            active: contact.active,
        });
        self.chain(slot, account.unwrap_or(NONE));
    }

    /// Hangs a Contact on to those of its Account.
    fn chain(&mut self, slot: Slot, account: Slot) {
        let Some(account) = self.accounts.get_mut(account) else {
            return;
        };
        let older = std::mem::replace(&mut account.latest, slot);
        if let Some(row) = self.contacts.get_mut(slot) {
            row.older = older;
        }
        if let Some(row) = self.contacts.get_mut(older) {
            row.newer = slot;
        }
    }

    /// Takes a Contact, which is gone, from among those of its Account.
    fn unchain(&mut self, gone: &ContactRow) {
        if let Some(row) = self.contacts.get_mut(gone.older) {
            row.newer = gone.newer;
        }
        if let Some(row) = self.contacts.get_mut(gone.newer) {
            row.older = gone.older;
        } else if let Some(account) = self.accounts.get_mut(gone.account) {
            account.latest = gone.older;
        }
    }

    pub(super) fn remove_contact(&mut self, id: ContactId) {
        let Some(slot) = self.contacts.find(&id) else {
            return;
        };
        let Some(row) = self.contacts.remove(slot) else {
            return;
        };
        self.unchain(&row);
        if row.account != NONE {
            if row.active {
                for domain in distinct(row.emails.as_slice()) {
                    self.update(domain, row.account, |uses| {
                        uses.contacts = uses.contacts.saturating_sub(1);
                    });
                }
            }
            if let Some(account) = self.accounts.get_mut(row.account) {
                account.contacts = account.contacts.saturating_sub(1);
            }
            self.drop_if_unused(row.account);
        }
        for host in row.emails.as_slice() {
            self.names.release(*host);
        }
    }

    fn update(&mut self, domain: Slot, account: Slot, change: impl FnOnce(&mut Uses)) {
        if let Some(postings) = self.names.postings(domain) {
            postings.update(account, change);
        }
    }

    fn state(&self, slot: Slot, standing: Standing) -> Option<AccountState> {
        match standing {
            Standing::Unknown => None,
            Standing::Active => Some(AccountState::Active),
            Standing::Inactive => Some(AccountState::Inactive),
            Standing::Merged => self
                .merged_into
                .get(&slot)
                .copied()
                .map(AccountState::Merged),
        }
    }

    pub(super) fn account(&self, id: AccountId) -> Option<DirectoryAccount> {
        let slot = self.accounts.find(&id)?;
        let row = self.accounts.get(slot)?;
        Some(DirectoryAccount {
            id,
            name: row.name.to_string(),
            state: self.state(slot, row.standing)?,
            parent_id: self.parents.get(&slot).copied(),
            web_domain: row.web.and_then(|host| self.names.name(host)),
            email_domains: self.names.all(&row.emails),
            place: Place::default(),
            row_version: row.row_version,
        })
    }

    pub(super) fn hits(&self, domain: &RegistrableDomain) -> Vec<DomainHit> {
        let Some(found) = self.names.domain(domain) else {
            return Vec::new();
        };
        let mut hits: Vec<DomainHit> = found
            .postings
            .iter()
            .filter_map(|(slot, uses)| {
                let row = self.accounts.get(slot)?;
                Some(DomainHit {
                    account_id: row.id,
                    domain: domain.clone(),
                    website: uses.website,
                    account_email: uses.account_email,
                    contacts: uses.contacts,
                    state: self.state(slot, row.standing)?,
                })
            })
            .take(MAX_HITS)
            .collect();
        hits.sort_unstable_by_key(|hit| hit.account_id);
        hits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::domain_name::DomainName;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use uuid::Uuid;

    proptest! {
        #[test]
        fn an_account_leads_to_its_contacts_and_no_others(
            steps in prop::collection::vec((0_u128..6, prop::option::of(0_u128..3)), 0..60),
        ) {
            let account = |number: u128| AccountId::new(Uuid::from_u128(100 + number));
            let (mut index, mut model) = (Index::default(), BTreeMap::new());
            for (number, of) in steps {
                let id = ContactId::new(Uuid::from_u128(number));
                if let (None, Some(_)) = (of, model.remove(&id)) {
                    index.remove_contact(id);
                    continue;
                }
                let account_id = of.map(account);
                model.insert(id, account_id);
                index.put_contact(&DirectoryContact {
                    id,
                    account_id,
                    email_domains: Vec::new(),
                    active: true,
                    row_version: 0,
                });
            }
            for number in 0..3 {
                let mut found = index.contacts_of(&[account(number)]);
                found.sort_unstable();
                let theirs = model.iter().filter(|(_, of)| **of == Some(account(number)));
                prop_assert_eq!(found, theirs.map(|(id, _)| *id).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn what_is_removed_leaves_no_row_and_no_domain_behind() {
        let name = |text: &str| DomainName::parse(text).unwrap();
        let account = DirectoryAccount {
            id: AccountId::new(Uuid::from_u128(1)),
            name: "Contoso".to_owned(),
            state: AccountState::Merged(AccountId::new(Uuid::from_u128(2))),
            parent_id: Some(AccountId::new(Uuid::from_u128(3))),
            web_domain: Some(name("www.contoso.com")),
            email_domains: vec![name("contoso.com"), name("fabrikam.com")],
            place: Place::default(),
            row_version: 1,
        };
        let contact = DirectoryContact {
            id: ContactId::new(Uuid::from_u128(4)),
            account_id: Some(account.id),
            email_domains: vec![name("contoso.com")],
            active: true,
            row_version: 1,
        };
        let mut index = Index::default();
        for _ in 0..2 {
            index.put_contact(&contact);
            index.put_account(&account);
        }
        assert_eq!(index.names.domains_in_use(), 2);
        index.remove_account(account.id);
        assert_eq!((index.names.domains_in_use(), index.accounts.len()), (1, 1));
        index.remove_contact(contact.id);
        assert_eq!((index.names.domains_in_use(), index.accounts.len()), (0, 0));
        assert!(index.merged_into.is_empty() && index.parents.is_empty());
    }
}
