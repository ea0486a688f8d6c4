//! Reading the CRM's Accounts through the cache (H5): one by id, several by search.

use std::sync::Arc;

use super::{FlowError, Flows};
use crate::domain::account::Account;
use crate::domain::caller::{Caller, Permission};
use crate::domain::ids::AccountId;

/// Accounts of one search at most.
pub const MOST_ACCOUNTS: usize = 50;
const LONGEST_SEARCH: usize = 200;

impl Flows {
    /// One Account, from the cache when it is fresh.
    ///
    /// # Errors
    /// When the caller may not, there is no such Account, or the CRM has to be asked and cannot be.
    pub async fn get_account(
        &self,
        caller: &Caller,
        id: AccountId,
    ) -> Result<Arc<Account>, FlowError> {
        caller.require(Permission::Read)?;
        self.accounts.account(id).await?.ok_or_else(|| FlowError::not_found("account", id))
    }

    /// Accounts whose name, number or domain match, best first.
    ///
    /// # Errors
    /// When the caller may not, the text is empty or too long, or the CRM has to be asked and cannot be.
    pub async fn search_accounts(
        &self,
        caller: &Caller,
        text: &str,
        top: usize,
    ) -> Result<Arc<Vec<Account>>, FlowError> {
        caller.require(Permission::Read)?;
        let text = text.trim();
        if text.is_empty() || text.chars().count() > LONGEST_SEARCH {
            return Err(FlowError::Invalid(format!(
                "a search has 1 to {LONGEST_SEARCH} characters: part of the account's name, its number or a domain"
            )));
        }
        Ok(self.accounts.search(text, top.clamp(1, MOST_ACCOUNTS)).await?)
    }
}
