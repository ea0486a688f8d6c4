//! What the CRM tells us by webhook (H4): that something happened to a record, and no more. What the record says now is
//! read from the CRM; the text of a notice is never believed.

use super::ids::AccountId;

/// A notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrmNotice {
    /// What was done: `Create`, `Update`, `Delete`, `Merge`, …
    pub message: String,
    /// The record's table, e.g. `account`.
    pub table: String,
    /// The record; absent for messages that are about none.
    pub record_id: Option<uuid::Uuid>,
    /// The other record of a merge: the one that went.
    pub merged_id: Option<uuid::Uuid>,
    /// The CRM's own id of the request, to find it there.
    pub correlation_id: Option<String>,
    /// On whose behalf it was done.
    pub user_id: Option<uuid::Uuid>,
    /// Who called; another than `user_id` where somebody acts for somebody else.
    pub initiating_user_id: Option<uuid::Uuid>,
    /// 1 for what a caller did; more for what other logic made of it.
    pub depth: Option<u32>,
}

impl CrmNotice {
    /// Whether it is about a table that the directory mirrors.
    #[must_use]
    pub fn concerns_directory(&self) -> bool {
        matches!(self.table.as_str(), "account" | "contact")
    }

    /// Whether it tells of what this user, ours, wrote itself: such a notice says nothing that we do not know.
    ///
    /// Whatever leaves a doubt is not our own: what other logic of the CRM made of our write (deeper than 1), what was
    /// done for another user, and deleting and merging, which we never do.
    #[must_use]
    pub fn is_written_by(&self, own: uuid::Uuid) -> bool {
        self.initiating_user_id == Some(own)
            && self.user_id == Some(own)
            && self.depth == Some(1)
            && matches!(self.message.as_str(), "Create" | "Update")
    }

    /// The Accounts whose copies are stale now.
    pub fn accounts(&self) -> impl Iterator<Item = AccountId> {
        let of_account = self.table == "account";
        [self.record_id, self.merged_id]
            .into_iter()
            .flatten()
            .filter(move |_| of_account)
            .map(AccountId::new)
    }
}
