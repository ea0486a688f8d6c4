//! Plans of auto-match (B4): asking for one, reading it, applying and undoing it; and rejecting a suggestion. The work
//! itself is done by Jobs ([`super::auto_match`]).

use serde_json::json;

use super::mapping::checked_reason;
use super::matcher::{reasons_of, rounded};
use super::{FlowError, Flows};
use crate::domain::caller::{Caller, Permission};
use crate::domain::event::provider_account_subject;
use crate::domain::exception::ExceptionKind;
use crate::domain::ids::{AccountId, MatchPlanId, ProviderAccountId};
use crate::domain::job::{Job, JobWork};
use crate::domain::mapping::{MappingState, Suggestion};
use crate::domain::match_plan::{MatchPlan, PlanItem, PlanItemState};
use crate::matching::retrieve::Scratch;
use crate::store::audit::Entry;
use crate::store::mappings::rejections;
use crate::store::mappings::suggestions::{self, NamedSuggestion};
use crate::store::match_plans::{self, Step};
use crate::store::subscriptions::sync;
use crate::store::{WriteTx, audit, exceptions, jobs, provider_accounts};

/// A mapping of a plan, with how many subscriptions of the Provider Account move along.
pub type Moving = (PlanItem, u64);

/// A plan with how many items are in each state.
pub type Counted = (MatchPlan, Vec<(PlanItemState, u64)>);

impl Flows {
    /// Asks for a plan of what auto-match would map now.
    ///
    /// # Errors
    /// When the caller may not.
    pub async fn request_match_plan(&self, caller: &Caller) -> Result<Job, FlowError> {
        caller.require(Permission::Map)?;
        let tx = self.store.begin().await?;
        let job = self
            .queue_for_plan(&tx, caller, &JobWork::PlanAutoMatch)
            .await?;
        tx.commit().await?;
        Ok(job)
    }

    /// One plan.
    ///
    /// # Errors
    /// When the caller may not, or there is no such plan.
    pub async fn get_match_plan(
        &self,
        caller: &Caller,
        id: MatchPlanId,
    ) -> Result<Counted, FlowError> {
        caller.require(Permission::Read)?;
        let reader = self.store.reader();
        let plan = match_plans::find(reader, id)
            .await?
            .ok_or_else(|| FlowError::not_found("match plan", id))?;
        Ok((plan, match_plans::counts(reader, id).await?))
    }

    /// The latest plans, newest first.
    ///
    /// # Errors
    /// When the caller may not.
    pub async fn list_match_plans(
        &self,
        caller: &Caller,
        most: u64,
    ) -> Result<Vec<Counted>, FlowError> {
        caller.require(Permission::Read)?;
        let reader = self.store.reader();
        let mut counted = Vec::new();
        for plan in match_plans::latest(reader, most).await? {
            let counts = match_plans::counts(reader, plan.id).await?;
            counted.push((plan, counts));
        }
        Ok(counted)
    }

    /// Items of a plan, after this Provider Account, each with what moves along.
    ///
    /// # Errors
    /// When the caller may not, or there is no such plan.
    pub async fn list_match_plan_items(
        &self,
        caller: &Caller,
        id: MatchPlanId,
        state: Option<PlanItemState>,
        after: Option<ProviderAccountId>,
        most: u64,
    ) -> Result<Vec<Moving>, FlowError> {
        self.get_match_plan(caller, id).await?;
        let (reader, after) = (self.store.reader(), after.map(ProviderAccountId::as_uuid));
        let items = match_plans::items(reader, id, state, after, most).await?;
        let customers: Vec<_> = items.iter().map(|item| item.provider_account_id).collect();
        let counts = sync::count_of_customers(reader, &customers).await?;
        let moving = items.into_iter().map(|item| {
            let subscriptions = counts.get(&item.provider_account_id).copied();
            (item, subscriptions.unwrap_or_default())
        });
        Ok(moving.collect())
    }

    /// Applies a plan, or what was chosen of it. Asked again it does no more than is left.
    ///
    /// # Errors
    /// When the caller may not, there is no such plan, it is not complete, or it is being undone.
    pub async fn request_apply(
        &self,
        caller: &Caller,
        id: MatchPlanId,
        only: Option<&[ProviderAccountId]>,
    ) -> Result<Job, FlowError> {
        let (from, to) = (PlanItemState::Planned, PlanItemState::Applying);
        let work = JobWork::ApplyMatchPlan { plan_id: id };
        let step = Step::Applied(&caller.actor.name);
        self.request_step(caller, (id, step), only, (from, to), &work)
            .await
    }

    /// Undoes a plan, or what was chosen of it. Mappings that somebody changed since stay.
    ///
    /// # Errors
    /// When the caller may not, there is no such plan, or it is being applied.
    pub async fn request_undo(
        &self,
        caller: &Caller,
        id: MatchPlanId,
        only: Option<&[ProviderAccountId]>,
    ) -> Result<Job, FlowError> {
        let (from, to) = (PlanItemState::Applied, PlanItemState::Undoing);
        let work = JobWork::UndoMatchPlan { plan_id: id };
        let step = Step::Undone(&caller.actor.name);
        self.request_step(caller, (id, step), only, (from, to), &work)
            .await
    }

