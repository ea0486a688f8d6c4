//! The directory by domain, against a plain model: whatever came in, and in whatever order, it must answer as a directory
//! that was built from the last row of each id.

use std::collections::BTreeMap;

use proptest::prelude::*;
use provider_bridge::crm::directory::{AccountDirectory, MAX_HITS};
use provider_bridge::domain::account::{
    AccountState, DirectoryAccount, DirectoryContact, DomainHit, Place,
};
use provider_bridge::domain::domain_name::{DomainName, RegistrableDomain};
use provider_bridge::domain::ids::{AccountId, ContactId};
use provider_bridge::domain::ports::crm::{ChangePage, Directory, DirectoryMirror, MirrorState};
use uuid::Uuid;

/// Few enough that rows meet: several hosts of one domain, a bare public suffix, a name that needs punycode.
const HOSTS: [&str; 8] = [
    "contoso.com",
    "www.contoso.com",
    "mail.contoso.com",
    "fabrikam.co.uk",
    "shop.fabrikam.co.uk",
    "co.uk",
    "münchen.de",
    "gmail.com",
];

fn account_id(number: u8) -> AccountId {
    AccountId::new(Uuid::from_u128(u128::from(number)))
}

fn contact_id(number: u8) -> ContactId {
    ContactId::new(Uuid::from_u128(0x1000 + u128::from(number)))
}

fn host() -> impl Strategy<Value = DomainName> {
    prop::sample::select(&HOSTS[..]).prop_map(|host| DomainName::parse(host).unwrap())
}

fn state() -> impl Strategy<Value = AccountState> {
    prop_oneof![
        3 => Just(AccountState::Active),
        1 => Just(AccountState::Inactive),
        1 => (0..6_u8).prop_map(|into| AccountState::Merged(account_id(into))),
    ]
}

fn account() -> impl Strategy<Value = DirectoryAccount> {
    (
        0..6_u8,
        "[a-c]{0,3}",
        state(),
        prop::option::of(0..6_u8),
        prop::option::of(host()),
        prop::collection::vec(host(), 0..4),
        0..4_i64,
    )
        .prop_map(
            |(id, name, state, parent, web_domain, email_domains, row_version)| DirectoryAccount {
                place: Place::default(),
                id: account_id(id),
                name,
                state,
                parent_id: parent.map(account_id),
                web_domain,
                email_domains,
                row_version,
            },
        )
}

fn contact() -> impl Strategy<Value = DirectoryContact> {
    (
        0..10_u8,
        prop::option::of(0..6_u8),
        prop::collection::vec(host(), 0..4),
        any::<bool>(),
        0..4_i64,
    )
        .prop_map(
            |(id, account, email_domains, active, row_version)| DirectoryContact {
                id: contact_id(id),
                account_id: account.map(account_id),
                email_domains,
                active,
                row_version,
            },
        )
}

fn page() -> impl Strategy<Value = ChangePage> {
    (
        prop::collection::vec(account(), 0..4),
        prop::collection::vec((0..6_u8).prop_map(account_id), 0..2),
        prop::collection::vec(contact(), 0..6),
        prop::collection::vec((0..10_u8).prop_map(contact_id), 0..2),
    )
        .prop_map(
            |(accounts, deleted_accounts, contacts, deleted_contacts)| ChangePage {
                accounts,
                deleted_accounts,
                contacts,
                deleted_contacts,
                cursor: None,
            },
        )
}

/// The last row of each id, by the plainest means.
#[derive(Default)]
struct Model {
    accounts: BTreeMap<AccountId, DirectoryAccount>,
    contacts: BTreeMap<ContactId, DirectoryContact>,
}

impl Model {
    fn apply(&mut self, page: &ChangePage) {
        for account in &page.accounts {
            let held = self
                .accounts
                .get(&account.id)
                .map_or(0, |held| held.row_version);
            if account.row_version == 0 || account.row_version >= held {
                self.accounts.insert(account.id, account.clone());
            }
        }
        for contact in &page.contacts {
            let held = self
                .contacts
                .get(&contact.id)
                .map_or(0, |held| held.row_version);
            if contact.row_version == 0 || contact.row_version >= held {
                self.contacts.insert(contact.id, contact.clone());
            }
        }
        for id in &page.deleted_accounts {
            self.accounts.remove(id);
        }
        for id in &page.deleted_contacts {
            self.contacts.remove(id);
        }
    }

    fn hits(&self, domain: &RegistrableDomain) -> Vec<DomainHit> {
        let leads = |name: &DomainName| name.registrable().as_ref() == Some(domain);
        self.accounts
            .values()
            .map(|account| DomainHit {
                account_id: account.id,
                domain: domain.clone(),
                website: account.web_domain.as_ref().is_some_and(leads),
                account_email: account.email_domains.iter().any(leads),
                contacts: self
                    .contacts
                    .values()
                    .filter(|contact| contact.account_id == Some(account.id) && contact.active)
                    .filter(|contact| contact.email_domains.iter().any(leads))
                    .count() as u32,
                state: account.state,
            })
            .filter(|hit| hit.website || hit.account_email || hit.contacts > 0)
            .collect()
    }

