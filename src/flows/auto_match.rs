//! Auto-match (B6, B7): the Job that maps what the evidence leaves no doubt about, and makes suggestions of the rest.
//!
//! It looks at unmapped Provider Accounts whose details are complete (decision 7), page by page, decides each by the
//! engine or the classic rule over the directory, and writes a page in one transaction: state, history, audit, events, suggestions.
//! What is mapped or excluded is never touched, and a mapping that somebody took away does not come back by itself.
//!
//! It does nothing while the directory is not complete, and what was decided before the mirror of the CRM moved is not
//! written after it: the second Account at a domain may be what came. It is decided anew instead.
//!
//! Mode `off` makes suggestions only. Where one-to-one is insisted on, an Account that several Provider Accounts lead to
//! goes to none of them by itself: to choose one would be a guess.

mod basis;
pub(super) mod decided;
mod page;
mod plan;
mod tenants;
mod watch;

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde_json::json;

use self::basis::Basis;
use self::decided::Decided;
use super::{FlowError, Flows};
use crate::domain::caller::Caller;
use crate::domain::ids::{AccountId, MatchPlanId};
use crate::domain::job::{JobLease, JobWork};
use crate::domain::mapping::MappingState;
use crate::domain::provider_account::ProviderAccount;
use crate::domain::setting::{AutoMatchMode, OperatorSettings};
use crate::matching::retrieve::Scratch;
use crate::store::provider_accounts::{self, After, Filter};
use crate::store::{jobs, settings};

/// Provider Accounts in one page, and changed in one transaction at most.
const PAGE: u64 = 500;
/// Progress of a run that writes nothing else is saved this often.
const PROGRESS_EVERY: TimeDelta = TimeDelta::seconds(2);
/// Passes at most: another one follows when something changed between decision and write.
const MOST_PASSES: usize = 3;

const NOT_READ_YET: &str =
    "nothing was matched: the accounts of the CRM have not been read completely yet";

/// What a run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Matched {
    /// Unmapped Provider Accounts that were looked at.
    pub considered: u64,
    /// Not looked at: their details are still to come.
    pub waiting_for_details: u64,
    /// Mapped.
    pub mapped: u64,
    /// Left with suggestions.
    pub suggested: u64,
    /// Left with nothing.
    pub without_match: u64,
    /// Left alone, because something changed while they were decided.
    pub unsettled: u64,
}

/// What a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// To map and to suggest, as the settings say.
    Match,
    /// To save what would be mapped.
    Plan(MatchPlanId),
    /// To map what a person chose of a plan.
    Apply,
}

/// One run while it goes on.
struct Run<'a> {
    flows: &'a Flows,
    purpose: Purpose,
    by: Caller,
    lease: JobLease,
    /// As they were at the start; whether mappings may be made is asked again in each transaction.
    settings: OperatorSettings,
    /// How many unmapped Provider Accounts lead to an Account; known only while one-to-one is insisted on.
    claims: HashMap<AccountId, u32>,
    total: u64,
    progress_saved_at: DateTime<Utc>,
    matched: Matched,
    /// Why it did not do all there is to do.
    note: Option<&'static str>,
}

impl Flows {
    /// Runs it over everything unmapped. The result is the counts as JSON.
    ///
    /// # Errors
    /// When the lease was lost or the store refuses. Pages done are kept.
    pub async fn auto_match(&self, lease: JobLease) -> Result<serde_json::Value, FlowError> {
        let mut run = self.begin_matching(lease, Purpose::Match).await?;
        let mut mapped = 0;
        for pass in 0..MOST_PASSES {
            if pass > 0 {
                self.catch_up().await?;
            }
            let Some(basis) = Basis::of(self).await? else {
                run.note = Some(NOT_READ_YET);
                break;
            };
            run.pass(&basis).await?;
            run.matched.considered += mapped;
            mapped += run.matched.mapped;
            if run.matched.unsettled == 0 {
                break;
            }
        }
        run.matched.mapped = mapped;
        if mapped > 0 {
            self.check_mappings_soon(lease).await?;
        }
        let mode = run.settings.auto_match;
        Ok(match run.note {
            Some(note) => json!({ "mode": mode, "counts": run.matched, "note": note }),
            None => json!({ "mode": mode, "counts": run.matched }),
        })
    }
}

