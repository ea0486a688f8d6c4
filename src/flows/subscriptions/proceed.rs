//! Proceeding with a preview (D2): what was chosen is read again, and taken over if it still is as it was shown. What changed
//! since is told instead; what is good is kept.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::keep::{Decision, Key, LeftOut, Read};
use super::preview::{Preview, PreviewItem, if_open, nobody_to_read, of_kept};
use crate::domain::billing_contract::BillingContract;
use crate::domain::caller::{Caller, Permission};
use crate::domain::ids::PreviewId;
use crate::domain::subscription_run::{RunSource, SubscriptionRun};
use crate::domain::sync_run::RunOutcome;
use crate::flows::stale_sync::Look;
use crate::flows::{FlowError, Flows};
use crate::store::subscriptions::sync::{self, Customer};
use crate::store::{StoreError, billing_contracts, subscription_previews, subscription_runs};

/// What to take over.
#[derive(Debug, Clone)]
pub enum Selection {
    /// Everything that changes anything.
    Everything,
    /// These, by the provider's ids.
    These(Vec<String>),
}

/// A subscription that is no longer as the preview showed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedSince {
    /// As it was shown.
    pub then: PreviewItem,
    /// As it is now; `None` when the provider has it no more and we never kept it.
    pub now: Option<PreviewItem>,
}

/// How it ended.
#[derive(Debug, Clone)]
pub struct Proceeded {
    /// The run, with its report.
    pub run: SubscriptionRun,
    /// Subscriptions that were taken over.
    pub applied: usize,
    /// Subscriptions that were not, because they changed.
    pub changed_since: Vec<ChangedSince>,
    /// Subscriptions that were not, because their customer could not be read, or is no longer the contract's to sync.
    pub unread: Vec<PreviewItem>,
}

fn chosen(
    preview: &Preview,
    selection: &Selection,
) -> Result<BTreeMap<Key, PreviewItem>, FlowError> {
    let all = preview.items.iter().filter(|item| item.does_something());
    let key = |item: &PreviewItem| (item.provider_account_id, item.external_id.clone());
    let ids = match selection {
        Selection::Everything => return Ok(all.map(|item| (key(item), item.clone())).collect()),
        Selection::These(ids) => ids,
    };
    let wanted: BTreeSet<String> = ids
        .iter()
        .map(|id| id.trim().to_ascii_lowercase())
        .collect();
    if wanted.is_empty() {
        return Err(FlowError::Invalid(
            "choose at least one subscription of the preview, or leave the choice out for all of them".to_owned(),
        ));
    }
    let folded = |item: &PreviewItem| item.external_id.to_ascii_lowercase();
    let known: BTreeSet<_> = preview.items.iter().map(folded).collect();
    if let Some(foreign) = wanted.iter().find(|id| !known.contains(*id)) {
        let shown: String = foreign.chars().take(60).collect();
        return Err(FlowError::Invalid(format!(
            "subscription `{shown}` is not in the preview; choose from its items, or make a new preview"
        )));
    }
    let chosen = all.filter(|item| wanted.contains(&folded(item)));
    Ok(chosen.map(|item| (key(item), item.clone())).collect())
}

impl Flows {
    /// Takes over what was chosen of a preview. Proceeding again gives the run of the first time.
    ///
    /// # Errors
    /// When the caller may not, there is no such preview, its contract is closed, something foreign was chosen, or nothing
    /// of what was chosen is as it was shown; then `current` says what changed, and which run has the report of it.
    pub async fn proceed_with_preview(
        &self,
        caller: &Caller,
        id: PreviewId,
        selection: &Selection,
    ) -> Result<Proceeded, FlowError> {
        caller.require(Permission::Sync)?;
        let preview = self.get_subscription_preview(caller, id).await?;
        if let Some(run) = preview.run_id {
            return self.proceeded_before(run).await;
        }
        let contract = self.contract_to_sync(caller, preview.contract_id).await?;
        let chosen = chosen(&preview, selection)?;
        let of: BTreeSet<_> = chosen.keys().map(|(customer, _)| *customer).collect();
        let reader = self.store.reader();
        let mut customers = sync::synced(reader, None, Some(contract.account_id)).await?;
        customers.retain(|customer| of.contains(&customer.id));
        if customers.is_empty() && !of.is_empty() {
            return Err(nobody_to_read(&contract));
        }
        let reads = self.read_customers(&customers).await?;

        let tx = self.store.begin().await?;
        let mapped = self.lock_customers_of(&tx, contract.account_id).await?;
        let kept = subscription_previews::lock(&tx, id).await?;
        let kept = of_kept(kept.ok_or_else(|| FlowError::not_found("preview", id))?)?;
        if let Some(run) = kept.run_id {
            drop(tx);
            return self.proceeded_before(run).await;
        }
        let contract = billing_contracts::lock(&tx, contract.id).await?;
        let contract = if_open(
            contract.ok_or_else(|| FlowError::not_found("billing contract", kept.contract_id))?,
        )?;
        let (reads, left_out) = still_of(&contract, &mapped, reads, &chosen);
        let mut run = self.new_subscription_run(caller, RunSource::Manual);
        run.contract_id = Some(contract.id);
        run.preview_id = Some(id);
        run.finished_at = Some(run.started_at);
        run.outcome = RunOutcome::Complete;
        let mut decision = Decision {
            contract: contract.id,
            currency: contract.terms.currency,
            left_out,
            chosen,
            read: BTreeSet::new(),
            applied: 0,
            changed_since: Vec::new(),
        };
        self.keep_reads(&tx, caller, &mut run, reads, Some(&mut decision))
            .await?;
        let mut proceeded = settled(run, decision);
        let stale = proceeded.applied == 0 && !proceeded.changed_since.is_empty();
        if !proceeded.changed_since.is_empty() || !proceeded.unread.is_empty() {
            proceeded.run.outcome = RunOutcome::Incomplete;
            proceeded.run.note = Some(format!(
                "{} of the chosen subscriptions had changed since the preview, {} are of customers that could not be read or are no longer of the billing contract",
                proceeded.changed_since.len(),
                proceeded.unread.len()
            ));
        }
        subscription_runs::keep(&tx, &proceeded.run).await?;
        if !stale {
            subscription_previews::decide(&tx, id, proceeded.run.id).await?;
        }
        self.tell_of_run(&tx, &proceeded.run).await?;
        self.judge_staleness(&tx, Look::Close).await?;
        tx.commit().await?;
        if stale {
            return Err(all_stale(&proceeded));
        }
        Ok(proceeded)
    }

