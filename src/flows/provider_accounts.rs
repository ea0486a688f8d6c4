//! Reading Provider Accounts (B3): the list people work through, one account, the counts.

use super::{FlowError, Flows};
use crate::domain::caller::{Caller, Permission};
use crate::domain::ids::{ProviderAccountId, ProviderId};
use crate::domain::provider_account::ProviderAccount;
use crate::store::provider_accounts;
pub use crate::store::provider_accounts::{After, Counts, Filter, Listing};

/// Rows of a page at most.
pub const MOST_PER_PAGE: u64 = 500;

impl Flows {
    /// One page of Provider Accounts, by name.
    ///
    /// # Errors
    /// When the caller may not.
    pub async fn list_provider_accounts(
        &self,
        caller: &Caller,
        filter: &Filter,
        after: Option<&After>,
        top: u64,
    ) -> Result<Listing, FlowError> {
        caller.require(Permission::Read)?;
        let top = top.clamp(1, MOST_PER_PAGE);
        Ok(provider_accounts::list(self.store.reader(), filter, after, top).await?)
    }

    /// One Provider Account.
    ///
    /// # Errors
    /// When the caller may not, or there is no such account.
    pub async fn get_provider_account(
        &self,
        caller: &Caller,
        id: ProviderAccountId,
    ) -> Result<ProviderAccount, FlowError> {
        caller.require(Permission::Read)?;
        provider_accounts::find(self.store.reader(), id)
            .await?
            .ok_or_else(|| FlowError::not_found("provider account", id))
    }

    /// Counts by state, of one provider or of all.
    ///
    /// # Errors
    /// When the caller may not.
    pub async fn count_provider_accounts(
        &self,
        caller: &Caller,
        provider: Option<ProviderId>,
    ) -> Result<Counts, FlowError> {
        caller.require(Permission::Read)?;
        Ok(provider_accounts::counts(self.store.reader(), provider).await?)
    }
}
