//! Reading suggestions (B7): what auto-match could not decide by itself, for a person to choose from.

use super::{FlowError, Flows};
use crate::domain::account::AccountState;
use crate::domain::caller::Caller;
use crate::domain::ids::ProviderAccountId;
use crate::domain::mapping::MappingState;
use crate::store::mappings::suggestions::{self, NamedSuggestion};

impl Flows {
    /// The candidates for a Provider Account, the best first. None for one that is mapped or excluded; Accounts that are
    /// no longer active, so far as the directory knows, are left out.
    ///
    /// # Errors
    /// When the caller may not, or there is no such Provider Account.
    pub async fn list_suggestions(
        &self,
        caller: &Caller,
        id: ProviderAccountId,
    ) -> Result<Vec<NamedSuggestion>, FlowError> {
        let account = self.get_provider_account(caller, id).await?;
        if account.mapping.state() != MappingState::Unmapped {
            return Ok(Vec::new());
        }
        let mut found = suggestions::of(self.store.reader(), &[id]).await?;
        let mut named = found.remove(&id).unwrap_or_default();
        named.retain_mut(
            |named| match self.directory.account(named.suggestion.account_id) {
                Some(known) => {
                    named.account_name = known.name;
                    known.state == AccountState::Active
                }
                None => true,
            },
        );
        Ok(named)
    }
}
