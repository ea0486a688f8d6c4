//! The rows of the directory: an Account and a Contact, cut down to what matching asks for.

use super::names::{Host, Hosts};
use super::table::{Row, Slot};
use crate::domain::ids::{AccountId, ContactId};

/// No row. An `Option` of a slot would cost a Contact twelve bytes more, and there are millions.
pub(super) const NONE: Slot = Slot::MAX;

/// Active, inactive or merged; whom it was merged into is kept beside the rows, because few are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// A Contact refers to it, but the Account itself has not come (yet, or any more).
    Unknown,
    /// Can be mapped.
    Active,
    /// Deactivated.
    Inactive,
    /// Merged into another.
    Merged,
}

/// An Account.
pub(super) struct AccountRow {
    pub(super) id: AccountId,
    pub(super) name: Box<str>,
    pub(super) row_version: i64,
    pub(super) emails: Hosts,
    pub(super) web: Option<Host>,
    /// Contacts that refer to it, active or not: while there are any, the row stays.
    pub(super) contacts: u32,
    /// The Contact that came last, or [`NONE`]: the way to all of them.
    pub(super) latest: Slot,
    pub(super) standing: Standing,
}

impl AccountRow {
    /// A row for a Contact to refer to.
    pub(super) fn unknown(id: AccountId) -> Self {
        Self {
            id,
            name: Box::default(),
            row_version: 0,
            emails: Hosts::default(),
            web: None,
            contacts: 0,
            latest: NONE,
            standing: Standing::Unknown,
        }
    }
}

impl Row for AccountRow {
    type Key = AccountId;
    fn key(&self) -> &AccountId {
        &self.id
    }
}

/// A Contact.
pub(super) struct ContactRow {
    pub(super) id: ContactId,
    pub(super) row_version: i64,
    pub(super) emails: Hosts,
    /// Its Account, or [`NONE`].
    pub(super) account: Slot,
    /// The Contacts of the same Account that came after and before it, or [`NONE`].
    pub(super) newer: Slot,
    pub(super) older: Slot,
    pub(super) active: bool,
}

impl Row for ContactRow {
    type Key = ContactId;
    fn key(&self) -> &ContactId {
        &self.id
    }
}
