//! Looking up Accounts of the CRM (H5): by id and by search, from the cache while it is fresh.

use std::sync::Arc;

use super::{FlowError, Flows};
use crate::domain::account::Account;
use crate::domain::caller::{Caller, Permission};
use crate::domain::ids::AccountId;

/// Accounts found at most.
pub const MOST_FOUND: usize = 100;
/// What is longer is no name.
const LONGEST_SEARCH: usize = 200;

impl Flows {
    /// One Account.
    ///
    /// # Errors
    /// When the caller may not, there is no such Account, or the CRM fails.
    pub async fn get_account(
        &self,
        caller: &Caller,
        id: AccountId,
    ) -> Result<Arc<Account>, FlowError> {
        caller.require(Permission::Read)?;
        let account = self.accounts.account(id).await?;
        account.ok_or_else(|| FlowError::not_found("account", id))
    }

    /// Accounts whose name, number or domain match `text`, best first, at most `top`.
    ///
    /// # Errors
    /// When the caller may not, the text is too long, or the CRM fails.
    pub async fn search_accounts(
        &self,
        caller: &Caller,
        text: &str,
        top: usize,
    ) -> Result<Arc<Vec<Account>>, FlowError> {
        caller.require(Permission::Read)?;
        let text = text.trim();
        if text.chars().count() > LONGEST_SEARCH {
            return Err(FlowError::Invalid(format!(
                "a search has at most {LONGEST_SEARCH} characters; search for less"
            )));
        }
        Ok(self.accounts.search(text, top.clamp(1, MOST_FOUND)).await?)
    }
}
