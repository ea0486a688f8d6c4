//! Plan, apply, undo (B4): the Jobs. A plan is what a run would map, saved. Applying decides each chosen Provider Account
//! again, on the evidence of now and under the same transaction as any auto-match; what no longer leads to the planned
//! Account is told and left alone. Undoing takes back only what is still as the plan made it.
//!
//! A killed Job goes on: what is to be done is a state of the items, and each page commits with theirs.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::basis::Basis;
use super::decided::{Decided, Outcome};
use super::{MOST_PASSES, NOT_READ_YET, PAGE, Purpose, Run};
use crate::domain::caller::Caller;
use crate::domain::ids::{MatchPlanId, ProviderAccountId};
use crate::domain::job::JobLease;
use crate::domain::mapping::Mapping;
use crate::domain::match_plan::{PlanItem, PlanItemState};
use crate::flows::mapping::in_words;
use crate::flows::{FlowError, Flows};
use crate::matching::retrieve::Scratch;
use crate::store::mappings::{self, Change};
use crate::store::match_plans::{self, Step};
use crate::store::{WriteTx, jobs, provider_accounts, settings};

/// A page that the unique index refuses is done again, so many times.
const TRIES: usize = 3;

impl Flows {
    /// Makes a plan; it has the Job's id. The result names it and its counts.
    ///
    /// # Errors
    /// When the lease was lost or the store refuses. A later try begins anew.
    pub async fn plan_auto_match(&self, lease: JobLease) -> Result<Value, FlowError> {
        let id = MatchPlanId::new(lease.job_id.as_uuid());
        let mut run = self.begin_matching(lease, Purpose::Plan(id)).await?;
        let Some(basis) = Basis::of(self).await? else {
            return Ok(json!({ "note": NOT_READ_YET }));
        };
        let job = jobs::find(self.store.reader(), lease.job_id).await?;
        let by = job.map(|job| job.requested_by).unwrap_or_default();
        let tx = self.store.begin().await?;
        jobs::guard(&tx, lease).await?;
        match_plans::begin(&tx, id, &by, self.context.now()).await?;
        tx.commit().await?;
        run.pass(&basis).await?;
        let tx = self.store.begin().await?;
        jobs::guard(&tx, lease).await?;
        match_plans::note(&tx, id, Step::Made, self.context.now()).await?;
        tx.commit().await?;
        let matched = run.matched;
        Ok(json!({
            "planId": id,
            "mode": run.settings.auto_match,
            "planned": matched.mapped,
            "considered": matched.considered,
            "suggested": matched.suggested,
            "withoutMatch": matched.without_match,
            "waitingForDetails": matched.waiting_for_details,
        }))
    }

    /// Applies what was chosen of a plan.
    ///
    /// # Errors
    /// As [`Self::plan_auto_match`]; pages done are kept.
    pub async fn apply_match_plan(
        &self,
        id: MatchPlanId,
        lease: JobLease,
    ) -> Result<Value, FlowError> {
        let mut run = self.begin_matching(lease, Purpose::Apply).await?;
        let plan = match_plans::find(self.store.reader(), id)
            .await?
            .ok_or_else(|| FlowError::not_found("match plan", id))?;
        let by = plan.applied.map(|(by, _)| by).unwrap_or_default();
        for pass in 0..MOST_PASSES {
            if pass > 0 {
                self.catch_up().await?;
            }
            let Some(basis) = Basis::of(self).await? else {
                run.note = Some(NOT_READ_YET);
                break;
            };
            if run.settings.unique_mapping {
                run.count_claims().await?;
            }
            if run.apply_pass(id, &by, &basis).await? {
                break;
            }
        }
        self.plan_counts(id, run.note).await
    }