impl Flows {
    /// New mappings may differ from those of the same customer at other providers.
    async fn check_mappings_soon(&self, lease: JobLease) -> Result<(), FlowError> {
        let by = Caller::service(lease.job_id);
        let tx = self.store.begin().await?;
        jobs::guard(&tx, lease).await?;
        jobs::enqueue(&tx, &self.context, &by, &JobWork::CheckMappings, None).await?;
        Ok(tx.commit().await?)
    }

    async fn begin_matching(
        &self,
        lease: JobLease,
        purpose: Purpose,
    ) -> Result<Run<'_>, FlowError> {
        let reader = self.store.reader();
        let run = Run {
            flows: self,
            purpose,
            by: Caller::service(lease.job_id),
            lease,
            settings: settings::load(reader).await?,
            claims: HashMap::new(),
            total: provider_accounts::counts(reader, None).await?.unmapped,
            progress_saved_at: self.context.now(),
            matched: Matched::default(),
            note: None,
        };
        let threshold = run.settings.auto_match_threshold;
        self.matcher.set_threshold(threshold);
        self.matcher.count_population(self).await?;
        Ok(run)
    }
}

impl Run<'_> {
    /// A plan may be made and applied by people while nothing is mapped by itself.
    fn may_map(&self) -> bool {
        self.purpose != Purpose::Match || self.settings.auto_match != AutoMatchMode::Off
    }

    fn decide(&self, account: ProviderAccount, scratch: &mut Scratch) -> Decided {
        if self.by_engine() {
            Decided::by_engine(account, &self.flows.matcher, scratch)
        } else {
            Decided::by_rule(account, &*self.flows.directory)
        }
    }

    /// The engine makes the suggestions too while nothing is mapped by itself.
    const fn by_engine(&self) -> bool {
        !matches!(self.settings.auto_match, AutoMatchMode::Classic)
    }

    /// Matches everything unmapped on one basis; stops as soon as that no longer stands.
    async fn pass(&mut self, basis: &Basis) -> Result<(), FlowError> {
        if self.settings.unique_mapping {
            self.count_claims().await?;
        }
        self.matched = Matched::default();
        let mut after = None;
        loop {
            let (decided, next) = self.decide_page(after.as_ref()).await?;
            let stands = self.keep_page(decided, basis).await?;
            match next {
                Some(next) if stands => after = Some(next),
                _ => return Ok(()),
            }
        }
    }

    /// Decides the next page of unmapped accounts that can be decided.
    async fn decide_page(
        &mut self,
        after: Option<&After>,
    ) -> Result<(Vec<Decided>, Option<After>), FlowError> {
        let filter = Filter {
            state: Some(MappingState::Unmapped),
            ..Filter::default()
        };
        let reader = self.flows.store.reader();
        let listing = provider_accounts::list(reader, &filter, after, PAGE).await?;
        let mut decided = Vec::with_capacity(listing.accounts.len());
        let mut scratch = Scratch::default();
        for account in listing.accounts {
            if account.missing_since.is_some() {
                continue;
            }
            if !account.details_complete() {
                self.matched.waiting_for_details += 1;
                continue;
            }
            decided.push(self.decide(account, &mut scratch));
        }
        Ok((decided, listing.after))
    }

    /// A first look at everything, to know which Accounts are wanted by several.
    async fn count_claims(&mut self) -> Result<(), FlowError> {
        self.claims.clear();
        let mut after = None;
        loop {
            let (decided, next) = self.decide_page(after.as_ref()).await?;
            for target in decided.iter().filter_map(Decided::target) {
                *self.claims.entry(target).or_default() += 1;
            }
            match next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        Ok(())
    }
}
