//! The list of exceptions and the care for them (D6): acknowledge, snooze with a reason. Nothing is closed by hand: an
//! exception closes when its fact is mended.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::mapping::checked_reason;
use super::{FlowError, Flows};
use crate::domain::caller::{Caller, Permission};
use crate::domain::exception::KeptException;
use crate::domain::ids::ExceptionId;
use crate::store::audit::Entry;
pub use crate::store::exceptions::care::{After, Filter, KindCount};
use crate::store::exceptions::{care, tally};
use crate::store::{WriteTx, audit};

/// Rows of a page at most.
pub const MOST_PER_PAGE: u64 = 500;
/// Nobody looks at what sleeps longer.
const LONGEST_SNOOZE: TimeDelta = TimeDelta::days(90);

impl Flows {
    /// Open exceptions, the oldest first.
    ///
    /// # Errors
    /// When the caller may not.
    pub async fn list_exceptions(
        &self,
        caller: &Caller,
        filter: &Filter,
        after: Option<After>,
        top: u64,
    ) -> Result<Vec<KeptException>, FlowError> {
        caller.require(Permission::Read)?;
        let now = self.context.now();
        Ok(care::list(self.store.reader(), filter, now, after, top).await?)
    }

    /// How many are open in all.
    ///
    /// # Errors
    /// When the caller may not.
    pub async fn count_open_exceptions(&self, caller: &Caller) -> Result<i64, FlowError> {
        caller.require(Permission::Read)?;
        Ok(tally::open(self.store.reader()).await?)
    }

    /// How many of each kind are open, by age.
    ///
    /// # Errors
    /// When the caller may not.
    pub async fn count_exceptions(&self, caller: &Caller) -> Result<Vec<KindCount>, FlowError> {
        caller.require(Permission::Read)?;
        Ok(tally::counts(self.store.reader(), self.context.now()).await?)
    }

    /// Notes that the caller knows of it and takes care of it.
    ///
    /// # Errors
    /// When the caller may not, there is no such exception, or it is closed.
    pub async fn acknowledge_exception(
        &self,
        caller: &Caller,
        id: ExceptionId,
        reason: &str,
    ) -> Result<KeptException, FlowError> {
        let (tx, before, note) = self.exception_to_care_for(caller, id, reason).await?;
        let mut after = before.clone();
        after.acknowledged_at = Some(self.context.now());
        after.acknowledged_by = Some(caller.actor.name.clone());
        after.note = Some(note);
        let action = "exception.acknowledged";
        self.keep_care(tx, caller, action, &before, after).await
    }

    /// Takes it off the list until then.
    ///
    /// # Errors
    /// When the caller may not, there is no such exception, it is closed, or the instant is past or too far away.
    pub async fn snooze_exception(
        &self,
        caller: &Caller,
        id: ExceptionId,
        until: DateTime<Utc>,
        reason: &str,
    ) -> Result<KeptException, FlowError> {
        let now = self.context.now();
        let (tx, before, note) = self.exception_to_care_for(caller, id, reason).await?;
        if until <= now || until > now + LONGEST_SNOOZE {
            return Err(FlowError::Invalid(format!(
                "`until` must lie in the next {} days",
                LONGEST_SNOOZE.num_days()
            )));
        }
        let mut after = before.clone();
        after.snoozed_until = Some(until);
        after.note = Some(note);
        self.keep_care(tx, caller, "exception.snoozed", &before, after)
            .await
    }

    async fn exception_to_care_for(
        &self,
        caller: &Caller,
        id: ExceptionId,
        reason: &str,
    ) -> Result<(WriteTx, KeptException, String), FlowError> {
        caller.require(Permission::Map)?;
        let note = checked_reason(Some(reason))?.ok_or_else(|| {
            FlowError::Invalid(
                "say why, so that the next person knows: `reason` is empty".to_owned(),
            )
        })?;
        let tx = self.store.begin().await?;
        let known = care::lock(&tx, id)
            .await?
            .ok_or_else(|| FlowError::not_found("exception", id))?;
        match known.closed_at {
            None => Ok((tx, known, note)),
            Some(at) => Err(FlowError::Conflict {
                detail: format!(
                    "the exception closed on {}; there is nothing left to care for",
                    at.date_naive()
                ),
                current: json!({ "exceptionId": id, "closedAt": at }),
            }),
        }
    }

    async fn keep_care(
        &self,
        tx: WriteTx,
        caller: &Caller,
        action: &'static str,
        before: &KeptException,
        after: KeptException,
    ) -> Result<KeptException, FlowError> {
        let summary = |it: &KeptException| {
            json!({
                "acknowledgedBy": it.acknowledged_by,
                "snoozedUntil": it.snoozed_until,
            })
        };
        care::keep(&tx, &after).await?;
        let entry = Entry {
            action,
            subject: format!("exception/{}", after.id),
            before: Some(summary(before)),
            after: Some(summary(&after)),
            reason: after.note.clone(),
        };
        audit::record(&tx, &self.context, caller, entry).await?;
        tx.commit().await?;
        Ok(after)
    }
}
