//! One instance of the service, so far as the directory is concerned: flows before a [`FeedCrm`], a clock, and the Job that
//! syncs.

use std::sync::Arc;
use std::time::Duration;

use provider_bridge::crm::directory::AccountDirectory;
use provider_bridge::crm::lookups::{CachedAccounts, LookupSettings};
use provider_bridge::domain::caller::Caller;
use provider_bridge::domain::job::{JobLease, JobWork};
use provider_bridge::domain::ports::crm::{ChangePage, Directory, DirectoryTable};
use provider_bridge::flows::matcher::Matcher;
use provider_bridge::flows::{FlowError, Flows};
use provider_bridge::store::jobs::{self, Ending};
use provider_bridge::store::retention::Retention;
use provider_bridge::store::{Store, crm_directory};
use serde_json::Value;

use super::feed::{FeedCrm, domain};
use crate::support::context::{ManualClock, context_seeded};
use crate::support::elsewhere::Elsewhere;

/// One instance of the service, so far as the directory is concerned.
pub struct Instance {
    pub flows: Flows,
    pub crm: Arc<FeedCrm>,
    pub directory: Arc<AccountDirectory>,
    pub clock: Arc<ManualClock>,
}

impl Instance {
    /// The first instance, with a CRM that gives three rows a page.
    pub fn new(store: &Store) -> Self {
        let crm = Arc::new(FeedCrm::paged_by(3));
        Self::beside(store, crm, 1)
    }

    /// One more before the same CRM.
    pub fn beside(store: &Store, crm: Arc<FeedCrm>, seed: u64) -> Self {
        let (context, clock) = context_seeded(seed);
        let directory = Arc::new(AccountDirectory::new());
        let lookups = CachedAccounts::new(crm.clone(), context.clone(), LookupSettings::default());
        let matcher = Matcher::over(directory.clone()).unwrap();
        let flows = Flows {
            store: store.clone(),
            context,
            providers: Arc::new(Elsewhere),
            crm: crm.clone(),
            accounts: Arc::new(lookups),
            directory: matcher.clone(),
            matcher,
            callbacks: Arc::new(Elsewhere),
            sealer: Arc::new(Elsewhere),
            retention: Retention {
                events_days: 30,
                jobs_days: 90,
                sync_runs_days: 400,
                exceptions_days: 400,
                crm_notices_days: 7,
            },
            environment: Arc::from("test"),
        };
        Self {
            flows,
            crm,
            directory,
            clock,
        }
    }

    /// Claims a Job of this work, which is queued if it is not. Others that are due are taken for done.
    pub async fn lease_of(&self, work: &JobWork) -> JobLease {
        let (store, context) = (&self.flows.store, &self.flows.context);
        let tx = store.begin().await.unwrap();
        let by = Caller::service("test");
        jobs::enqueue(&tx, context, &by, work, None).await.unwrap();
        tx.commit().await.unwrap();
        loop {
            let claimed = jobs::claim(store, context, Duration::from_secs(60)).await;
            let (job, lease) = claimed.unwrap().expect("the job is due");
            if job.work == *work {
                return lease;
            }
            self.end(lease).await;
        }
    }

    pub async fn lease(&self) -> JobLease {
        self.lease_of(&JobWork::SyncCrmDirectory).await
    }

    pub async fn end(&self, lease: JobLease) {
        let tx = self.flows.store.begin().await.unwrap();
        let done = Ending::Succeeded(Value::Null);
        jobs::end(&tx, &self.flows.context, lease, done)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    /// Runs the sync to its end, as a Job of its own.
    pub async fn try_sync(&self) -> Result<Value, FlowError> {
        let lease = self.lease().await;
        let result = self.flows.sync_crm_directory(lease).await;
        self.end(lease).await;
        result
    }

    pub async fn sync(&self) -> Value {
        self.try_sync().await.unwrap()
    }

    /// The mirror in the store, in order.
    pub async fn mirror(&self) -> ChangePage {
        let mut all = ChangePage::default();
        for table in [DirectoryTable::Accounts, DirectoryTable::Contacts] {
            let mut batch = Some(crm_directory::Batch::first(table));
            while let Some(this) = batch {
                let (page, next) = this.read(self.flows.store.reader()).await.unwrap();
                all.accounts.extend(page.accounts);
                all.contacts.extend(page.contacts);
                batch = next;
            }
        }
        all.accounts.sort_by_key(|row| row.id);
        all.contacts.sort_by_key(|row| row.id);
        all
    }

    /// The directory answers as the CRM's rows do, at these domains.
    pub fn answers_as_the_crm(&self, domains: &[&str]) {
        let accounts = self.crm.everything().accounts;
        assert_eq!(self.directory.len(), accounts.len());
        for account in accounts {
            assert_eq!(self.directory.account(account.id), Some(account));
        }
        for at in domains.iter().map(|at| domain(at)) {
            assert_eq!(
                self.directory.hits(&at.registrable().unwrap()),
                self.crm.hits(&at),
                "{at}"
            );
        }
    }
}
