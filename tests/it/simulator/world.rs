//! The made-up world, judged with the product's own classic rule: what it maps, it maps rightly.

use std::collections::HashMap;

use provider_bridge::domain::account::{AccountState, DirectoryAccount, DomainHit, Place};
use provider_bridge::domain::domain_name::{DomainName, RegistrableDomain};
use provider_bridge::domain::ids::AccountId;
use provider_bridge::domain::provider_account::{AccountDomain, DomainSource, ExternalId};
use provider_bridge::matching::classic::{Decision, decide};
use provider_bridge::simulator::{SharedWorld, World, WorldSpec};
use serde_json::Value;

use super::client::Stand;

/// Everything of the CRM that the rule asks for, read over HTTP.
struct Crm {
    accounts: HashMap<AccountId, DirectoryAccount>,
    hits: HashMap<RegistrableDomain, HashMap<AccountId, DomainHit>>,
}

fn text<'v>(row: &'v Value, name: &str) -> Option<&'v str> {
    row.get(name).and_then(Value::as_str)
}

fn id(row: &Value, name: &str) -> Option<AccountId> {
    text(row, name)?.parse().ok()
}

async fn rows(stand: &Stand, first: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut next = Some(first.to_owned());
    while let Some(path) = next {
        let page = stand
            .crm(&path, &[("prefer", "odata.maxpagesize=700")])
            .await
            .json();
        rows.extend(page["value"].as_array().unwrap().iter().cloned());
        next = text(&page, "@odata.nextLink").map(str::to_owned);
    }
    rows
}

impl Crm {
    async fn read(stand: &Stand) -> Self {
        let mut crm = Self {
            accounts: HashMap::new(),
            hits: HashMap::new(),
        };
        let select = "accounts?$select=name,websiteurl,emailaddress1,statecode,merged,_masterid_value,_parentaccountid_value,versionnumber";
        for row in rows(stand, select).await {
            crm.account(&row);
        }
        let select = "contacts?$select=emailaddress1,_parentcustomerid_value,statecode";
        for row in rows(stand, select).await {
            let account = id(&row, "_parentcustomerid_value").unwrap();
            if row["statecode"] == 0
                && let Some(domain) = text(&row, "emailaddress1").and_then(DomainName::of_email)
            {
                crm.hit(account, &domain, |hit| hit.contacts += 1);
            }
        }
        crm
    }

    fn account(&mut self, row: &Value) {
        let account_id = id(row, "accountid").unwrap();
        let state = match (id(row, "_masterid_value"), row["statecode"].as_i64()) {
            (Some(survivor), _) => AccountState::Merged(survivor),
            (None, Some(0)) => AccountState::Active,
            _ => AccountState::Inactive,
        };
        let web_domain = text(row, "websiteurl").and_then(DomainName::of_website);
        let email_domains: Vec<_> = text(row, "emailaddress1")
            .and_then(DomainName::of_email)
            .into_iter()
            .collect();
        self.accounts.insert(
            account_id,
            DirectoryAccount {
                place: Place::default(),
                id: account_id,
                name: text(row, "name").unwrap().to_owned(),
                state,
                parent_id: id(row, "_parentaccountid_value"),
                web_domain: web_domain.clone(),
                email_domains: email_domains.clone(),
                row_version: row["versionnumber"].as_i64().unwrap(),
            },
        );
        if let Some(domain) = web_domain {
            self.hit(account_id, &domain, |hit| hit.website = true);
        }
        for domain in email_domains {
            self.hit(account_id, &domain, |hit| hit.account_email = true);
        }
    }

    fn hit(
        &mut self,
        account_id: AccountId,
        domain: &DomainName,
        mark: impl FnOnce(&mut DomainHit),
    ) {
        let Some(domain) = domain.registrable() else {
            return;
        };
        let state = self.accounts[&account_id].state;
        let hit = self
            .hits
            .entry(domain.clone())
            .or_default()
            .entry(account_id)
            .or_insert(DomainHit {
                account_id,
                domain,
                website: false,
                account_email: false,
                contacts: 0,
                state,
            });
        mark(hit);
    }

    fn decide(&self, domains: &[AccountDomain]) -> Decision {
        decide(
            domains,
            |domain| {
                self.hits
                    .get(domain)
                    .into_iter()
                    .flatten()
                    .map(|(_, hit)| hit.clone())
                    .collect()
            },
            |id| self.accounts.get(&id).cloned(),
        )
    }
}

fn domains(customer: &Value) -> Vec<AccountDomain> {
    let domain = |text: &str, source| {
        Some(AccountDomain {
            name: DomainName::parse(text).ok()?,
            source,
        })
    };
    let default = text(&customer["companyProfile"], "domain")
        .and_then(|text| domain(text, DomainSource::Default));
    let custom = customer["customDomains"].as_array().unwrap().iter();
    let custom = custom.filter_map(|own| domain(own.as_str().unwrap(), DomainSource::Custom));
    let email = text(&customer["billingProfile"], "email")
        .and_then(DomainName::of_email)
        .map(|name| AccountDomain {
            name,
            source: DomainSource::ContactEmail,
        });
    default.into_iter().chain(custom).chain(email).collect()
}

#[derive(Debug, Default)]
struct Tally {
    customers: u32,
    mapped: u32,
    wrong: u32,
    tied: u32,
    without_counterpart: u32,
}

async fn tally(spec: &WorldSpec) -> Tally {
    let stand = Stand::of(spec, |_| {}).await;
    let crm = Crm::read(&stand).await;
    let world: SharedWorld = stand.running.world();
    let truths: Vec<(ExternalId, Option<AccountId>)> = world.read(|world| world.truths().collect());
    let mut tally = Tally::default();
    for (customer, truth) in truths {
        let details = stand
            .provider(&format!("/v1/customers/{customer}"), &[])
            .await
            .json();
        tally.customers += 1;
        tally.without_counterpart += u32::from(truth.is_none());
        match crm.decide(&domains(&details)) {
            Decision::Auto { account_id, .. } => {
                tally.mapped += 1;
                tally.wrong += u32::from(!world.accepts(&customer, account_id));
            }
            Decision::Suggest(_) => tally.tied += 1,
            Decision::None { .. } => {}
        }
    }
    tally
}

#[tokio::test]
async fn the_classic_rule_maps_a_good_share_of_the_default_world_and_nothing_wrongly() {
    let tally = tally(&WorldSpec::new(1000, 42)).await;
    assert_eq!(tally.wrong, 0, "{tally:?}");
    assert_eq!(tally.customers, 1000);
    assert!((500..=650).contains(&tally.mapped), "{tally:?}");
    assert!(
        (200..=280).contains(&tally.without_counterpart),
        "{tally:?}"
    );
    assert!((60..=250).contains(&tally.tied), "{tally:?}");
}

#[tokio::test]
async fn a_deceptive_world_leads_the_classic_rule_astray() {
    let spec = WorldSpec {
        deceptive: true,
        ..WorldSpec::new(300, 42)
    };
    let tally = tally(&spec).await;
    assert!((15..=45).contains(&tally.wrong), "{tally:?}");
}

#[test]
fn the_same_seed_gives_the_same_world_and_another_seed_another() {
    let truths = |seed| {
        World::generate(&WorldSpec::new(50, seed))
            .truths()
            .collect::<Vec<_>>()
    };
    assert_eq!(truths(5), truths(5));
    assert_ne!(truths(5), truths(6));
    assert_eq!(truths(5).len(), 50);
}