    async fn proceeded_before(
        &self,
        run: crate::domain::ids::SubscriptionRunId,
    ) -> Result<Proceeded, FlowError> {
        let run = subscription_runs::find(self.store.reader(), run)
            .await?
            .ok_or_else(|| {
                StoreError::impossible("subscription_preview", "run_id", run, "no run")
            })?;
        let counts = run.counts;
        Ok(Proceeded {
            applied: usize::try_from(counts.new + counts.changed + counts.unchanged + counts.gone)
                .unwrap_or_default(),
            run,
            changed_since: Vec::new(),
            unread: Vec::new(),
        })
    }
}

/// The readings of customers that are still mapped to the contract's Account, and whom of the choice nothing may be taken over
/// of: between the preview and this moment another Account may have begun to pay (B1).
fn still_of(
    contract: &BillingContract,
    mapped: &[Customer],
    mut reads: Vec<Read>,
    chosen: &BTreeMap<Key, PreviewItem>,
) -> (Vec<Read>, Vec<LeftOut>) {
    let is_mapped = |id| {
        let mut found = mapped.iter().filter(|customer| customer.id == id);
        found.any(|customer| customer.account_id == Some(contract.account_id))
    };
    reads.retain(|read| is_mapped(read.customer));
    let mut left_out = BTreeMap::new();
    for ((customer, _), then) in chosen {
        if reads.iter().any(|read| read.customer == *customer) {
            continue;
        }
        let name = &then.provider_account_name;
        let why = if is_mapped(*customer) {
            format!(
                "{name} may not be synced since the preview: its sync was switched off, or its provider has it no more; nothing of it was taken over"
            )
        } else {
            format!(
                "{name} is no longer mapped to the account of the billing contract; nothing of it was taken over, sync it from a contract of the account it is mapped to now"
            )
        };
        left_out.entry(*customer).or_insert_with(|| LeftOut {
            customer: *customer,
            name: name.clone(),
            why,
        });
    }
    (reads, left_out.into_values().collect())
}

/// What is left of the choice was on neither side any more, or of a customer that nothing was read of.
fn settled(run: SubscriptionRun, decision: Decision) -> Proceeded {
    let mut changed_since: Vec<_> = decision
        .changed_since
        .into_iter()
        .map(|(then, now)| ChangedSince { then, now })
        .collect();
    let mut unread = Vec::new();
    for ((customer, _), then) in decision.chosen {
        if decision.read.contains(&customer) {
            changed_since.push(ChangedSince { then, now: None });
        } else {
            unread.push(then);
        }
    }
    Proceeded {
        run,
        applied: decision.applied,
        changed_since,
        unread,
    }
}

fn all_stale(proceeded: &Proceeded) -> FlowError {
    let changes: Vec<_> = proceeded
        .changed_since
        .iter()
        .map(|it| json!({ "externalId": it.then.external_id, "name": it.then.name, "then": it.then, "now": it.now }))
        .collect();
    FlowError::Conflict {
        detail: "nothing of what was chosen is as the preview showed it; look at what changed, and make a new preview"
            .to_owned(),
        current: json!({ "changedSince": changes, "syncRunId": proceeded.run.id }),
    }
}
