//! Pulls the changes of Accounts and Contacts from the CRM into the mirror and the directory in memory (decision 6). Each
//! page is one transaction: rows, cursor, the Job's fence, and the word to other instances; the directory follows.
//!
//! What surprises: several Jobs (and instances) may pull at once; a page is only written if the feed still stands where it
//! was read. A killed run goes on at the saved cursor. When the CRM no longer knows it, everything is read again under a
//! new generation, and only at its end does what was not seen go; until then the directory counts as incomplete and
//! nothing is matched (see [`crate::store::directory_mark`]).

mod page;

use chrono::TimeDelta;
use serde::Serialize;
use serde_json::json;

use super::{FlowError, Flows};
use crate::domain::caller::Caller;
use crate::domain::ids::MatchPlanId;
use crate::domain::job::{JobLease, JobWork};
use crate::domain::ports::crm::{ChangeCursor, ChangeFeedError, CrmError, DirectoryTable};
use crate::domain::ports::provider::FailureKind;
use crate::store::crm_directory::{self, Feed};
use crate::store::jobs;

/// A delta link older than this is not used. Dataverse keeps them for 7 days by default, and may afterwards answer with
/// all rows instead of an error: then we would never hear of what was deleted.
const DELTA_GOOD_FOR: TimeDelta = TimeDelta::days(6);
/// Full readings of a table begun in one run at most.
const MOST_READINGS: u32 = 2;

/// What a run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    /// Pages read.
    pages: u64,
    /// Accounts that came, new or changed.
    accounts: u64,
    /// Contacts that came, new or changed.
    contacts: u64,
    /// Rows that are gone.
    deleted: u64,
}

/// One run while it goes on.
struct Run<'a> {
    flows: &'a Flows,
    lease: JobLease,
    /// Whether this is what the Job is there for, so that its progress is ours.
    whole_job: bool,
    counts: Counts,
}

impl Flows {
    /// Runs the pull as a Job. The result is the counts as JSON.
    ///
    /// # Errors
    /// When the CRM cannot be read to the end, the lease was lost, or the store fails. Pages done are kept.
    pub async fn sync_crm_directory(
        &self,
        lease: JobLease,
    ) -> Result<serde_json::Value, FlowError> {
        let mut run = Run {
            flows: self,
            lease,
            whole_job: true,
            counts: Counts::default(),
        };
        let pulled = run.pull().await;
        let counts = run.counts;
        // An earlier try of this Job may have kept pages and then died before it got here.
        let job = jobs::find(self.store.reader(), lease.job_id).await?;
        let tried_before = job.is_some_and(|job| job.attempts > 1);
        let by = Caller::service(lease.job_id);
        if tried_before || counts.accounts + counts.contacts + counts.deleted > 0 {
            let tx = self.store.begin().await?;
            jobs::guard(&tx, lease).await?;
            jobs::enqueue(&tx, &self.context, &by, &JobWork::AutoMatch, None).await?;
            tx.commit().await?;
        }
        pulled?;
        let followed = self.follow_all_account_changes(&by, Some(lease)).await?;
        let accounts = self.directory.len();
        Ok(json!({ "counts": counts, "accountsInDirectory": accounts, "mappings": followed }))
    }

    /// Pulls what changed, then auto-matches, so that no decision rests on old evidence.
    ///
    /// # Errors
    /// When the CRM cannot be read or the store refuses.
    pub async fn pull_and_match(&self, lease: JobLease) -> Result<serde_json::Value, FlowError> {
        self.pull_first(lease).await?;
        self.auto_match(lease).await
    }

    /// Pulls what changed, then plans what an auto-match would map.
    ///
    /// # Errors
    /// As [`Self::pull_and_match`].
    pub async fn pull_and_plan(&self, lease: JobLease) -> Result<serde_json::Value, FlowError> {
        self.pull_first(lease).await?;
        self.plan_auto_match(lease).await
    }

    /// Pulls what changed, then applies what was chosen of a plan.
    ///
    /// # Errors
    /// As [`Self::pull_and_match`].
    pub async fn pull_and_apply(
        &self,
        plan: MatchPlanId,
        lease: JobLease,
    ) -> Result<serde_json::Value, FlowError> {
        self.pull_first(lease).await?;
        self.apply_match_plan(plan, lease).await
    }

