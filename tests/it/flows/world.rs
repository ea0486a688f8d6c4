//! A small world for tests of flows: a CRM whose Accounts a test writes down once, and which then stand live, in the
//! mirror and in the directory; a provider with customers; and what was told to the outside.

use std::sync::Arc;
use std::time::Duration;

use provider_bridge::crm::directory::AccountDirectory;
use provider_bridge::domain::account::{
    Account, AccountState, DirectoryAccount, DirectoryContact, Place,
};
use provider_bridge::domain::caller::{Actor, ActorKind, Caller, Channel, Role, Roles};
use provider_bridge::domain::domain_name::DomainName;
use provider_bridge::domain::ids::{AccountId, ContactId, ProviderAccountId, ProviderId};
use provider_bridge::domain::job::{JobLease, JobWork};
use provider_bridge::domain::ports::crm::{ChangeCursor, ChangePage, DirectoryTable};
use provider_bridge::domain::provider::{Provider, ProviderKind};
use provider_bridge::domain::provider_account::{
    CustomerDetails, ExternalId, ListedCustomer, ProviderAccount,
};
use provider_bridge::domain::setting::{AutoMatchMode, OperatorSettings};
use provider_bridge::flows::Flows;
use provider_bridge::flows::map_provider_account::MapRequest;
use provider_bridge::flows::mapping::Expectation;
use provider_bridge::flows::matcher::Matcher;
use provider_bridge::store::crm_directory::{self, Feed};
use provider_bridge::store::entities::{audit, exception, outbox_event};
use provider_bridge::store::jobs::{self, Ending};
use provider_bridge::store::provider_accounts::sync;
use provider_bridge::store::retention::Retention;
use provider_bridge::store::{Store, providers, settings};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::Value;
use uuid::Uuid;

use super::outside::{FakeCrm, hold};
use crate::support::context::{ManualClock, context};
use crate::support::elsewhere::Elsewhere;

pub struct World {
    pub flows: Flows,
    pub crm: Arc<FakeCrm>,
    pub directory: Arc<AccountDirectory>,
    pub clock: Arc<ManualClock>,
    provider: Provider,
}

/// The Account of this number.
pub fn account_id(number: u128) -> AccountId {
    AccountId::new(Uuid::from_u128(number))
}

pub fn caller(name: &str, role: Role) -> Caller {
    Caller {
        actor: Actor {
            kind: ActorKind::User,
            id: name.to_owned(),
            name: name.to_owned(),
        },
        roles: Roles::from([role]),
        channel: Channel::Page,
        correlation_id: None,
    }
}

/// A person who may map.
pub fn person() -> Caller {
    caller("Ada", Role::Provisioning)
}

pub fn admin() -> Caller {
    caller("Grace", Role::Admin)
}

fn parsed(domains: &[&str]) -> Vec<DomainName> {
    domains
        .iter()
        .map(|domain| DomainName::parse(domain).unwrap())
        .collect()
}

impl World {
    /// An empty world with one provider, whose CRM has been read to the end.
    pub async fn new(store: &Store) -> Self {
        let (context, clock) = context();
        let crm = Arc::new(FakeCrm::default());
        let directory = Arc::new(AccountDirectory::new());
        let now = context.now();
        let provider = Provider {
            id: ProviderId::new(context.new_uuid()),
            kind: ProviderKind::PartnerCenter,
            name: "Partner Center".to_owned(),
            enabled: true,
            partner_tenant: "11111111-1111-1111-1111-111111111111".to_owned(),
            client_id: "client".to_owned(),
            created_at: now,
            updated_at: now,
            version: 1,
        };
        let retention = Retention {
            events_days: 30,
            jobs_days: 90,
            sync_runs_days: 400,
            exceptions_days: 400,
            crm_notices_days: 7,
        };
        let matcher = Matcher::over(directory.clone()).unwrap();
        let flows = Flows {
            store: store.clone(),
            context,
            providers: Arc::new(Elsewhere),
            crm: crm.clone(),
            accounts: crm.clone(),
            directory: matcher.clone(),
            matcher,
            callbacks: Arc::new(Elsewhere),
            sealer: Arc::new(Elsewhere),
            retention,
            environment: Arc::from("test"),
        };
        let world = Self {
            flows,
            crm,
            directory,
            clock,
            provider,
        };
        let tx = store.begin().await.unwrap();
        providers::insert(&tx, &world.provider).await.unwrap();
        let classic = OperatorSettings {
            auto_match: AutoMatchMode::Classic,
            auto_match_threshold: None,
            ..OperatorSettings::default()
        };
        settings::save(&tx, &world.flows.context, &classic)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        world.feeds(1, false).await;
        world
    }

