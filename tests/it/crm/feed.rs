//! A CRM that is nothing but its Accounts, its Contacts and their change feed. It numbers every change, hands out links that
//! say what they stand for, and can forget tokens, break off, or leave a call hanging.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use provider_bridge::crm::directory::AccountDirectory;
use provider_bridge::domain::account::{
    Account, AccountState, DirectoryAccount, DirectoryContact, DomainHit, Place,
};
use provider_bridge::domain::domain_name::DomainName;
use provider_bridge::domain::ids::{AccountId, ContactId};
use provider_bridge::domain::ports::crm::{
    ChangeCursor, ChangeFeedError, ChangePage, Crm, CrmError, Directory, DirectoryTable,
};
use provider_bridge::domain::ports::provider::FailureKind;
use provider_bridge::domain::verify::VerifyReport;
use uuid::Uuid;

pub fn account_id(number: u8) -> AccountId {
    AccountId::new(Uuid::from_u128(u128::from(number)))
}

pub fn contact_id(number: u8) -> ContactId {
    ContactId::new(Uuid::from_u128(0x1000 + u128::from(number)))
}

pub fn domain(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

#[derive(Default)]
struct Tables {
    accounts: BTreeMap<AccountId, DirectoryAccount>,
    contacts: BTreeMap<ContactId, DirectoryContact>,
    gone: Vec<(i64, Gone)>,
    version: i64,
    /// Tokens of older versions are forgotten.
    oldest_known: i64,
    asked: Vec<(DirectoryTable, Option<ChangeCursor>)>,
    /// After so many more calls, this happens.
    trouble: Option<(usize, Trouble)>,
}

#[derive(Clone, Copy)]
enum Gone {
    Account(AccountId),
    Contact(ContactId),
}

/// What a call can end in.
#[derive(Clone, Copy)]
pub enum Trouble {
    BreaksOff,
    Hangs,
}

pub struct FeedCrm {
    tables: Mutex<Tables>,
    page_size: usize,
}

impl FeedCrm {
    /// An empty one, that gives so many rows a page.
    pub fn paged_by(page_size: usize) -> Self {
        Self {
            tables: Mutex::default(),
            page_size,
        }
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap()
    }

    pub fn put_account(&self, number: u8, website: &str, state: AccountState) {
        let mut tables = self.tables();
        tables.version += 1;
        let row = DirectoryAccount {
            place: Place::default(),
            id: account_id(number),
            name: format!("Account {number}"),
            state,
            parent_id: None,
            web_domain: DomainName::of_website(website),
            email_domains: DomainName::of_website(website).into_iter().collect(),
            row_version: tables.version,
        };
        tables.accounts.insert(row.id, row);
    }

    pub fn put_contact(&self, number: u8, account: Option<u8>, at: &str) {
        let mut tables = self.tables();
        tables.version += 1;
        let row = DirectoryContact {
            id: contact_id(number),
            account_id: account.map(account_id),
            email_domains: vec![domain(at)],
            active: true,
            row_version: tables.version,
        };
        tables.contacts.insert(row.id, row);
    }

    pub fn delete_account(&self, number: u8) {
        let mut tables = self.tables();
        tables.version += 1;
        let version = tables.version;
        if tables.accounts.remove(&account_id(number)).is_some() {
            tables
                .gone
                .push((version, Gone::Account(account_id(number))));
        }
    }

    pub fn delete_contact(&self, number: u8) {
        let mut tables = self.tables();
        tables.version += 1;
        let version = tables.version;
        if tables.contacts.remove(&contact_id(number)).is_some() {
            tables
                .gone
                .push((version, Gone::Contact(contact_id(number))));
        }
    }

    /// Every token handed out so far is too old from now on, and what was deleted is not told any more.
    pub fn forget_tokens(&self) {
        let mut tables = self.tables();
        tables.version += 1;
        tables.oldest_known = tables.version;
        tables.gone.clear();
    }

    /// The environment was put back to an older state: its rows have smaller versions than those we know.
    pub fn restore(&self) {
        self.forget_tokens();
        let mut tables = self.tables();
        for row in tables.accounts.values_mut() {
            row.row_version = 1;
            row.name.push_str(" as it was");
        }
    }

    pub fn trouble_after(&self, calls: usize, trouble: Trouble) {
        self.tables().trouble = Some((calls, trouble));
    }

    pub fn no_trouble(&self) {
        self.tables().trouble = None;
    }

    /// What was asked since the last look.
    pub fn asked(&self) -> Vec<(DirectoryTable, Option<ChangeCursor>)> {
        std::mem::take(&mut self.tables().asked)
    }

    /// The hits of every domain, from the rows themselves.
    pub fn hits(&self, at: &DomainName) -> Vec<DomainHit> {
        let directory = AccountDirectory::new();
        directory.apply(&self.everything());
        directory.hits(&at.registrable().unwrap())
    }

    pub fn everything(&self) -> ChangePage {
        let tables = self.tables();
        ChangePage {
            accounts: tables.accounts.values().cloned().collect(),
            contacts: tables.contacts.values().cloned().collect(),
            ..ChangePage::default()
        }
    }

    fn take_trouble(&self) -> Option<Trouble> {
        let mut tables = self.tables();
        match &mut tables.trouble {
            None => None,
            Some((0, trouble)) => Some(*trouble),
            Some((calls, _)) => {
                *calls -= 1;
                None
            }
        }
    }

    /// Links read `full:{version at the beginning}:{rows given}` and `since:{version}:{until}:{rows given}`.
    fn page(&self, table: DirectoryTable, cursor: Option<&ChangeCursor>) -> Option<ChangePage> {
        let tables = self.tables();
        let link = match cursor {
            None => format!("full:{}:0", tables.version),
            Some(ChangeCursor::Next(link) | ChangeCursor::Delta(link)) => link.clone(),
        };
        let mut parts = link.split(':');
        let kind = parts.next().unwrap();
        let numbers: Vec<i64> = parts.map(|it| it.parse().unwrap()).collect();
        if cursor.is_some() && numbers[0] < tables.oldest_known {
            return None;
        }
        let (since, until, given) = match (kind, &numbers[..]) {
            ("full", [version, given]) => (0, *version, *given),
            ("since", [since]) => (*since, tables.version, 0),
            ("since", [since, until, given]) => (*since, *until, *given),
            _ => panic!("{link} is no link of ours"),
        };
        let mut page = ChangePage::default();
        match table {
            DirectoryTable::Accounts => {
                let rows = tables
                    .accounts
                    .values()
                    .filter(|row| row.row_version > since || kind == "full");
                page.accounts = rows.cloned().collect();
            }
            DirectoryTable::Contacts => {
                let rows = tables
                    .contacts
                    .values()
                    .filter(|row| row.row_version > since);
                page.contacts = rows.cloned().collect();
            }
        }
        let (given, all) = (
            usize::try_from(given).unwrap(),
            page.accounts.len() + page.contacts.len(),
        );
        let shown = given..all.min(given + self.page_size);
        page.accounts = page
            .accounts
            .get(shown.clone())
            .unwrap_or_default()
            .to_vec();
        page.contacts = page
            .contacts
            .get(shown.clone())
            .unwrap_or_default()
            .to_vec();
        if shown.end < all {
            let next = match kind {
                "full" => format!("full:{until}:{}", shown.end),
                _ => format!("since:{since}:{until}:{}", shown.end),
            };
            page.cursor = Some(ChangeCursor::Next(next));
            return Some(page);
        }
        for (version, gone) in tables.gone.iter().filter(|_| kind == "since") {
            match (table, gone) {
                (DirectoryTable::Accounts, Gone::Account(id)) if *version > since => {
                    page.deleted_accounts.push(*id)
                }
                (DirectoryTable::Contacts, Gone::Contact(id)) if *version > since => {
                    page.deleted_contacts.push(*id)
                }
                _ => {}
            }
        }
        page.cursor = Some(ChangeCursor::Delta(format!("since:{until}")));
        Some(page)
    }
}

#[async_trait]
impl Crm for FeedCrm {
    async fn read_account(
        &self,
        id: AccountId,
        _: Option<&Account>,
    ) -> Result<Option<Account>, CrmError> {
        let found = self.tables().accounts.get(&id).cloned();
        Ok(found.map(|row| Account {
            id,
            name: row.name,
            number: None,
            website: None,
            email: None,
            city: None,
            country: None,
            state: row.state,
            parent_id: None,
            modified_at: None,
            etag: format!("W/\"{}\"", row.row_version),
        }))
    }

    async fn search_accounts(&self, _: &str, _: usize) -> Result<Vec<Account>, CrmError> {
        Ok(Vec::new())
    }

    async fn changes(
        &self,
        table: DirectoryTable,
        cursor: Option<&ChangeCursor>,
    ) -> Result<ChangePage, ChangeFeedError> {
        match self.take_trouble() {
            None => {}
            Some(Trouble::Hangs) => std::future::pending().await,
            Some(Trouble::BreaksOff) => {
                return Err(ChangeFeedError::Failed(CrmError {
                    kind: FailureKind::Transient,
                    message: "it broke off".to_owned(),
                    code: None,
                    retry_after: None,
                }));
            }
        }
        self.tables().asked.push((table, cursor.cloned()));
        self.page(table, cursor).ok_or(ChangeFeedError::Expired)
    }

    async fn verify(&self) -> VerifyReport {
        VerifyReport::of(Vec::new())
    }
}
