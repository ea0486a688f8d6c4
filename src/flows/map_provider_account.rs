//! Map and remap (B4): what a person says, checked against the CRM as it is now. The Account is read live before the
//! transaction (decision 6); what is guarded (expectation, one-to-one) is judged inside it, under the lock of the row.
//!
//! What surprises: asking for the mapping that is there already succeeds whatever was expected, so that a caller who lost
//! our answer can simply ask again (decision 10; RFC 9110, 13.1.1 allows it for `If-Match`).

use std::collections::HashSet;

use chrono::NaiveDate;

use super::mapping::{Expectation, MappingOutcome, checked_reason, mapping_json};
use super::mapping_preview::checked_cut_over;
use super::{FlowError, Flows};
use crate::domain::account::{Account, AccountState};
use crate::domain::caller::Caller;
use crate::domain::ids::{AccountId, ProviderAccountId};
use crate::domain::mapping::{MappedBy, Mapping, MappingState};
use crate::store::mappings::Change;
use crate::store::mappings::unique::{self, Holder};
use crate::store::{StoreError, WriteTx, settings};

/// Which Account a Provider Account is to be mapped to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapRequest {
    /// The Account; a merged one means its survivor.
    pub account_id: AccountId,
    /// Why, in the caller's words.
    pub reason: Option<String>,
    /// What the caller believes to be there now.
    pub expected: Expectation,
}

impl Flows {
    /// Maps or remaps a Provider Account on a person's behalf.
    ///
    /// # Errors
    /// When the caller may not; when there is no such Provider Account or it is excluded; when the Account does not
    /// exist or is not active; when the expectation does not hold; when one-to-one is insisted on and the Account is
    /// taken; when the CRM cannot be asked.
    pub async fn map_provider_account(
        &self,
        caller: &Caller,
        id: ProviderAccountId,
        request: &MapRequest,
    ) -> Result<MappingOutcome, FlowError> {
        self.map_from(caller, id, request, None).await
    }

    /// The same; what became effective before the cut-over date and is not invoiced stays where it is billed (B15).
    ///
    /// # Errors
    /// As [`Self::map_provider_account`], and when the date lies ahead.
    pub async fn map_from(
        &self,
        caller: &Caller,
        id: ProviderAccountId,
        request: &MapRequest,
        cut_over: Option<NaiveDate>,
    ) -> Result<MappingOutcome, FlowError> {
        let now = self.account_to_change(caller, id).await?;
        checked_reason(request.reason.as_deref())?;
        let cut_over = checked_cut_over(cut_over, self.context.now())?;
        if now.mapping.account_id() == Some(request.account_id) {
            return Ok(MappingOutcome::unchanged(now));
        }
        let account = self.live_account(request.account_id).await?;
        let tx = self.store.begin().await?;
        let mapped = self.map_in(&tx, caller, id, &account, request, cut_over);
        match mapped.await {
            Err(FlowError::Store(error)) if error.is_unique_violation() => {
                drop(tx);
                // Somebody took the Account between our look and our write: the index refused, and says not who.
                Err(self.taken_by_another(&account, id, error).await)
            }
            Ok(outcome) if outcome.changed => {
                tx.commit().await?;
                Ok(outcome)
            }
            other => other,
        }
    }

    /// Maps it in a transaction, which the caller commits or takes back.
    pub(super) async fn map_in(
        &self,
        tx: &WriteTx,
        caller: &Caller,
        id: ProviderAccountId,
        account: &Account,
        request: &MapRequest,
        cut_over: Option<NaiveDate>,
    ) -> Result<MappingOutcome, FlowError> {
        let reason = checked_reason(request.reason.as_deref())?;
        let unique = settings::hold(tx).await?.unique_mapping;
        let of = self.lock_provider_account(tx, id).await?;
        if of.mapping.account_id() == Some(account.id) {
            return Ok(MappingOutcome::unchanged((*of).clone()));
        }
        request.expected.check(&of)?;
        if of.mapping.state() == MappingState::Excluded {
            return Err(FlowError::Conflict {
                detail: "the provider account is excluded from mapping; include it again before you map it".to_owned(),
                current: mapping_json(&of),
            });
        }
        if unique {
            let holders = unique::holders(&**tx, &[account.id]).await?;
            if let Some(holder) = holders
                .iter()
                .find(|holder| holder.provider_account_id != id)
            {
                return Err(taken(account, holder));
            }
        }
        let to = Mapping::Mapped {
            account_id: account.id,
            account_name: account.name.clone(),
            by: MappedBy::Person,
            at: self.context.now(),
        };
        let change = Change {
            cut_over,
            ..Change::by_hand(of, to, reason)
        };
        let written = self.write_mappings(tx, caller, unique, &[change]).await?;
        let account = written.into_iter().next();
        account
            .map(MappingOutcome::changed)
            .ok_or_else(|| FlowError::not_found("provider account", id))
    }

    async fn taken_by_another(
        &self,
        account: &Account,
        id: ProviderAccountId,
        refused: StoreError,
    ) -> FlowError {
        match unique::holders(self.store.reader(), &[account.id]).await {
            Ok(holders) => holders
                .iter()
                .find(|holder| holder.provider_account_id != id)
                .map_or(FlowError::Store(refused), |holder| taken(account, holder)),
            Err(error) => FlowError::Store(error),
        }
    }

    /// The Account as the CRM shows it now, a merged one followed to its survivor. Never answered from the cache alone: the
    /// cached copy only saves the CRM from sending what has not changed.
    ///
    /// # Errors
    /// When it does not exist or is not active, or the CRM cannot be asked.
    pub(super) async fn live_account(&self, id: AccountId) -> Result<Account, FlowError> {
        let mut seen = HashSet::new();
        let mut next = id;
        while seen.insert(next) {
            let known = self.accounts.cached(next);
            let Some(account) = self.crm.read_account(next, known.as_deref()).await? else {
                self.accounts.invalidate(next);
                return Err(FlowError::Invalid(format!(
                    "there is no account {next} in the CRM; search for the account and use its id"
                )));
            };
            if known.as_deref() != Some(&account) {
                self.accounts.refresh(account.clone());
            }
            match account.state {
                AccountState::Active => return Ok(account),
                AccountState::Merged(into) => next = into,
                AccountState::Inactive => {
                    return Err(FlowError::Invalid(format!(
                        "account {} ({next}) is deactivated in the CRM; activate it there, or choose another account",
                        account.name
                    )));
                }
            }
        }
        Err(FlowError::Invalid(format!(
            "account {id} was merged into others in a circle, without an end to be found; mend the merge in the CRM, or choose another account"
        )))
    }
}

fn taken(account: &Account, holder: &Holder) -> FlowError {
    FlowError::Conflict {
        detail: format!(
            "account {} is already mapped to the provider account {} ({}), and the setting uniqueMapping allows one only; \
             unmap that one first, or switch the setting off",
            account.name, holder.name, holder.provider_account_id
        ),
        current: serde_json::json!({ "accountId": account.id, "accountName": account.name, "heldBy": holder }),
    }
}