    /// Says of both feeds which full reading they are of, and whether it still goes on.
    pub async fn feeds(&self, generation: i64, reading_everything: bool) {
        let tx = self.flows.store.begin().await.unwrap();
        for table in [DirectoryTable::Accounts, DirectoryTable::Contacts] {
            let from = crm_directory::feed(&*tx, table).await.unwrap();
            let to = Feed {
                cursor: Some(ChangeCursor::Delta("https://crm.test/delta".to_owned())),
                generation,
                reading_everything,
                ..from.clone()
            };
            let moved = crm_directory::move_feed(&tx, &self.flows.context, &from, to).await;
            assert!(moved.unwrap().is_some());
        }
        tx.commit().await.unwrap();
        self.flows.catch_up().await.unwrap();
    }

    /// Puts rows into the mirror, as a pull by another instance would: this one has not heard of it.
    pub async fn mirror(&self, page: ChangePage) {
        let tx = self.flows.store.begin().await.unwrap();
        let from = crm_directory::feed(&*tx, DirectoryTable::Contacts)
            .await
            .unwrap();
        let moved = crm_directory::move_feed(&tx, &self.flows.context, &from, from.clone()).await;
        assert!(moved.unwrap().is_some());
        crm_directory::keep(&tx, &page, from.generation)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    /// An active Account with a website, in the CRM and everywhere we keep it.
    pub async fn account(&self, number: u128, name: &str, website: &str) -> AccountId {
        self.put_account(number, name, website, AccountState::Active, 1)
            .await
    }

    /// Puts an Account into a state, in the CRM and everywhere we keep it.
    pub async fn put_account(
        &self,
        number: u128,
        name: &str,
        website: &str,
        state: AccountState,
        row_version: i64,
    ) -> AccountId {
        let id = account_id(number);
        self.put_live(number, name, state);
        self.take_in(ChangePage {
            accounts: vec![DirectoryAccount {
                place: Place::default(),
                id,
                name: name.to_owned(),
                state,
                parent_id: None,
                web_domain: DomainName::of_website(website),
                email_domains: Vec::new(),
                row_version,
            }],
            ..ChangePage::default()
        })
        .await;
        id
    }

    pub fn put_live(&self, number: u128, name: &str, state: AccountState) {
        let id = account_id(number);
        let account = Account {
            id,
            name: name.to_owned(),
            number: None,
            website: None,
            email: None,
            city: None,
            country: None,
            state,
            parent_id: None,
            modified_at: None,
            etag: format!("W/\"{number}\""),
        };
        hold(&self.crm.live).insert(id, account);
    }

    pub fn delete_live(&self, id: AccountId) {
        hold(&self.crm.live).remove(&id);
    }

    /// Gives an Account a Contact with an address at `domain`.
    pub async fn contact(&self, number: u128, account: AccountId, domain: &str) {
        self.take_in(contact(number, account, domain)).await;
    }

    /// A customer of the provider with these custom domains, its details complete.
    pub async fn customer(&self, name: &str, domains: &[&str]) -> ProviderAccountId {
        self.customers(&[(name, domains)]).await[0]
    }

    /// A customer whose tenant is known.
    pub async fn tenant(&self, name: &str, tenant: &str, domains: &[&str]) -> ProviderAccountId {
        let provider = self.provider.id;
        self.tenant_at(provider, name, tenant, domains).await
    }

    /// The same at another provider, which is called Elsewhere.
    pub async fn tenant_elsewhere(
        &self,
        name: &str,
        tenant: &str,
        domains: &[&str],
    ) -> ProviderAccountId {
        let provider = Provider {
            id: ProviderId::new(self.flows.context.new_uuid()),
            name: "Elsewhere".to_owned(),
            partner_tenant: "22222222-2222-2222-2222-222222222222".to_owned(),
            ..self.provider.clone()
        };
        let tx = self.flows.store.begin().await.unwrap();
        providers::insert(&tx, &provider).await.unwrap();
        tx.commit().await.unwrap();
        self.tenant_at(provider.id, name, tenant, domains).await
    }

    async fn tenant_at(
        &self,
        provider: ProviderId,
        name: &str,
        tenant: &str,
        domains: &[&str],
    ) -> ProviderAccountId {
        let listed = ListedCustomer {
            external_id: ExternalId::parse(tenant).unwrap(),
            name: name.to_owned(),
            tenant_id: Some(tenant.to_owned()),
            default_domain: None,
            relationship: "reseller".to_owned(),
        };
        let tx = self.flows.store.begin().await.unwrap();
        let added = sync::insert(&tx, &self.flows.context, provider, vec![listed])
            .await
            .unwrap();
        let details = CustomerDetails {
            custom_domains: parsed(domains),
            ..CustomerDetails::default()
        };
        sync::save_details(&tx, &self.flows.context, vec![(added[0].id, details)])
            .await
            .unwrap();
        tx.commit().await.unwrap();
        added[0].id
    }

    /// Takes a page of changes in as a pull of this instance does: store and directory, row by row.
    pub async fn take_in(&self, page: ChangePage) {
        let before = crm_directory::state(self.flows.store.reader())
            .await
            .unwrap();
        self.mirror(page.clone()).await;
        self.flows.directory.apply(&page);
        let after = crm_directory::state(self.flows.store.reader())
            .await
            .unwrap();
        self.flows
            .directory
            .mirror()
            .unwrap()
            .advance(before, after);
    }

    /// Several customers at once.
    pub async fn customers(&self, all: &[(&str, &[&str])]) -> Vec<ProviderAccountId> {
        let added = self.list(all.iter().map(|(name, _)| *name)).await;
        let details = added.iter().zip(all).map(|(account, (_, domains))| {
            let details = CustomerDetails {
                custom_domains: parsed(domains),
                ..CustomerDetails::default()
            };
            (account.id, details)
        });
        let tx = self.flows.store.begin().await.unwrap();
        sync::save_details(&tx, &self.flows.context, details.collect())
            .await
            .unwrap();
        tx.commit().await.unwrap();
        added.into_iter().map(|account| account.id).collect()
    }

    /// Customers whose details are still to come.
    pub async fn list<'a>(&self, names: impl Iterator<Item = &'a str>) -> Vec<ProviderAccount> {
        let listed = names.map(|name| ListedCustomer {
            external_id: ExternalId::parse(&format!("id of {name}")).unwrap(),
            name: name.to_owned(),
            tenant_id: None,
            default_domain: None,
            relationship: "reseller".to_owned(),
        });
        let tx = self.flows.store.begin().await.unwrap();
        let added = sync::insert(&tx, &self.flows.context, self.provider.id, listed.collect())
            .await
            .unwrap();
        tx.commit().await.unwrap();
        added
    }

