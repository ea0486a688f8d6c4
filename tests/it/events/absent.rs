//! Ports of the flows that triggers never use. Each call of one would be a fault, so each panics.

use std::sync::Arc;

use async_trait::async_trait;
use provider_bridge::domain::account::{Account, DirectoryAccount, DomainHit};
use provider_bridge::domain::domain_name::RegistrableDomain;
use provider_bridge::domain::ids::AccountId;
use provider_bridge::domain::ports::crm::{
    AccountLookup, ChangeCursor, ChangeFeedError, ChangePage, Crm, CrmError, Directory,
    DirectoryTable,
};
use provider_bridge::domain::ports::provider::{ProviderClient, ProviderError, Providers};
use provider_bridge::domain::provider::Provider;
use provider_bridge::domain::verify::VerifyReport;

pub struct Absent;

#[async_trait]
impl Providers for Absent {
    async fn client(&self, _: &Provider) -> Result<Arc<dyn ProviderClient>, ProviderError> {
        panic!("triggers call no provider")
    }
}

#[async_trait]
impl Crm for Absent {
    async fn read_account(
        &self,
        _: AccountId,
        _: Option<&Account>,
    ) -> Result<Option<Account>, CrmError> {
        panic!("triggers read no account")
    }

    async fn search_accounts(&self, _: &str, _: usize) -> Result<Vec<Account>, CrmError> {
        panic!("triggers search no account")
    }

    async fn changes(
        &self,
        _: DirectoryTable,
        _: Option<&ChangeCursor>,
    ) -> Result<ChangePage, ChangeFeedError> {
        panic!("triggers read no changes")
    }

    async fn verify(&self) -> VerifyReport {
        panic!("triggers verify no CRM")
    }
}

#[async_trait]
impl AccountLookup for Absent {
    async fn account(&self, _: AccountId) -> Result<Option<Arc<Account>>, CrmError> {
        panic!("triggers look no account up")
    }

    async fn search(&self, _: &str, _: usize) -> Result<Arc<Vec<Account>>, CrmError> {
        panic!("triggers search no account")
    }

    fn invalidate(&self, _: AccountId) {}

    fn refresh(&self, _: Account) {}

    fn invalidate_all(&self) {}
}

impl Directory for Absent {
    fn hits(&self, _: &RegistrableDomain) -> Vec<DomainHit> {
        Vec::new()
    }

    fn account(&self, _: AccountId) -> Option<DirectoryAccount> {
        None
    }

    fn apply(&self, _: &ChangePage) {}

    fn clear(&self) {}

    fn len(&self) -> usize {
        0
    }
}