    /// Takes back what was chosen of a plan and is still as the plan made it.
    ///
    /// # Errors
    /// As [`Self::plan_auto_match`]; pages done are kept.
    pub async fn undo_match_plan(
        &self,
        id: MatchPlanId,
        lease: JobLease,
    ) -> Result<Value, FlowError> {
        let by = Caller::service(lease.job_id);
        loop {
            let reader = self.store.reader();
            let items =
                match_plans::items(reader, id, Some(PlanItemState::Undoing), None, PAGE).await?;
            if items.is_empty() {
                return self.plan_counts(id, None).await;
            }
            let tx = self.store.begin().await?;
            jobs::guard(&tx, lease).await?;
            let unique = settings::hold(&tx).await?.unique_mapping;
            let changes = self.undo_items(&tx, id, &items).await?;
            self.write_mappings(&tx, &by, unique, &changes).await?;
            tx.commit().await?;
        }
    }

    async fn undo_items(
        &self,
        tx: &WriteTx,
        id: MatchPlanId,
        items: &[PlanItem],
    ) -> Result<Vec<Change>, FlowError> {
        let ids: Vec<_> = items.iter().map(|item| item.provider_account_id).collect();
        let mut locked: HashMap<_, _> = mappings::lock(tx, &ids)
            .await?
            .into_iter()
            .map(|of| (of.id, of))
            .collect();
        let since = self.context.now();
        let mut changes = Vec::with_capacity(items.len());
        for item in items {
            let of = locked.remove(&item.provider_account_id);
            let (state, detail) = match of {
                Some(of)
                    if Some(of.mapping_version) == item.applied_version
                        && of.mapping.account_id() == Some(item.account_id) =>
                {
                    let reason = "the plan that made it was undone".to_owned();
                    changes.push(Change::by_hand(
                        of,
                        Mapping::Unmapped { since },
                        Some(reason),
                    ));
                    (PlanItemState::Undone, None)
                }
                Some(of) => {
                    let detail = format!("changed since: it is {} now", in_words(&of.mapping));
                    (PlanItemState::Kept, Some(detail))
                }
                None => (PlanItemState::Kept, Some("it is gone".to_owned())),
            };
            let of = item.provider_account_id;
            match_plans::settle(tx, id, of, state, detail.as_deref(), None).await?;
        }
        Ok(changes)
    }

    async fn plan_counts(
        &self,
        id: MatchPlanId,
        note: Option<&'static str>,
    ) -> Result<Value, FlowError> {
        let counts = match_plans::counts(self.store.reader(), id).await?;
        let counts: HashMap<_, _> = counts
            .into_iter()
            .map(|(state, rows)| (state.name(), rows))
            .collect();
        Ok(match note {
            Some(note) => json!({ "planId": id, "items": counts, "note": note }),
            None => json!({ "planId": id, "items": counts }),
        })
    }
}

