//! Stand-ins for what lies outside the house: a CRM whose reads are written down, and what these tests never come to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use provider_bridge::domain::account::Account;
use provider_bridge::domain::ids::AccountId;
use provider_bridge::domain::ports::crm::{
    AccountLookup, ChangeCursor, ChangeFeedError, ChangePage, Crm, CrmError, DirectoryTable,
};
use provider_bridge::domain::ports::provider::FailureKind;
use provider_bridge::domain::verify::VerifyReport;

/// The CRM, live, with the cache of lookups in front of it.
#[derive(Default)]
pub struct FakeCrm {
    pub live: Mutex<BTreeMap<AccountId, Account>>,
    cache: Mutex<BTreeMap<AccountId, Arc<Account>>>,
    /// Each live read, and the entity tag that went along.
    pub reads: Mutex<Vec<(AccountId, Option<String>)>>,
    pub down: Mutex<bool>,
}

pub fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Crm for FakeCrm {
    async fn read_account(
        &self,
        id: AccountId,
        known: Option<&Account>,
    ) -> Result<Option<Account>, CrmError> {
        hold(&self.reads).push((id, known.map(|account| account.etag.clone())));
        if *hold(&self.down) {
            return Err(CrmError {
                kind: FailureKind::Transient,
                message: "the CRM cannot be reached".to_owned(),
                code: None,
                retry_after: None,
            });
        }
        Ok(hold(&self.live).get(&id).cloned())
    }

    async fn search_accounts(&self, _: &str, _: usize) -> Result<Vec<Account>, CrmError> {
        Ok(Vec::new())
    }

    async fn changes(
        &self,
        _: DirectoryTable,
        _: Option<&ChangeCursor>,
    ) -> Result<ChangePage, ChangeFeedError> {
        Ok(ChangePage::default())
    }

    async fn verify(&self) -> VerifyReport {
        VerifyReport::of(Vec::new())
    }
}

#[async_trait]
impl AccountLookup for FakeCrm {
    async fn account(&self, id: AccountId) -> Result<Option<Arc<Account>>, CrmError> {
        Ok(self.cached(id))
    }

    fn cached(&self, id: AccountId) -> Option<Arc<Account>> {
        hold(&self.cache).get(&id).cloned()
    }

    async fn search(&self, _: &str, _: usize) -> Result<Arc<Vec<Account>>, CrmError> {
        Ok(Arc::default())
    }

    fn invalidate(&self, id: AccountId) {
        hold(&self.cache).remove(&id);
    }

    fn refresh(&self, account: Account) {
        hold(&self.cache).insert(account.id, Arc::new(account));
    }

    fn invalidate_all(&self) {
        hold(&self.cache).clear();
    }
}
