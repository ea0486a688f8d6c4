//! The rule of domains alone on the same cases, over the directory that a running instance keeps; and what one Account
//! with its Contacts costs that comes into that directory and goes again.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use provider_bridge::crm::directory::AccountDirectory;
use provider_bridge::domain::account::{AccountState, DirectoryAccount, DirectoryContact, Place};
use provider_bridge::domain::domain_name::DomainName;
use provider_bridge::domain::ids::{AccountId, ContactId};
use provider_bridge::domain::ports::crm::{ChangePage, Directory};
use provider_bridge::domain::provider_account::{AccountDomain, DomainSource};
use provider_bridge::matching::classic::{Decision, decide};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::cases::{Answer, Quality, Truth};

/// Accounts that come and go.
const CHANGES: u32 = 2_000;

#[derive(Deserialize)]
struct Customer {
    id: String,
    domains: Vec<String>,
    billing_email: Option<String>,
}

fn lines(folder: &Path, name: &str) -> anyhow::Result<Vec<Value>> {
    let text = std::fs::read_to_string(folder.join(name))?;
    Ok(text
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?)
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn host(address: &str) -> Option<DomainName> {
    let rest = address
        .split_once("://")
        .map_or(address, |(_, after)| after);
    let host = rest.split('/').next()?.rsplit('@').next()?;
    DomainName::parse(host).ok()
}

fn account(id: u128, of: &Value) -> DirectoryAccount {
    DirectoryAccount {
        id: AccountId::new(Uuid::from_u128(id)),
        name: text(of, "name").to_owned(),
        state: match text(of, "status") {
            "inactive" => AccountState::Inactive,
            _ => AccountState::Active,
        },
        parent_id: None,
        web_domain: host(text(of, "website")),
        email_domains: host(text(of, "email")).into_iter().collect(),
        place: Place::default(),
        row_version: 1,
    }
}

fn contact(id: u128, account: u128, email: &str) -> DirectoryContact {
    DirectoryContact {
        id: ContactId::new(Uuid::from_u128(id)),
        account_id: Some(AccountId::new(Uuid::from_u128(account))),
        email_domains: host(email).into_iter().collect(),
        active: true,
        row_version: 1,
    }
}

fn domains(of: &Customer) -> Vec<AccountDomain> {
    let named = of.domains.iter().map(|name| (name, DomainSource::Custom));
    let contacts = of
        .billing_email
        .iter()
        .map(|name| (name, DomainSource::ContactEmail));
    named
        .chain(contacts)
        .filter_map(|(name, source)| {
            let name = host(name)?;
            Some(AccountDomain { name, source })
        })
        .collect()
}

/// How good it is, how long it took from reading to the last decision, and what a change costs.
pub fn measure(folder: &Path, truth: &Truth) -> anyhow::Result<(Quality, Duration, Duration)> {
    let start = Instant::now();
    let directory = AccountDirectory::new();
    let (mut keys, mut numbers) = (Vec::new(), HashMap::new());
    let mut page = ChangePage::default();
    for of in lines(folder, "crm_accounts.jsonl")? {
        page.accounts.push(account(keys.len() as u128, &of));
        numbers.insert(text(&of, "id").to_owned(), keys.len() as u128);
        keys.push(text(&of, "id").to_owned());
    }
    for (id, of) in (0_u128..).zip(lines(folder, "crm_contacts.jsonl")?) {
        if let Some(number) = numbers.get(text(&of, "account_id")) {
            page.contacts.push(contact(id, *number, text(&of, "email")));
        }
    }
    directory.apply(&page);
    drop(page);
    let mut decisions = Vec::new();
    for line in lines(folder, "provider_accounts.jsonl")? {
        let customer: Customer = serde_json::from_value(line)?;
        let decision = decide(
            &domains(&customer),
            |domain| directory.hits(domain),
            |id| directory.account(id),
        );
        decisions.push((customer.id, decision));
    }
    let took = start.elapsed();
    let key = |id: &AccountId| {
        let at = usize::try_from(id.as_uuid().as_u128()).unwrap_or(usize::MAX);
        keys.get(at).map_or("", String::as_str)
    };
    let answers = decisions.iter().map(|(provider, decision)| Answer {
        provider,
        auto: matches!(decision, Decision::Auto { .. }),
        accounts: match decision {
            Decision::Auto { account_id, .. } => vec![key(account_id)],
            Decision::Suggest(suggestions) => {
                let ids = suggestions.iter().map(|it| key(&it.account_id));
                ids.collect()
            }
            Decision::None { .. } => Vec::new(),
        },
    });
    let quality = Quality::of(truth, answers);
    Ok((quality, took, change(&directory, keys.len() as u128)))
}

/// What one Account with two Contacts costs that comes, is looked up by its Contacts and goes again, on average.
fn change(directory: &AccountDirectory, first: u128) -> Duration {
    let of = serde_json::json!({"name": "Change Ltd", "website": "https://change.example.com"});
    let pages: Vec<_> = (0..u128::from(CHANGES))
        .map(|number| {
            let id = first + number;
            let contacts = [2 * number, 2 * number + 1].map(|at| u128::MAX - at);
            let come = ChangePage {
                accounts: vec![account(id, &of)],
                contacts: contacts
                    .map(|at| contact(at, id, "a@change.example.com"))
                    .to_vec(),
                ..ChangePage::default()
            };
            let go = ChangePage {
                deleted_accounts: vec![AccountId::new(Uuid::from_u128(id))],
                deleted_contacts: contacts
                    .map(|at| ContactId::new(Uuid::from_u128(at)))
                    .to_vec(),
                ..ChangePage::default()
            };
            (come, go)
        })
        .collect();
    let start = Instant::now();
    for (come, go) in &pages {
        directory.apply(come);
        let ids: Vec<_> = come.accounts.iter().map(|account| account.id).collect();
        std::hint::black_box(directory.contacts_of(&ids));
        directory.apply(go);
    }
    start.elapsed() / CHANGES
}
