//! Auto-match (B6, B7): the Job that maps what the evidence leaves no doubt about, and makes suggestions of the rest.
//!
//! It looks at unmapped Provider Accounts whose details are complete (decision 7), page by page, decides by the engine or
//! the classic rule over the directory those that anything has changed for since they were last decided, and writes a
//! page in one transaction: state, history, audit, events, suggestions.
//! What is mapped or excluded is never touched, and a mapping that somebody took away does not come back by itself.
//!
//! It does nothing while the directory is not complete, nor for a provider while its first listing goes on: a reseller's
//! address looks like one customer's while the others are still to come. What was decided before the mirror of the CRM
//! moved is not written after it: the second Account at a domain may be what came. It is decided anew instead.
//!
//! Mode `off` makes suggestions only. Where one-to-one is insisted on, an Account that several Provider Accounts lead to
//! goes to none of them by itself: to choose one would be a guess.

mod basis;
pub(super) mod decided;
mod page;
mod plan;
mod tenants;
mod watch;

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde_json::json;

use self::basis::Basis;
use self::decided::Decided;
use super::matcher::Moment;
use super::{FlowError, Flows};
use crate::domain::caller::Caller;
use crate::domain::ids::{AccountId, MatchPlanId};
use crate::domain::job::{JobLease, JobWork};
use crate::domain::mapping::MappingState;
use crate::domain::provider_account::ProviderAccount;
use crate::domain::setting::{AutoMatchMode, OperatorSettings};
use crate::matching::retrieve::Scratch;
use crate::matching::text::hash::hash;
use crate::store::mappings::suggestions::NamedSuggestion;
use crate::store::mappings::tenants as mapped_tenants;
use crate::store::provider_accounts::{self, After, Filter};
use crate::store::{jobs, settings, sync_runs};

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
    /// Unmapped Provider Accounts that were decided.
    pub considered: u64,
    /// Left as they are: nothing that bears on them has changed since they were decided.
    pub unchanged: u64,
    /// Not looked at: their details are still to come, or their provider is being listed for the first time.
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

impl Matched {
    fn count(&mut self, made: &[NamedSuggestion]) {
        if made.is_empty() {
            self.without_match += 1;
        } else {
            self.suggested += 1;
        }
    }

    const fn considered(&mut self) {
        self.considered = self.mapped + self.suggested + self.without_match + self.unsettled;
    }
}

/// A page of decisions, and what they rest on.
struct DecidedPage {
    decided: Vec<Decided>,
    moment: Moment,
    waiting: u64,
    unchanged: u64,
    after: Option<After>,
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
    /// Later passes find what earlier ones settled, which is no news.
    first_pass: bool,
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
        for pass in 0..MOST_PASSES {
            if pass > 0 {
                self.catch_up().await?;
            }
            let Some(basis) = Basis::of(self).await? else {
                run.note = Some(NOT_READ_YET);
                break;
            };
            run.pass(&basis).await?;
            run.first_pass = false;
            if run.matched.unsettled == 0 {
                break;
            }
        }
        if run.matched.mapped > 0 {
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
            first_pass: true,
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
        self.matched.waiting_for_details = 0;
        self.matched.unsettled = 0;
        let mut after = None;
        loop {
            let page = self.decide_page(after.as_ref()).await?;
            self.matched.waiting_for_details += page.waiting;
            if self.first_pass {
                self.matched.unchanged += page.unchanged;
            }
            let stands = self.keep_page(page.decided, page.moment, basis).await?;
            self.matched.considered();
            match page.after {
                Some(next) if stands => after = Some(next),
                _ => return Ok(()),
            }
        }
    }

    /// Decides the next page of unmapped accounts that can be decided and have to be.
    async fn decide_page(&self, after: Option<&After>) -> Result<DecidedPage, FlowError> {
        let moment = self.flows.matcher.moment(self.flows.context.now());
        let filter = Filter {
            state: Some(MappingState::Unmapped),
            ..Filter::default()
        };
        let reader = self.flows.store.reader();
        let listing = provider_accounts::list(reader, &filter, after, PAGE).await?;
        let listed = listing.accounts.into_iter();
        let mut accounts: Vec<_> = listed.filter(|it| it.missing_since.is_none()).collect();
        let all = accounts.len();
        let listing_goes_on = sync_runs::first_listings(reader).await?;
        accounts.retain(|it| it.details_complete() && !listing_goes_on.contains(&it.provider_id));
        let waiting = (all - accounts.len()) as u64;
        let all = accounts.len();
        let accounts = self.concerned(accounts).await?;
        let unchanged = (all - accounts.len()) as u64;
        let mut scratch = Scratch::default();
        let decided = accounts.into_iter();
        Ok(DecidedPage {
            decided: decided.map(|it| self.decide(it, &mut scratch)).collect(),
            moment,
            waiting,
            unchanged,
            after: listing.after,
        })
    }

    /// Those that have to be decided: a plan tells of all; otherwise those that something changed for, in the CRM, at the
    /// provider, in the settings, or in where the same tenant is mapped.
    async fn concerned(
        &self,
        accounts: Vec<ProviderAccount>,
    ) -> Result<Vec<ProviderAccount>, FlowError> {
        if self.purpose != Purpose::Match {
            return Ok(accounts);
        }
        let now = self.flows.context.now();
        let settings = self.settings_mark();
        let concerned = self.flows.matcher.concerned(&accounts, settings, now);
        let (concerned, others): (Vec<_>, Vec<_>) = accounts
            .into_iter()
            .zip(concerned)
            .partition(|(_, concerned)| *concerned);
        let tenants: Vec<&str> = others
            .iter()
            .filter_map(|(account, _)| account.tenant_id.as_deref())
            .collect();
        let mapped = mapped_tenants::of_tenants(self.flows.store.reader(), &tenants).await?;
        let mapped: HashSet<_> = mapped.into_iter().filter_map(|it| it.tenant_id).collect();
        let by_tenant = |account: &ProviderAccount| {
            let tenant = account.tenant_id.as_ref();
            tenant.is_some_and(|tenant| mapped.contains(tenant))
        };
        let others = others.into_iter().map(|(account, _)| account);
        Ok(concerned
            .into_iter()
            .map(|(account, _)| account)
            .chain(others.filter(by_tenant))
            .collect())
    }

    /// Another mark, and every decision may come out otherwise.
    fn settings_mark(&self) -> u64 {
        let settings = &self.settings;
        let text = format!(
            "{:?} {:?}",
            settings.auto_match, settings.auto_match_threshold
        );
        hash(text.as_bytes())
    }

    /// A first look at everything, to know which Accounts are wanted by several.
    async fn count_claims(&mut self) -> Result<(), FlowError> {
        self.claims.clear();
        let mut after = None;
        loop {
            let page = self.decide_page(after.as_ref()).await?;
            for target in page.decided.iter().filter_map(Decided::target) {
                *self.claims.entry(target).or_default() += 1;
            }
            match page.after {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        Ok(())
    }
}
