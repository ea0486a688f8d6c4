//! Keeping one page of changes.

use super::Run;
use crate::domain::ids::AccountId;
use crate::domain::ports::crm::{ChangeCursor, ChangePage};
use crate::flows::FlowError;
use crate::store::crm_directory::{self, Feed};
use crate::store::{Signal, StoreError, WriteTx, jobs};

/// A page of more rows than this is told as "any Account may have changed".
const MOST_TOLD: usize = 100;

/// Whom a page concerns.
enum Concerned {
    /// These Accounts, by their own rows or by their Contacts'.
    Accounts(Vec<AccountId>),
    /// More than it is worth telling.
    Many,
}

impl Run<'_> {
    /// Writes one page and takes it into the directory; `None`, and nothing written, when the feed had moved meanwhile.
    pub(super) async fn keep(
        &mut self,
        from: &Feed,
        page: &ChangePage,
    ) -> Result<Option<Feed>, FlowError> {
        self.counts.pages += 1;
        let gone = page.deleted_accounts.len() + page.deleted_contacts.len();
        let empty = page.accounts.is_empty() && page.contacts.is_empty() && gone == 0;
        if empty && page.cursor == from.cursor {
            return Ok(Some(from.clone()));
        }
        let ended = matches!(page.cursor, Some(ChangeCursor::Delta(_)));
        let to = Feed {
            cursor: page.cursor.clone(),
            reading_everything: from.reading_everything && !ended,
            ..from.clone()
        };
        let flows = self.flows;
        let tx = flows.store.begin().await?;
        jobs::guard(&tx, self.lease).await?;
        let before = crm_directory::state(&*tx).await?;
        let Some(moved) = crm_directory::move_feed(&tx, &flows.context, from, to).await? else {
            return Ok(None);
        };
        let after = crm_directory::state(&*tx).await?;
        let mut concerned = concerned(&tx, page).await?;
        crm_directory::keep(&tx, page, from.generation).await?;
        let mut gone = gone as u64;
        if ended && from.reading_everything {
            gone += crm_directory::remove_older(&tx, from.table, from.generation).await?;
            concerned = Concerned::Many;
        }
        match concerned {
            Concerned::Many => tx.signal(Signal::AccountsChanged(Vec::new())),
            Concerned::Accounts(accounts) => {
                if !accounts.is_empty() {
                    tx.signal(Signal::accounts_changed(accounts.clone()));
                }
                tx.signal(Signal::DirectoryMoved {
                    before,
                    after,
                    accounts,
                });
            }
        }
        self.count(&tx, page, gone).await?;
        tx.commit().await?;
        flows.directory.apply(page);
        if ended && from.reading_everything && from.generation > 1 {
            // Rows that the reading did not show are still there, and rows of an environment that was put back to an
            // older state were taken for outdated ones.
            flows.catch_up().await?;
        } else if let Some(mirror) = flows.directory.mirror() {
            mirror.advance(before, after);
        }
        Ok(Some(moved))
    }

    async fn count(
        &mut self,
        tx: &WriteTx,
        page: &ChangePage,
        gone: u64,
    ) -> Result<(), StoreError> {
        let counts = &mut self.counts;
        counts.accounts += page.accounts.len() as u64;
        counts.contacts += page.contacts.len() as u64;
        counts.deleted += gone;
        if !self.whole_job {
            return Ok(());
        }
        let done = counts.accounts + counts.contacts + counts.deleted;
        let done = i64::try_from(done).unwrap_or(i64::MAX);
        jobs::progress(tx, self.lease, done, None).await
    }
}

/// Whom the page concerns; asked before it is written, because a Contact may leave an Account by it.
async fn concerned(tx: &WriteTx, page: &ChangePage) -> Result<Concerned, StoreError> {
    let contacts: Vec<_> = page
        .contacts
        .iter()
        .map(|contact| contact.id)
        .chain(page.deleted_contacts.iter().copied())
        .collect();
    if page.accounts.len() + page.deleted_accounts.len() + contacts.len() > MOST_TOLD {
        return Ok(Concerned::Many);
    }
    let mut ids = crm_directory::accounts_of_contacts(&**tx, &contacts).await?;
    ids.extend(page.accounts.iter().map(|account| account.id));
    ids.extend(&page.deleted_accounts);
    ids.extend(
        page.contacts
            .iter()
            .filter_map(|contact| contact.account_id),
    );
    ids.sort_unstable();
    ids.dedup();
    Ok(if ids.len() > MOST_TOLD {
        Concerned::Many
    } else {
        Concerned::Accounts(ids)
    })
}
