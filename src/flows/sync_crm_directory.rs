//! Pulls the changes of Accounts and Contacts from the CRM into the mirror and the directory in memory (decision 6).
//!
//! Each page is one transaction: rows, cursor and the Job's fence. The directory follows after the commit. What surprises:
//! several Jobs (and instances) may pull at once; a page is only written if the feed still stands where it was read, and
//! an instance whose directory missed pages that another one wrote loads it again from the store.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use serde_json::json;

use super::{FlowError, Flows};
use crate::domain::caller::Caller;
use crate::domain::ids::AccountId;
use crate::domain::job::JobLease;
use crate::domain::ports::crm::{ChangeCursor, ChangeFeedError, ChangePage, DirectoryTable};
use crate::store::crm_directory::{self, Feed};
use crate::store::{Signal, jobs};

const TABLES: [DirectoryTable; 2] = [DirectoryTable::Accounts, DirectoryTable::Contacts];

/// How far each feed had come when the directory in memory last followed it. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct DirectorySeen(Arc<Mutex<HashMap<&'static str, DateTime<Utc>>>>);

impl DirectorySeen {
    fn is_at(&self, feed: &Feed) -> bool {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(feed.table.name()).copied() == feed.moved_at
    }

    fn set(&self, feed: &Feed) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match feed.moved_at {
            Some(at) => drop(seen.insert(feed.table.name(), at)),
            None => drop(seen.remove(feed.table.name())),
        }
    }
}

/// What a pull did.
#[derive(Debug, Default, Clone, Copy)]
struct Pulled {
    accounts: usize,
    contacts: usize,
    deleted: usize,
}

impl Flows {
    /// Runs the pull as a Job. The result is the counts as JSON.
    ///
    /// # Errors
    /// When the CRM cannot be read or the store refuses. Pages done are kept.
    pub async fn sync_crm_directory(
        &self,
        lease: JobLease,
    ) -> Result<serde_json::Value, FlowError> {
        let pulled = self.pull_directory(lease).await?;
        self.follow_all_account_changes(&Caller::service(lease.job_id), Some(lease))
            .await?;
        Ok(json!({
            "accounts": pulled.accounts,
            "contacts": pulled.contacts,
            "deleted": pulled.deleted,
            "accountsInDirectory": self.directory.len(),
        }))
    }

    /// Pulls what changed, then auto-matches, so that no decision rests on old evidence.
    ///
    /// # Errors
    /// When the CRM cannot be read or the store refuses.
    pub async fn pull_and_match(&self, lease: JobLease) -> Result<serde_json::Value, FlowError> {
        self.pull_directory(lease).await?;
        self.auto_match(lease).await
    }

    async fn pull_directory(&self, lease: JobLease) -> Result<Pulled, FlowError> {
        self.catch_up().await?;
        let mut pulled = Pulled::default();
        for table in TABLES {
            self.pull_table(table, lease, &mut pulled).await?;
        }
        Ok(pulled)
    }

    /// Makes the directory in memory equal to the store, if another instance moved the feeds.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn catch_up(&self) -> Result<(), FlowError> {
        let reader = self.store.reader();
        let [accounts, contacts] = TABLES;
        let feeds = [
            crm_directory::feed(reader, accounts).await?,
            crm_directory::feed(reader, contacts).await?,
        ];
        if feeds.iter().all(|feed| self.directory_seen.is_at(feed)) {
            return Ok(());
        }
        self.directory.clear();
        crm_directory::load(reader, self.directory.as_ref()).await?;
        for feed in &feeds {
            self.directory_seen.set(feed);
        }
        Ok(())
    }

    async fn pull_table(
        &self,
        table: DirectoryTable,
        lease: JobLease,
        pulled: &mut Pulled,
    ) -> Result<(), FlowError> {
        let mut feed = crm_directory::feed(self.store.reader(), table).await?;
        loop {
            let page = match self.crm.changes(table, feed.cursor.as_ref()).await {
                Ok(page) => page,
                Err(ChangeFeedError::Expired) => {
                    tracing::warn!(
                        table = table.name(),
                        "the change token has expired; everything is read again"
                    );
                    feed = self.read_everything_again(&feed).await?;
                    continue;
                }
                Err(ChangeFeedError::Failed(error)) => return Err(error.into()),
            };
            pulled.accounts += page.accounts.len();
            pulled.contacts += page.contacts.len();
            pulled.deleted += page.deleted_accounts.len() + page.deleted_contacts.len();
            let more = matches!(page.cursor, Some(ChangeCursor::Next(_)));
            match self.keep_page(&feed, page, lease).await? {
                Some(moved) => feed = moved,
                // Somebody else was quicker: their page is in the store, so go on from there.
                None => {
                    self.catch_up().await?;
                    feed = crm_directory::feed(self.store.reader(), table).await?;
                    continue;
                }
            }
            if !more {
                return Ok(());
            }
        }
    }

    async fn read_everything_again(&self, from: &Feed) -> Result<Feed, FlowError> {
        let to = Feed {
            cursor: None,
            generation: from.generation + 1,
            reading_everything: true,
            ..from.clone()
        };
        let tx = self.store.begin().await?;
        crm_directory::move_feed(&tx, &self.context, from, &to).await?;
        let moved = crm_directory::feed(&*tx, from.table).await?;
        tx.commit().await?;
        self.directory_seen.set(&moved);
        Ok(moved)
    }

    /// Writes one page; `None` when the feed had moved meanwhile and nothing was written.
    async fn keep_page(
        &self,
        from: &Feed,
        page: ChangePage,
        lease: JobLease,
    ) -> Result<Option<Feed>, FlowError> {
        let ended = matches!(page.cursor, Some(ChangeCursor::Delta(_)));
        let unchanged = ended
            && page.accounts.is_empty()
            && page.contacts.is_empty()
            && page.deleted_accounts.is_empty()
            && page.deleted_contacts.is_empty()
            && page.cursor == from.cursor
            && !from.reading_everything;
        if unchanged {
            return Ok(Some(from.clone()));
        }
        let to = Feed {
            cursor: page.cursor.clone(),
            reading_everything: from.reading_everything && !ended,
            ..from.clone()
        };
        let tx = self.store.begin().await?;
        jobs::guard(&tx, lease).await?;
        if !crm_directory::move_feed(&tx, &self.context, from, &to).await? {
            return Ok(None);
        }
        let mut concerned = crm_directory::apply(&tx, &page, from.generation).await?;
        let mut gone = ChangePage::default();
        if ended && from.reading_everything {
            gone = crm_directory::remove_unseen(&tx, from.table, from.generation).await?;
            concerned.extend(gone.deleted_accounts.iter().copied());
        }
        if !concerned.is_empty() {
            tx.signal(Signal::accounts_changed(concerned.clone()));
        }
        let moved = crm_directory::feed(&*tx, from.table).await?;
        tx.commit().await?;
        self.directory.apply(&page);
        self.directory.apply(&gone);
        self.directory_seen.set(&moved);
        self.forget(&concerned);
        Ok(Some(moved))
    }

    /// The lookup cache must not show what the mirror knows to be old.
    fn forget(&self, accounts: &[AccountId]) {
        for id in accounts {
            self.accounts.invalidate(*id);
        }
    }
}