    fn rebuilt(&self) -> AccountDirectory {
        let directory = AccountDirectory::new();
        directory.apply(&ChangePage {
            contacts: self.contacts.values().rev().cloned().collect(),
            ..ChangePage::default()
        });
        directory.apply(&ChangePage {
            accounts: self.accounts.values().cloned().collect(),
            ..ChangePage::default()
        });
        directory
    }

    fn check(&self, directory: &AccountDirectory) -> Result<(), TestCaseError> {
        prop_assert_eq!(directory.len(), self.accounts.len());
        for id in (0..6).map(account_id) {
            prop_assert_eq!(directory.account(id), self.accounts.get(&id).cloned());
        }
        for host in HOSTS {
            if let Some(domain) = DomainName::parse(host).unwrap().registrable() {
                prop_assert_eq!(directory.hits(&domain), self.hits(&domain), "{}", host);
            }
        }
        Ok(())
    }
}

proptest! {
    #[test]
    fn any_sequence_of_changes_gives_the_directory_of_its_final_rows(pages in prop::collection::vec(page(), 0..12)) {
        let (mut model, directory) = (Model::default(), AccountDirectory::new());
        for page in &pages {
            directory.apply(page);
            model.apply(page);
            model.check(&directory)?;
        }
        model.check(&model.rebuilt())?;
        // Taken apart row by row, nothing is left behind.
        directory.apply(&ChangePage {
            deleted_accounts: (0..6).map(account_id).collect(),
            deleted_contacts: (0..10).map(contact_id).collect(),
            ..ChangePage::default()
        });
        Model::default().check(&directory)?;
    }
}

#[test]
fn a_domain_of_very_many_accounts_shows_its_owner_and_a_bounded_number_of_the_rest() {
    let directory = AccountDirectory::new();
    let mail = DomainName::parse("gmail.com").unwrap();
    let accounts = 40_000_u128;
    let row = |number: u128| DirectoryAccount {
        place: Place::default(),
        id: AccountId::new(Uuid::from_u128(number)),
        name: format!("Customer {number}"),
        state: AccountState::Active,
        parent_id: None,
        web_domain: None,
        email_domains: Vec::new(),
        row_version: 1,
    };
    let mut owner = row(accounts - 1);
    owner.web_domain = Some(mail.clone());
    let page = ChangePage {
        contacts: (0..5 * accounts)
            .map(|number| DirectoryContact {
                id: ContactId::new(Uuid::from_u128(number)),
                account_id: Some(AccountId::new(Uuid::from_u128(number * 7919 % accounts))),
                email_domains: vec![mail.clone()],
                active: true,
                row_version: 1,
            })
            .collect(),
        accounts: (0..accounts - 1).map(row).chain([owner.clone()]).collect(),
        ..ChangePage::default()
    };
    directory.apply(&page);
    let hits = directory.hits(&mail.registrable().unwrap());
    assert_eq!(hits.len(), MAX_HITS);
    assert!(hits.iter().all(|hit| hit.contacts == 5));
    let owners: Vec<_> = hits.iter().filter(|hit| hit.website).collect();
    assert_eq!(owners.len(), 1);
    assert_eq!(owners[0].account_id, owner.id);
}

#[test]
fn a_directory_in_the_making_is_seen_whole_or_not_at_all() {
    let row = |number: u8| DirectoryAccount {
        place: Place::default(),
        id: account_id(number),
        name: format!("Account {number}"),
        state: AccountState::Active,
        parent_id: None,
        web_domain: None,
        email_domains: Vec::new(),
        row_version: 1,
    };
    let page = |numbers: &[u8]| ChangePage {
        accounts: numbers.iter().copied().map(row).collect(),
        ..ChangePage::default()
    };
    let state = MirrorState {
        accounts: Some(chrono::DateTime::UNIX_EPOCH),
        contacts: None,
    };
    let directory = AccountDirectory::new();
    directory.apply(&page(&[1]));
    let mut rebuild = directory.rebuild();
    rebuild.add(&page(&[2]));
    assert_eq!(directory.len(), 1);
    rebuild.add(&page(&[3]));
    assert!(rebuild.finish(state));
    assert!(directory.account(account_id(1)).is_none());
    assert_eq!((directory.len(), directory.state()), (2, Some(state)));

    // A change that came while it was made would be lost.
    let rebuild = directory.rebuild();
    directory.apply(&page(&[4]));
    assert!(!rebuild.finish(MirrorState::default()));
    assert_eq!((directory.len(), directory.state()), (3, Some(state)));
    let changes = directory.changes();
    directory.apply(&page(&[5]));
    assert!(!directory.replace_accounts(changes, &[account_id(4)], &page(&[])));
    assert!(directory.replace_accounts(changes + 1, &[account_id(4)], &page(&[])));
    assert!(directory.account(account_id(4)).is_none());
}
