//! What the CRM tells us by webhook (H4, decision 9): kept, answered, and then worked on by reading the CRM's changes. A
//! webhook makes that fresh sooner; the change token guarantees it, so that a lost, doubled or late one does no harm.
//!
//! What surprises: a notice of our own write is kept and drops the cached copy, but has nothing read: who wrote knows
//! what it wrote, and each decision of auto-match pulls the changes first. When somebody else changes the same record at
//! the same moment, that one's notice has it read. While our own user is unknown, every notice is another's.

use chrono::TimeDelta;

use super::{FlowError, Flows};
use crate::store::crm_notices;

pub use crate::store::crm_notices::{NoticeInbox, NoticeWriter, ReceivedNotice};

/// A refusal is looked at for an exception this often at most: strangers must not be able to keep the database busy.
pub const REFUSALS_EVERY: TimeDelta = TimeDelta::seconds(60);

const REMEDY: &str = "set the secret of the webhook's step in Dynamics to one of dataverse.webhook_secrets; Dynamics does \
                      not send what was refused again, and the next reading of its changes brings it";

impl Flows {
    /// Where notices are put, and who keeps them.
    #[must_use]
    pub fn notice_inbox(&self) -> (NoticeInbox, NoticeWriter) {
        crm_notices::inbox(self.store.clone(), self.context.clone())
    }

    /// Keeps a notice; when this returns, it is durable and its work is queued.
    ///
    /// # Errors
    /// When it could not be kept. Then it has to be sent again.
    pub async fn receive_crm_notice(
        &self,
        inbox: &NoticeInbox,
        received: ReceivedNotice,
    ) -> Result<(), FlowError> {
        let us = self.crm.own_user();
        let own = us.is_some_and(|us| received.notice.is_written_by(us));
        if own {
            metrics::counter!("crm_notices_of_own_writes_total").increment(1);
        }
        Ok(inbox.keep(received, own).await?)
    }

    /// Reads the CRM's changes, because a notice came that could not be read.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn receive_unreadable_crm_notice(&self) -> Result<(), FlowError> {
        let tx = self.store.begin().await?;
        crm_notices::follow(&tx, &self.context).await?;
        Ok(tx.commit().await?)
    }

    /// Opens an exception: Dynamics was refused, and it does not send again.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn report_refused_crm_notice(&self, why: &str) -> Result<(), FlowError> {
        let tx = self.store.begin().await?;
        let detail = format!("a webhook of Dynamics was refused: {why}");
        crm_notices::refuse(&tx, &self.context, &detail, REMEDY).await?;
        Ok(tx.commit().await?)
    }
}
