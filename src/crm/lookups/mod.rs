//! Accounts by id and by search, cached (H5): bounded, one call to the CRM however many ask at once, "there is none" kept
//! too (but shorter), errors never. Whether a copy is fresh is judged by the context's clock and by what was invalidated
//! since it was asked for; moka's own time to live only bounds memory.
//!
//! A copy that is no longer fresh is not thrown away: it goes along to the CRM, which answers "unchanged" by its entity
//! tag, and it is shown for a while longer when the CRM cannot be reached. One that was invalidated never is.
//!
//! The counters are looked up when the cache is made: install the metrics recorder before.

mod changes;
mod lane;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use self::changes::Changes;
use self::lane::{Lane, Terms};
use crate::domain::account::Account;
use crate::domain::context::Context;
use crate::domain::fold::fold;
use crate::domain::ids::AccountId;
use crate::domain::ports::crm::{AccountLookup, Crm, CrmError};

/// How much is kept, and for how long it is good.
#[derive(Debug, Clone)]
pub struct LookupSettings {
    /// Accounts at most, those that do not exist included.
    pub max_accounts: u64,
    /// Searches at most.
    pub max_searches: u64,
    /// An Account is shown without asking for so long.
    pub account_fresh_for: Duration,
    /// That there is no such Account is believed for so long.
    pub absence_fresh_for: Duration,
    /// A search is shown without asking for so long.
    pub search_fresh_for: Duration,
    /// While the CRM cannot be reached, a copy is shown for so long after it was last known to be right.
    pub shown_unchecked_for: Duration,
}

impl Default for LookupSettings {
    fn default() -> Self {
        Self {
            max_accounts: 20_000,
            max_searches: 1_000,
            account_fresh_for: Duration::from_secs(300),
            absence_fresh_for: Duration::from_secs(30),
            search_fresh_for: Duration::from_secs(60),
            shown_unchecked_for: Duration::from_secs(900),
        }
    }
}

/// The cache before a [`Crm`].
pub struct CachedAccounts {
    crm: Arc<dyn Crm>,
    context: Context,
    settings: LookupSettings,
    accounts: Lane<AccountId, Option<Arc<Account>>>,
    searches: Lane<(String, usize), Arc<Vec<Account>>>,
    changes: Changes,
}

impl CachedAccounts {
    /// An empty cache.
    #[must_use]
    pub fn new(crm: Arc<dyn Crm>, context: Context, settings: LookupSettings) -> Self {
        Self {
            accounts: Lane::new("account", settings.max_accounts),
            searches: Lane::new("search", settings.max_searches),
            changes: Changes::default(),
            crm,
            context,
            settings,
        }
    }
}

#[async_trait]
impl AccountLookup for CachedAccounts {
    async fn account(&self, id: AccountId) -> Result<Option<Arc<Account>>, CrmError> {
        let settings = &self.settings;
        let terms = Terms {
            context: &self.context,
            fresh_for: |account: &Option<Arc<Account>>| match account {
                Some(_) => settings.account_fresh_for,
                None => settings.absence_fresh_for,
            },
            shown_unchecked_for: settings.shown_unchecked_for,
            change: || self.changes.of_account(id),
        };
        let load = |known: Option<Option<Arc<Account>>>| async move {
            let known = known.flatten();
            let account = self.crm.read_account(id, known.as_deref()).await?;
            Ok(account.map(Arc::new))
        };
        self.accounts.get(&id, &terms, load).await
    }

    fn cached(&self, id: AccountId) -> Option<Arc<Account>> {
        self.accounts.last(&id).flatten()
    }

    async fn search(&self, text: &str, top: usize) -> Result<Arc<Vec<Account>>, CrmError> {
        let terms = Terms {
            context: &self.context,
            fresh_for: |_: &Arc<Vec<Account>>| self.settings.search_fresh_for,
            shown_unchecked_for: self.settings.shown_unchecked_for,
            change: || self.changes.of_any(),
        };
        let load = |_| async move { self.crm.search_accounts(text, top).await.map(Arc::new) };
        self.searches.get(&(fold(text), top), &terms, load).await
    }

    fn invalidate(&self, id: AccountId) {
        self.changes.account_changed(id);
    }

    fn refresh(&self, account: Account) {
        let id = account.id;
        self.changes.account_changed(id);
        let change = self.changes.of_account(id);
        let now = self.context.now();
        self.accounts.put(id, Some(Arc::new(account)), now, change);
    }

    fn invalidate_all(&self) {
        self.changes.all_changed();
    }
}

impl std::fmt::Debug for CachedAccounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CachedAccounts")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
