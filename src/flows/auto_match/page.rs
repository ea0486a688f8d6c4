//! Writing one page of decisions, in one transaction that re-checks all that a decision stands on.

use std::collections::{HashMap, HashSet};

use super::basis::Basis;
use super::decided::{Decided, Outcome};
use super::tenants::{another_tenant, by_identity, wanted_by_several};
use super::{PROGRESS_EVERY, Purpose, Run};
use crate::domain::ids::ProviderAccountId;
use crate::domain::mapping::{MappedBy, Mapping, MatchEvidence, Reason};
use crate::flows::FlowError;
use crate::flows::matcher::Moment;
use crate::store::mappings::suggestions::{self, NamedSuggestion};
use crate::store::mappings::{self, Change, Locked};
use crate::store::mappings::{rejections, tenants, unique};
use crate::store::{WriteTx, directory_mark, jobs, settings};

/// A person who takes an Account at the same instant makes the unique index refuse the whole page; then it is done again,
/// so many times.
const TRIES: usize = 3;

/// What a transaction came to.
#[derive(Debug, Clone, Copy, Default)]
struct Written {
    mapped: u64,
    /// To be written, but something had changed.
    unsettled: u64,
    /// Whether the basis stood; if not, nothing was written.
    stands: bool,
}

impl Run<'_> {
    /// Writes what a page of decisions changes; nothing changed, no transaction. False when the basis no longer stands.
    pub(super) async fn keep_page(
        &mut self,
        mut decided: Vec<Decided>,
        moment: Moment,
        basis: &Basis,
    ) -> Result<bool, FlowError> {
        if let Purpose::Plan(id) = self.purpose {
            return self.plan_page(decided, id).await;
        }
        // What is held back for another mapping's sake is asked again, because that mapping may go.
        let lasts = |decided: &&Decided| decided.target().is_none() || !self.may_map();
        let settled = decided.iter().filter(lasts);
        let settled: Vec<_> = settled.map(|decided| decided.account.clone()).collect();
        self.hold_back(&mut decided).await?;
        let ids: Vec<_> = decided.iter().map(|decided| decided.account.id).collect();
        let known = suggestions::of(self.flows.store.reader(), &ids).await?;
        let all = decided.len();
        let mut matched = self.matched;
        decided.retain(|decided| match &decided.outcome {
            Outcome::Map(_) => true,
            Outcome::Suggest(made) => {
                matched.count(made);
                known
                    .get(&decided.account.id)
                    .map(Vec::as_slice)
                    .unwrap_or_default()
                    != made
            }
        });
        let now = self.flows.context.now();
        let mut written = Written {
            stands: true,
            ..Written::default()
        };
        if !decided.is_empty() || now - self.progress_saved_at >= PROGRESS_EVERY {
            self.progress_saved_at = now;
            self.matched.considered += all as u64;
            written = self.write_page_patiently(&decided, basis).await?;
        }
        if written.stands {
            self.matched = matched;
            self.matched.mapped += written.mapped;
            self.matched.unsettled += written.unsettled;
            let settings = self.settings_mark();
            let matcher = &self.flows.matcher;
            matcher.settled(settled.iter(), settings, moment);
        } else {
            self.matched.unsettled += all.max(1) as u64;
        }
        Ok(written.stands)
    }

    /// Makes suggestions of what may not be mapped by itself.
    pub(super) async fn hold_back(&self, decided: &mut [Decided]) -> Result<(), FlowError> {
        let reader = self.flows.store.reader();
        if self.by_engine() {
            let ids: Vec<&str> = decided
                .iter()
                .filter_map(|decided| decided.account.tenant_id.as_deref())
                .collect();
            let mapped = tenants::of_tenants(reader, &ids).await?;
            by_identity(decided, &mapped, &*self.flows.directory);
        }
        let sure = decided.iter().filter(|decided| decided.target().is_some());
        let sure: Vec<ProviderAccountId> = sure.map(|decided| decided.account.id).collect();
        let taken_away = mappings::taken_away(reader, &sure).await?;
        let targets: Vec<_> = decided.iter().filter_map(Decided::target).collect();
        let holders = if self.settings.unique_mapping {
            unique::holder_of_each(reader, &targets).await?
        } else {
            HashMap::new()
        };
        let (beside, several) = if self.by_engine() {
            let beside = tenants::at_accounts(reader, &targets).await?;
            (beside, wanted_by_several(decided))
        } else {
            (Vec::new(), HashSet::new())
        };
        for decided in &mut *decided {
            let Some(target) = decided.target() else {
                continue;
            };
            if !self.may_map() {
                decided.only_suggest("auto-match is switched off");
            } else if taken_away.contains(&(decided.account.id, target)) {
                decided.only_suggest("this mapping was made before and taken away again");
            } else if let Some(holder) = holders.get(&target) {
                decided.only_suggest(&format!(
                    "the provider account {} has this account already, and only one may",
                    holder.name
                ));
            } else if let Some(other) = another_tenant(&decided.account, target, &beside) {
                decided.only_suggest(&format!(
                    "{}, another tenant of the same provider, is mapped to this account already",
                    other.name
                ));
            } else if several.contains(&target) {
                decided.only_suggest("several tenants of the same provider lead to this account");
            } else if self.claims.get(&target).is_some_and(|claims| *claims > 1) {
                decided.only_suggest(
                    "several provider accounts lead to this account, and only one may have it",
                );
            }
        }
        self.leave_out_rejected(decided).await
    }

    /// What a person rejected does not come back on the same evidence; on other evidence it comes back to a person.
    async fn leave_out_rejected(&self, decided: &mut [Decided]) -> Result<(), FlowError> {
        let ids: Vec<_> = decided.iter().map(|decided| decided.account.id).collect();
        let rejected = rejections::of(self.flows.store.reader(), &ids).await?;
        if rejected.is_empty() {
            return Ok(());
        }
        for decided in decided {
            let id = decided.account.id;
            let same = |account, reasons: &[Reason]| {
                let known = rejected.get(&(id, account));
                known.is_some_and(|known| *known == rejections::evidence_digest(reasons))
            };
            match &mut decided.outcome {
                Outcome::Map(sure) if same(sure.to.id, &sure.reasons) => {
                    decided.outcome = Outcome::Suggest(Vec::new());
                }
                Outcome::Map(sure) if rejected.contains_key(&(id, sure.to.id)) => {
                    decided.only_suggest("this suggestion was rejected before, on other evidence");
                }
                Outcome::Map(_) => {}
                Outcome::Suggest(made) => {
                    made.retain(|it| !same(it.suggestion.account_id, &it.suggestion.reasons));
                }
            }
        }
        Ok(())
    }

    async fn write_page_patiently(
        &self,
        decided: &[Decided],
        basis: &Basis,
    ) -> Result<Written, FlowError> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.write_page(decided, basis).await {
                Err(FlowError::Store(error)) if error.is_unique_violation() && tries < TRIES => {}
                other => return other,
            }
        }
    }

    async fn write_page(&self, decided: &[Decided], basis: &Basis) -> Result<Written, FlowError> {
        let flows = self.flows;
        let tx = flows.store.begin().await?;
        jobs::guard(&tx, self.lease).await?;
        let settings = settings::hold(&tx).await?;
        let mut written = Written {
            stands: basis.stands(&tx).await?,
            ..Written::default()
        };
        if written.stands {
            let ids: Vec<_> = decided.iter().map(|decided| decided.account.id).collect();
            let mut locked = mappings::lock(&tx, &ids).await?;
            locked.retain(|of| of.mapping.open_to_auto_match());
            let made = suggestions_of(decided, &locked);
            suggestions::replace(&tx, &made).await?;
            if self.may_map() && settings.auto_match == self.settings.auto_match {
                let changes = self
                    .changes(&tx, decided, locked, settings.unique_mapping)
                    .await?;
                written.mapped = changes.len() as u64;
                flows
                    .write_mappings(&tx, &self.by, settings.unique_mapping, &changes)
                    .await?;
            }
        }
        let sure = decided.iter().filter(|decided| decided.target().is_some());
        written.unsettled = sure.count() as u64 - written.mapped;
        self.tell_progress(&tx).await?;
        tx.commit().await?;
        Ok(written)
    }

    pub(super) async fn tell_progress(&self, tx: &WriteTx) -> Result<(), FlowError> {
        let matched = &self.matched;
        let done = matched.considered + matched.unchanged + matched.waiting_for_details;
        let total = self.total.max(done);
        Ok(jobs::progress(tx, self.lease, as_i64(done), Some(as_i64(total))).await?)
    }

    /// The mappings to be made: those whose Provider Account is still as it was when it was decided, and whose Account
    /// the mirror of the CRM still shows as it was, in the version that was judged.
    pub(super) async fn changes(
        &self,
        tx: &WriteTx,
        decided: &[Decided],
        locked: Vec<Locked>,
        insist_on_unique: bool,
    ) -> Result<Vec<Change>, FlowError> {
        let targets: Vec<_> = decided.iter().filter_map(Decided::target).collect();
        let versions = directory_mark::active_versions(&**tx, &targets).await?;
        let holders = if insist_on_unique {
            unique::holder_of_each(&**tx, &targets).await?
        } else {
            HashMap::new()
        };
        let beside = if self.by_engine() {
            tenants::at_accounts(&**tx, &targets).await?
        } else {
            Vec::new()
        };
        let decided: HashMap<_, _> = decided
            .iter()
            .map(|decided| (decided.account.id, decided))
            .collect();
        let at = self.flows.context.now();
        let mut changes = Vec::with_capacity(locked.len());
        for of in locked {
            let Some(Decided {
                account,
                outcome: Outcome::Map(sure),
            }) = decided.get(&of.id)
            else {
                continue;
            };
            let same_account = versions.get(&sure.to.id) == Some(&sure.to.row_version);
            let free = !holders.contains_key(&sure.to.id)
                && another_tenant(&of, sure.to.id, &beside).is_none();
            if *account == *of && same_account && free {
                let to = Mapping::Mapped {
                    account_id: sure.to.id,
                    account_name: sure.to.name.clone(),
                    by: MappedBy::AutoMatch,
                    at,
                };
                changes.push(Change {
                    of,
                    to,
                    reason: Some(in_words(&sure.reasons)),
                    evidence: Some(MatchEvidence {
                        confidence: sure.confidence,
                        reasons: sure.reasons.clone(),
                    }),
                    cut_over: None,
                });
            }
        }
        Ok(changes)
    }
}

/// The suggestions for those that are still open to auto-match.
fn suggestions_of(
    decided: &[Decided],
    locked: &[Locked],
) -> Vec<(ProviderAccountId, Vec<NamedSuggestion>)> {
    let open: HashSet<_> = locked.iter().map(|of| of.id).collect();
    let made = decided.iter().filter_map(|decided| match &decided.outcome {
        Outcome::Suggest(made) => Some((decided.account.id, made.clone())),
        Outcome::Map(_) => None,
    });
    made.filter(|(id, _)| open.contains(id)).collect()
}

/// What speaks for it, in one line.
fn in_words(reasons: &[Reason]) -> String {
    let speaks_for = |reason: &&Reason| reason.weight.is_none_or(|weight| weight > 0.0);
    let texts: Vec<_> = reasons
        .iter()
        .filter(speaks_for)
        .map(|reason| reason.text.as_str())
        .collect();
    texts.join("; ")
}

fn as_i64(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
