//! Exclude ("never map this one") and include again (B4). Excluding a mapped one takes its Account away.

use super::mapping::{Expectation, MappingOutcome, checked_reason};
use super::{FlowError, Flows};
use crate::domain::caller::Caller;
use crate::domain::ids::ProviderAccountId;
use crate::domain::mapping::{Mapping, MappingState};
use crate::store::mappings::Change;

impl Flows {
    /// Excludes a Provider Account from mapping. One that is excluded already gets the new reason; with
    /// the same reason it stays as it is.
    ///
    /// # Errors
    /// When the caller may not, gives no reason, there is no such Provider Account, or the expectation does not hold.
    pub async fn exclude_provider_account(
        &self,
        caller: &Caller,
        id: ProviderAccountId,
        reason: &str,
        expected: Expectation,
    ) -> Result<MappingOutcome, FlowError> {
        self.account_to_change(caller, id).await?;
        let reason = checked_reason(Some(reason))?.ok_or_else(|| {
            FlowError::Invalid(
                "excluding needs a reason, so that the next person knows why; give one".to_owned(),
            )
        })?;
        let tx = self.store.begin().await?;
        let of = self.lock_provider_account(&tx, id).await?;
        if matches!(&of.mapping, Mapping::Excluded { reason: now, .. } if *now == reason) {
            return Ok(MappingOutcome::unchanged((*of).clone()));
        }
        expected.check(&of)?;
        let to = Mapping::Excluded {
            at: self.context.now(),
            reason: reason.clone(),
        };
        let change = Change::by_hand(of, to, Some(reason));
        self.commit_mapping(tx, caller, false, change).await
    }

    /// Includes an excluded Provider Account again: it is unmapped then. One that is not excluded stays as it is.
    ///
    /// # Errors
    /// When the caller may not, there is no such Provider Account, or the expectation does not hold.
    pub async fn include_provider_account(
        &self,
        caller: &Caller,
        id: ProviderAccountId,
        reason: Option<&str>,
        expected: Expectation,
    ) -> Result<MappingOutcome, FlowError> {
        self.account_to_change(caller, id).await?;
        let reason = checked_reason(reason)?;
        let tx = self.store.begin().await?;
        let of = self.lock_provider_account(&tx, id).await?;
        if of.mapping.state() != MappingState::Excluded {
            return Ok(MappingOutcome::unchanged((*of).clone()));
        }
        expected.check(&of)?;
        let to = Mapping::Unmapped {
            since: self.context.now(),
        };
        self.commit_mapping(tx, caller, false, Change::by_hand(of, to, reason))
            .await
    }
}
