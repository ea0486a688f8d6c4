//! Stand-ins for what lies outside the house, for tests whose subject is inside it: a CRM with a few Accounts, providers
//! that cannot be reached, a callback policy that allows one host.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_trait::async_trait;
use provider_bridge::domain::account::{Account, AccountState, DirectoryAccount, DomainHit};
use provider_bridge::domain::consent::MultiFactor;
use provider_bridge::domain::domain_name::RegistrableDomain;
use provider_bridge::domain::ids::AccountId;
use provider_bridge::domain::ports::callback::{CallbackPolicy, CallbackRefused};
use provider_bridge::domain::ports::consent::SignInProbe;
use provider_bridge::domain::ports::crm::{
    AccountLookup, ChangeCursor, ChangeFeedError, ChangePage, Crm, CrmError, Directory,
    DirectoryTable,
};
use provider_bridge::domain::ports::provider::{
    FailureKind, ProviderClient, ProviderError, Providers,
};
use provider_bridge::domain::provider::Provider;
use provider_bridge::domain::verify::{VerifyReport, VerifyStep};
use secrecy::SecretString;
use uuid::Uuid;

/// The host whose callback URLs are allowed.
pub const CALLBACK_HOST: &str = "prod-01.westeurope.logic.azure.com";

/// A CRM that knows the Accounts it was given; live, cached and directory in one.
#[derive(Default)]
pub struct FakeCrm {
    /// While a test holds it for writing, reading an Account does not end.
    pub busy: tokio::sync::RwLock<()>,
    /// Looking an Account up in the cache panics.
    pub panics: AtomicBool,
    /// How often an Account was read live, or is about to be.
    pub asked: AtomicUsize,
    /// The user that we are in it, where that is known.
    pub own_user: OnceLock<Uuid>,
    accounts: Mutex<BTreeMap<AccountId, Account>>,
}

/// An active Account.
pub fn account(number: u128, name: &str) -> Account {
    Account {
        id: AccountId::new(Uuid::from_u128(number)),
        name: name.to_owned(),
        number: Some(format!("A-{number}")),
        website: None,
        email: None,
        city: None,
        country: None,
        state: AccountState::Active,
        parent_id: None,
        modified_at: None,
        etag: format!("W/\"{number}\""),
    }
}

impl FakeCrm {
    /// Adds an Account, or replaces it.
    pub fn put(&self, account: Account) {
        self.accounts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(account.id, account);
    }

    fn read(&self, id: AccountId) -> Option<Account> {
        self.accounts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            .cloned()
    }

    fn find(&self, text: &str, top: usize) -> Vec<Account> {
        let text = text.to_lowercase();
        let accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |account: &&Account| account.name.to_lowercase().contains(&text);
        accounts.values().filter(fits).take(top).cloned().collect()
    }
}

#[async_trait]
impl Crm for FakeCrm {
    async fn read_account(
        &self,
        id: AccountId,
        _: Option<&Account>,
    ) -> Result<Option<Account>, CrmError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let _answers = self.busy.read().await;
        Ok(self.read(id))
    }

    async fn search_accounts(&self, text: &str, top: usize) -> Result<Vec<Account>, CrmError> {
        Ok(self.find(text, top))
    }

    async fn changes(
        &self,
        _: DirectoryTable,
        _: Option<&ChangeCursor>,
    ) -> Result<ChangePage, ChangeFeedError> {
        Ok(ChangePage::default())
    }

    fn own_user(&self) -> Option<Uuid> {
        self.own_user.get().copied()
    }

    async fn verify(&self) -> VerifyReport {
        VerifyReport::of(vec![VerifyStep {
            name: "token issued".to_owned(),
            passed: true,
            detail: String::new(),
        }])
    }
}

#[async_trait]
impl AccountLookup for FakeCrm {
    async fn account(&self, id: AccountId) -> Result<Option<Arc<Account>>, CrmError> {
        assert!(!self.panics.load(Ordering::SeqCst), "canary of a panic");
        Ok(self.read(id).map(Arc::new))
    }

    async fn search(&self, text: &str, top: usize) -> Result<Arc<Vec<Account>>, CrmError> {
        Ok(Arc::new(self.find(text, top)))
    }

    fn invalidate(&self, _: AccountId) {}

    fn refresh(&self, account: Account) {
        self.put(account);
    }

    fn invalidate_all(&self) {}
}

impl Directory for FakeCrm {
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

/// Providers whose API cannot be reached.
pub struct NoProviders;

#[async_trait]
impl Providers for NoProviders {
    async fn client(&self, _: &Provider) -> Result<Arc<dyn ProviderClient>, ProviderError> {
        Err(ProviderError {
            kind: FailureKind::Transient,
            message: "the provider cannot be reached".to_owned(),
            code: None,
            retry_after: None,
            correlation_id: None,
        })
    }
}

#[async_trait]
impl SignInProbe for NoProviders {
    async fn probe(&self, _: &Provider, _: &SecretString) -> Result<MultiFactor, ProviderError> {
        Ok(MultiFactor::Unverified)
    }
}

/// Allows https on [`CALLBACK_HOST`].
pub struct OneCallbackHost;

impl CallbackPolicy for OneCallbackHost {
    fn check(&self, url: &str) -> Result<String, CallbackRefused> {
        if url.starts_with(&format!("https://{CALLBACK_HOST}/")) {
            return Ok(CALLBACK_HOST.to_owned());
        }
        Err(CallbackRefused {
            reason: format!("only {CALLBACK_HOST} is called in this test"),
        })
    }
}
