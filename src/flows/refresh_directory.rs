//! Bringing this instance's directory up to date with the store's mirror of the CRM: by a few Accounts at a time while it
//! hears of every move of the mirror, as a whole when it missed one.
//!
//! What surprises: readers never see half of a directory (the second Account at a domain may be in the other half), so a
//! whole one is built beside the old one and takes its place at once. Whoever moved the mirror hears of it too; its
//! directory says what state of the mirror it holds, and nothing is done twice.

use std::time::Instant;

use super::{FlowError, Flows};
use crate::domain::ids::AccountId;
use crate::domain::ports::crm::{DirectoryMirror, DirectoryTable, MirrorState};
use crate::store::crm_directory::{self, Batch};
use crate::store::directory_mark;

/// So often a change that came in between makes us begin anew; after that the next look does it.
const TRIES: usize = 3;

impl Flows {
    /// Makes the directory in memory equal to the store, unless it is.
    ///
    /// # Errors
    /// When the store refuses; the directory is as before then.
    pub async fn catch_up(&self) -> Result<(), FlowError> {
        let Some(mirror) = self.directory.mirror() else {
            return Ok(());
        };
        let _one_at_a_time = self.matcher.filling.lock().await;
        for _ in 0..TRIES {
            let state = crm_directory::state(self.store.reader()).await?;
            if mirror.state() == Some(state) || self.rebuild(mirror, state).await? {
                break;
            }
        }
        Ok(())
    }

    /// Waits for the directory of an instance that has just started, which fills it while it serves.
    ///
    /// # Errors
    /// When the store refuses.
    pub(super) async fn know_directory(&self) -> Result<(), FlowError> {
        match self.directory.mirror().map(DirectoryMirror::state) {
            Some(None) => self.catch_up().await,
            Some(Some(_)) | None => Ok(()),
        }
    }

    /// The same after words were missed or too much changed to be told; not while everything is being read, because more
    /// follows at once.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn catch_up_once_complete(&self) -> Result<(), FlowError> {
        match directory_mark::complete(self.store.reader()).await? {
            Some(_) => self.catch_up().await,
            None => Ok(()),
        }
    }

    /// Takes in that the mirror moved from one state to the next by these Accounts and their Contacts.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn follow_move(
        &self,
        from: MirrorState,
        to: MirrorState,
        accounts: &[AccountId],
    ) -> Result<(), FlowError> {
        let Some(mirror) = self.directory.mirror() else {
            return Ok(());
        };
        for _ in 0..TRIES {
            match mirror.state() {
                Some(state) if state == to => return Ok(()),
                Some(state) if state == from => {}
                _ => return self.catch_up_once_complete().await,
            }
            let changes = mirror.changes();
            let page = crm_directory::of_accounts(self.store.reader(), accounts).await?;
            if mirror.replace_accounts(changes, accounts, &page) {
                mirror.advance(from, to);
                return Ok(());
            }
        }
        Ok(())
    }

    /// Fills the directory anew. `state` is what the store held before its rows are read: what is committed meanwhile
    /// makes the next look differ. False when the directory changed meanwhile and stays.
    pub(super) async fn rebuild(
        &self,
        mirror: &dyn DirectoryMirror,
        state: MirrorState,
    ) -> Result<bool, FlowError> {
        let begun = Instant::now();
        let reader = self.store.reader();
        let mut rebuild = mirror.rebuild();
        for table in [DirectoryTable::Accounts, DirectoryTable::Contacts] {
            let mut batch = Some(Batch::first(table));
            while let Some(this) = batch {
                let (page, next) = this.read(reader).await?;
                rebuild.add(&page);
                batch = next;
            }
        }
        let taken = rebuild.finish(state);
        let milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let accounts = self.directory.len();
        tracing::info!(accounts, milliseconds, taken, "directory loaded");
        Ok(taken)
    }
}