    /// Pulls what changed, then looks again at everything that is mapped.
    ///
    /// # Errors
    /// As [`Self::pull_and_match`].
    pub async fn pull_and_check(&self, lease: JobLease) -> Result<serde_json::Value, FlowError> {
        self.pull_first(lease).await?;
        self.check_mappings(lease).await
    }

    async fn pull_first(&self, lease: JobLease) -> Result<(), FlowError> {
        let mut run = Run {
            flows: self,
            lease,
            whole_job: false,
            counts: Counts::default(),
        };
        run.pull().await?;
        let by = Caller::service(lease.job_id);
        self.follow_all_account_changes(&by, Some(lease)).await?;
        Ok(())
    }
}

impl Run<'_> {
    async fn pull(&mut self) -> Result<(), FlowError> {
        self.flows.catch_up().await?;
        self.pull_table(DirectoryTable::Accounts).await?;
        self.pull_table(DirectoryTable::Contacts).await?;
        // Pages that another one wrote in between are in the store only.
        self.flows.catch_up().await
    }

    async fn pull_table(&mut self, table: DirectoryTable) -> Result<(), FlowError> {
        let store = &self.flows.store;
        let mut feed = crm_directory::feed(store.reader(), table).await?;
        let mut readings = 0;
        if self.is_too_old(&feed) {
            readings = 1;
            feed = self.read_everything_again(&feed).await?;
        }
        loop {
            let answer = self.flows.crm.changes(table, feed.cursor.as_ref()).await;
            match answer {
                Ok(page) => {
                    let was_full = feed.reading_everything;
                    // Where somebody else was quicker, their page is in the store: go on from there.
                    feed = match self.keep(&feed, &page).await? {
                        Some(moved) => moved,
                        None => crm_directory::feed(store.reader(), table).await?,
                    };
                    let ended = matches!(feed.cursor, Some(ChangeCursor::Delta(_)));
                    // A full reading takes a while; what changed meanwhile comes with its delta link.
                    if ended && !was_full {
                        return Ok(());
                    }
                }
                Err(ChangeFeedError::Expired) if readings < MOST_READINGS => {
                    readings += 1;
                    feed = self.read_everything_again(&feed).await?;
                }
                Err(ChangeFeedError::Expired) => return Err(forgetful(table)),
                Err(ChangeFeedError::Failed(error)) => return Err(error.into()),
            }
        }
    }

    fn is_too_old(&self, feed: &Feed) -> bool {
        let now = self.flows.context.now();
        let old = feed.moved_at.is_some_and(|at| now - at > DELTA_GOOD_FOR);
        // A feed without a cursor that reads nothing either has lost its way.
        (old && feed.cursor.is_some()) || (feed.cursor.is_none() && !feed.reading_everything)
    }

    async fn read_everything_again(&mut self, from: &Feed) -> Result<Feed, FlowError> {
        let to = Feed {
            cursor: None,
            generation: from.generation + 1,
            reading_everything: true,
            ..from.clone()
        };
        tracing::warn!(
            table = from.table.name(),
            generation = to.generation,
            "everything is read again"
        );
        let flows = self.flows;
        let tx = flows.store.begin().await?;
        jobs::guard(&tx, self.lease).await?;
        let before = crm_directory::state(&*tx).await?;
        let Some(moved) = crm_directory::move_feed(&tx, &flows.context, from, to).await? else {
            return Ok(crm_directory::feed(&*tx, from.table).await?);
        };
        let after = crm_directory::state(&*tx).await?;
        tx.commit().await?;
        if let Some(mirror) = flows.directory.mirror() {
            mirror.advance(before, after);
        }
        Ok(moved)
    }
}

fn forgetful(table: DirectoryTable) -> FlowError {
    FlowError::Crm(CrmError {
        kind: FailureKind::Protocol,
        message: format!(
            "the CRM forgets its change tokens for {} as soon as it has given them; check change tracking there",
            table.name()
        ),
        code: None,
        retry_after: None,
    })
}