impl Run<'_> {
    /// Saves what a page of decisions would map.
    pub(super) async fn plan_page(
        &mut self,
        mut decided: Vec<Decided>,
        id: MatchPlanId,
    ) -> Result<bool, FlowError> {
        self.hold_back(&mut decided).await?;
        self.matched.considered += decided.len() as u64;
        let mut items = Vec::new();
        for decided in decided {
            match decided.outcome {
                Outcome::Map(sure) => items.push(PlanItem {
                    provider_account_id: decided.account.id,
                    name: decided.account.name,
                    account_id: sure.to.id,
                    account_name: sure.to.name,
                    confidence: sure.confidence,
                    reasons: sure.reasons,
                    mapping_version: decided.account.mapping_version,
                    state: PlanItemState::Planned,
                    detail: None,
                    applied_version: None,
                }),
                Outcome::Suggest(made) => self.matched.count(&made),
            }
        }
        self.matched.mapped += items.len() as u64;
        let tx = self.flows.store.begin().await?;
        jobs::guard(&tx, self.lease).await?;
        match_plans::add(&tx, id, &items).await?;
        self.tell_progress(&tx).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Applies page after page; false when the basis no longer stands.
    async fn apply_pass(
        &mut self,
        id: MatchPlanId,
        by: &str,
        basis: &Basis,
    ) -> Result<bool, FlowError> {
        loop {
            let reader = self.flows.store.reader();
            let items =
                match_plans::items(reader, id, Some(PlanItemState::Applying), None, PAGE).await?;
            if items.is_empty() {
                return Ok(true);
            }
            let (decided, refused) = self.decide_items(&items).await?;
            let mut tries = 0;
            let stands = loop {
                tries += 1;
                let written = self.apply_page(id, by, &decided, &refused, basis).await;
                match written {
                    Err(FlowError::Store(error))
                        if error.is_unique_violation() && tries < TRIES => {}
                    other => break other?,
                }
            };
            if !stands {
                return Ok(false);
            }
        }
    }

    /// The decisions of now for items that still lead where the plan says, and why the others do not.
    async fn decide_items(
        &mut self,
        items: &[PlanItem],
    ) -> Result<(Vec<Decided>, Vec<(ProviderAccountId, String)>), FlowError> {
        let ids: Vec<_> = items.iter().map(|item| item.provider_account_id).collect();
        let found = provider_accounts::find_many(self.flows.store.reader(), &ids).await?;
        let mut found: HashMap<_, _> = found.into_iter().map(|it| (it.id, it)).collect();
        let (mut decided, mut refused) = (Vec::new(), Vec::new());
        let mut scratch = Scratch::default();
        for item in items {
            let id = item.provider_account_id;
            match found.remove(&id) {
                None => refused.push((id, "it is gone".to_owned())),
                Some(account) if account.missing_since.is_some() => {
                    let why = "changed since: the provider no longer lists it";
                    refused.push((id, why.to_owned()));
                }
                Some(account)
                    if account.mapping_version != item.mapping_version
                        || !account.mapping.open_to_auto_match() =>
                {
                    let now = in_words(&account.mapping);
                    refused.push((id, format!("changed since: it is {now} now")));
                }
                Some(account) => decided.push(self.decide(account, &mut scratch)),
            }
        }
        self.hold_back(&mut decided).await?;
        let planned: HashMap<_, _> = items
            .iter()
            .map(|item| (item.provider_account_id, item))
            .collect();
        decided.retain(|decided| {
            let id = decided.account.id;
            let wanted = planned.get(&id).map(|item| item.account_id);
            if decided.target() == wanted {
                return true;
            }
            refused.push((id, format!("changed since: {}", why_not(&decided.outcome))));
            false
        });
        Ok((decided, refused))
    }

    async fn apply_page(
        &self,
        id: MatchPlanId,
        by: &str,
        decided: &[Decided],
        refused: &[(ProviderAccountId, String)],
        basis: &Basis,
    ) -> Result<bool, FlowError> {
        let flows = self.flows;
        let tx = flows.store.begin().await?;
        jobs::guard(&tx, self.lease).await?;
        let unique = settings::hold(&tx).await?.unique_mapping;
        if !basis.stands(&tx).await? {
            return Ok(false);
        }
        let ids: Vec<_> = decided.iter().map(|decided| decided.account.id).collect();
        let mut locked = mappings::lock(&tx, &ids).await?;
        locked.retain(|of| of.mapping.open_to_auto_match());
        let mut changes = self.changes(&tx, decided, locked, unique).await?;
        for change in &mut changes {
            let reason = change.reason.take().unwrap_or_default();
            change.reason = Some(format!("plan applied by {by}: {reason}"));
        }
        let written = flows
            .write_mappings(&tx, &self.by, unique, &changes)
            .await?;
        let versions: HashMap<_, _> = written
            .iter()
            .map(|account| (account.id, account.mapping_version))
            .collect();
        for of in ids {
            let version = versions.get(&of).copied();
            let (state, detail) = match version {
                Some(_) => (PlanItemState::Applied, None),
                None => (
                    PlanItemState::Changed,
                    Some("changed since: something moved while the plan was applied"),
                ),
            };
            match_plans::settle(&tx, id, of, state, detail, version).await?;
        }
        for (of, why) in refused {
            let state = PlanItemState::Changed;
            match_plans::settle(&tx, id, *of, state, Some(why), None).await?;
        }
        tx.commit().await?;
        Ok(true)
    }
}

fn why_not(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Map(sure) => format!("the evidence leads to {} now", sure.to.name),
        Outcome::Suggest(made) => made
            .first()
            .and_then(|first| first.suggestion.reasons.last())
            .map_or_else(
                || "the evidence leads to no account now".to_owned(),
                |reason| reason.text.clone(),
            ),
    }
}