    pub async fn get(&self, id: ProviderAccountId) -> ProviderAccount {
        self.flows.get_provider_account(&admin(), id).await.unwrap()
    }

    /// Maps as a person who expects nothing.
    pub async fn map(&self, id: ProviderAccountId, account: AccountId) -> ProviderAccount {
        let request = request(account, Expectation::default());
        self.flows
            .map_provider_account(&person(), id, &request)
            .await
            .unwrap()
            .account
    }

    /// Begins an auto-match Job.
    pub async fn lease(&self) -> JobLease {
        let flows = &self.flows;
        let tx = flows.store.begin().await.unwrap();
        jobs::enqueue(&tx, &flows.context, &admin(), &JobWork::AutoMatch, None)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let claimed = jobs::claim(&flows.store, &flows.context, Duration::from_secs(60))
            .await
            .unwrap();
        claimed.unwrap().1
    }

    /// Runs auto-match to its end and gives its counts.
    pub async fn auto_match(&self) -> Value {
        let lease = self.lease().await;
        let result = self.flows.auto_match(lease).await.unwrap();
        self.finish(lease).await;
        result
    }

    /// Ends a Job.
    pub async fn finish(&self, lease: JobLease) {
        let flows = &self.flows;
        let tx = flows.store.begin().await.unwrap();
        let ending = Ending::Succeeded(Value::Null);
        jobs::end(&tx, &flows.context, lease, ending).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// The names of the suggested Accounts, the best first.
    pub async fn suggested(&self, id: ProviderAccountId) -> Vec<String> {
        let found = self.flows.list_suggestions(&admin(), id).await.unwrap();
        found.into_iter().map(|named| named.account_name).collect()
    }

    /// All events so far, as (type, data), in order.
    pub async fn events(&self) -> Vec<(String, Value)> {
        let rows = outbox_event::Entity::find()
            .order_by_asc(outbox_event::Column::Seq)
            .all(self.flows.store.reader())
            .await
            .unwrap();
        rows.into_iter()
            .map(|row| (row.event_type, row.data))
            .collect()
    }

    /// Number of entries in the audit trail with this action.
    pub async fn audited(&self, action: &str) -> usize {
        self.audit(action).await.len()
    }

    pub async fn audit(&self, action: &str) -> Vec<audit::Model> {
        audit::Entity::find()
            .filter(audit::Column::Action.eq(action))
            .order_by_asc(audit::Column::Id)
            .all(self.flows.store.reader())
            .await
            .unwrap()
    }

    /// The details of the exceptions that are open. That mapped accounts have no contract yet is not what these tests are about.
    pub async fn exceptions(&self) -> Vec<String> {
        let rows = exception::Entity::find()
            .filter(exception::Column::ClosedAt.is_null())
            .filter(exception::Column::Kind.ne("account-without-contract"))
            .order_by_asc(exception::Column::Subject)
            .all(self.flows.store.reader())
            .await
            .unwrap();
        rows.into_iter().map(|row| row.detail).collect()
    }
}

/// A page of changes with one Contact.
pub fn contact(number: u128, account: AccountId, domain: &str) -> ChangePage {
    ChangePage {
        contacts: vec![DirectoryContact {
            id: ContactId::new(Uuid::from_u128(number)),
            account_id: Some(account),
            email_domains: parsed(&[domain]),
            active: true,
            row_version: 1,
        }],
        ..ChangePage::default()
    }
}

/// A request to map.
pub fn request(account_id: AccountId, expected: Expectation) -> MapRequest {
    MapRequest {
        account_id,
        reason: Some("signed contract".to_owned()),
        expected,
    }
}
