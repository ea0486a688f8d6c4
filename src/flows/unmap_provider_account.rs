//! Unmap (B4). Unmapping what has no Account succeeds and does nothing, an excluded one too: there is nothing to take away.

use super::mapping::{Expectation, MappingOutcome, checked_reason};
use super::{FlowError, Flows};
use crate::domain::caller::Caller;
use crate::domain::ids::ProviderAccountId;
use crate::domain::job::JobWork;
use crate::domain::mapping::{Mapping, MappingState};
use crate::store::jobs;
use crate::store::mappings::Change;

impl Flows {
    /// Takes the Account away from a Provider Account. Auto-match does not bring the same one back; it is asked for, so that
    /// there are suggestions to choose from.
    ///
    /// # Errors
    /// When the caller may not, there is no such Provider Account, or the expectation does not hold.
    pub async fn unmap_provider_account(
        &self,
        caller: &Caller,
        id: ProviderAccountId,
        reason: Option<&str>,
        expected: Expectation,
    ) -> Result<MappingOutcome, FlowError> {
        let now = self.account_to_change(caller, id).await?;
        let reason = checked_reason(reason)?;
        if now.mapping.state() != MappingState::Mapped {
            return Ok(MappingOutcome::unchanged(now));
        }
        let tx = self.store.begin().await?;
        let of = self.lock_provider_account(&tx, id).await?;
        if of.mapping.state() != MappingState::Mapped {
            return Ok(MappingOutcome::unchanged((*of).clone()));
        }
        expected.check(&of)?;
        let to = Mapping::Unmapped {
            since: self.context.now(),
        };
        jobs::enqueue(&tx, &self.context, caller, &JobWork::AutoMatch, None).await?;
        self.commit_mapping(tx, caller, false, Change::by_hand(of, to, reason))
            .await
    }
}