    async fn request_step(
        &self,
        caller: &Caller,
        (id, step): (MatchPlanId, Step<'_>),
        only: Option<&[ProviderAccountId]>,
        (from, to): (PlanItemState, PlanItemState),
        work: &JobWork,
    ) -> Result<Job, FlowError> {
        caller.require(Permission::Map)?;
        let tx = self.store.begin().await?;
        let plan = match_plans::lock(&tx, id)
            .await?
            .ok_or_else(|| FlowError::not_found("match plan", id))?;
        if plan.made_at.is_none() {
            return Err(FlowError::Conflict {
                detail: "the plan is not complete yet; wait for its job to end".to_owned(),
                current: json!({ "planId": id }),
            });
        }
        let moved = match_plans::move_items(&tx, id, only, from, to).await?;
        match_plans::note(&tx, id, step, self.context.now()).await?;
        let job = self.queue_for_plan(&tx, caller, work).await?;
        let entry = Entry {
            action: match step {
                Step::Undone(_) => "match-plan.undone",
                _ => "match-plan.applied",
            },
            subject: format!("match-plan/{id}"),
            after: Some(json!({ "items": moved })),
            ..Entry::default()
        };
        audit::record(&tx, &self.context, caller, entry).await?;
        tx.commit().await?;
        Ok(job)
    }

    /// What the engine would suggest for a Provider Account that is mapped: what a drift points to is rejected the same way.
    async fn candidates_of(
        &self,
        id: ProviderAccountId,
    ) -> Result<Vec<NamedSuggestion>, FlowError> {
        let found = provider_accounts::find(self.store.reader(), id).await?;
        let mapped = found.filter(|account| account.mapping.state() == MappingState::Mapped);
        let Some(account) = mapped else {
            return Ok(Vec::new());
        };
        self.know_directory().await?;
        let decision = self.matcher.decide(&account, &mut Scratch::default());
        let candidates = decision.candidates.iter().filter_map(|candidate| {
            Some(NamedSuggestion {
                account_name: String::new(),
                suggestion: Suggestion {
                    account_id: candidate.account_key.parse().ok()?,
                    confidence: rounded(candidate.confidence),
                    reasons: reasons_of(&candidate.reasons),
                },
            })
        });
        Ok(candidates.collect())
    }

    async fn queue_for_plan(
        &self,
        tx: &WriteTx,
        caller: &Caller,
        work: &JobWork,
    ) -> Result<Job, FlowError> {
        let queued = jobs::enqueue(tx, &self.context, caller, work, None).await?;
        let job = jobs::find(&**tx, queued.job_id())
            .await?
            .ok_or_else(|| FlowError::not_found("job", queued.job_id()))?;
        if job.work != *work {
            return Err(FlowError::Conflict {
                detail: "the plan is being applied or undone; wait for that job to end".to_owned(),
                current: json!({ "jobId": job.id, "kind": job.work.kind() }),
            });
        }
        Ok(job)
    }

    /// Rejects a suggestion: it is remembered with its evidence, and not made again until that is another.
    ///
    /// # Errors
    /// When the caller may not, or nothing like it is or was suggested.
    pub async fn reject_suggestion(
        &self,
        caller: &Caller,
        id: ProviderAccountId,
        account: AccountId,
        reason: Option<&str>,
    ) -> Result<(), FlowError> {
        self.account_to_change(caller, id).await?;
        let reason = checked_reason(reason)?;
        let tx = self.store.begin().await?;
        let of = self.lock_provider_account(&tx, id).await?;
        let mut made = suggestions::of(&*tx, &[id]).await?;
        let mut made = made.remove(&id).unwrap_or_default();
        if made.is_empty() {
            made.extend(self.candidates_of(id).await?);
        }
        let at = made
            .iter()
            .position(|it| it.suggestion.account_id == account);
        let Some(at) = at else {
            let known = rejections::of(&*tx, &[id]).await?;
            return if known.contains_key(&(id, account)) {
                Ok(())
            } else {
                Err(FlowError::not_found("suggestion of account", account))
            };
        };
        let rejected = made.remove(at);
        let evidence = rejections::evidence_digest(&rejected.suggestion.reasons);
        rejections::keep(
            &tx,
            &self.context,
            caller,
            (id, account),
            evidence,
            reason.clone(),
        )
        .await?;
        if of.mapping.open_to_auto_match() {
            suggestions::replace(&tx, &[(id, made)]).await?;
        } else {
            let subject = provider_account_subject(id);
            let kind = ExceptionKind::MappingDrift;
            exceptions::close(&tx, &self.context, kind, &subject).await?;
        }
        let entry = Entry {
            action: "suggestion.rejected",
            subject: provider_account_subject(id),
            before: Some(json!(rejected.suggestion)),
            reason,
            ..Entry::default()
        };
        audit::record(&tx, &self.context, caller, entry).await?;
        Ok(tx.commit().await?)
    }
}
