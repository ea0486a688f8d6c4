//! What flows ask of the CRM: live reads, the change feed, the cached lookups, and the in-memory directory (decision 6).

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::provider::FailureKind;
use crate::domain::account::{Account, DirectoryAccount, DirectoryContact, DomainHit, NewAccount};
use crate::domain::domain_name::RegistrableDomain;
use crate::domain::ids::{AccountId, ContactId};
use crate::domain::verify::VerifyReport;

/// A call to the CRM that failed. Kinds mean the same as at a provider.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct CrmError {
    /// What kind of failure.
    pub kind: FailureKind,
    /// What failed, why, and what to do, in words for people. Nothing secret.
    pub message: String,
    /// The CRM's own code, e.g. `0x80072322`.
    pub code: Option<String>,
    /// How long the CRM asked us to wait.
    pub retry_after: Option<std::time::Duration>,
}

/// The two tables the directory mirrors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DirectoryTable {
    /// `accounts`.
    Accounts,
    /// `contacts`.
    Contacts,
}

impl DirectoryTable {
    /// The name in the store: the entity set of the Web API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Contacts => "contacts",
        }
    }
}

/// Where the change feed goes on: a next link (more pages now) or a delta link (changes later). Opaque; checked against
/// the organisation's host before it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeCursor {
    /// The next page of the same reading.
    Next(String),
    /// What changed since.
    Delta(String),
}

/// One page of changes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChangePage {
    /// Accounts created or changed.
    pub accounts: Vec<DirectoryAccount>,
    /// Accounts deleted (or never seen).
    pub deleted_accounts: Vec<AccountId>,
    /// Contacts created or changed.
    pub contacts: Vec<DirectoryContact>,
    /// Contacts deleted (or never seen).
    pub deleted_contacts: Vec<ContactId>,
    /// Where the feed goes on; `None` only in a default value.
    pub cursor: Option<ChangeCursor>,
}

/// The change feed could not be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ChangeFeedError {
    /// The delta link is too old (Dataverse keeps them 7 days by default): read everything again.
    #[error("the CRM no longer knows the change token; everything has to be read again")]
    Expired,
    /// Any other failure.
    #[error(transparent)]
    Failed(#[from] CrmError),
}

/// Live access to the CRM. Nothing here is cached.
#[async_trait]
pub trait Crm: Send + Sync {
    /// Reads one Account now; `None` when it does not exist. `known` is the last copy we have: when the CRM answers that
    /// it is unchanged (ETag), that copy is returned.
    async fn read_account(
        &self,
        id: AccountId,
        known: Option<&Account>,
    ) -> Result<Option<Account>, CrmError>;
    /// Accounts whose name, number or domain match `text`, best first, at most `top`.
    async fn search_accounts(&self, text: &str, top: usize) -> Result<Vec<Account>, CrmError>;
    /// One page of the change feed; no cursor reads everything from the beginning.
    async fn changes(
        &self,
        table: DirectoryTable,
        cursor: Option<&ChangeCursor>,
    ) -> Result<ChangePage, ChangeFeedError>;
    /// Creates an Account under this id; false when it is there already, and then it stays as it is.
    async fn create_account(&self, _id: AccountId, _new: &NewAccount) -> Result<bool, CrmError> {
        Err(CrmError {
            kind: FailureKind::Configuration,
            message: "no CRM is connected that accounts can be created in".to_owned(),
            code: None,
            retry_after: None,
        })
    }
    /// The user that we are in the CRM, once that was learnt. Never asks.
    fn own_user(&self) -> Option<uuid::Uuid> {
        None
    }
    /// Asks the CRM who we are, unless that is known.
    async fn learn_own_user(&self) -> Result<(), CrmError> {
        Ok(())
    }
    /// A live test of every step.
    async fn verify(&self) -> VerifyReport;
}

/// Cached lookups (H5): bounded, single-flight, negative results too.
#[async_trait]
pub trait AccountLookup: Send + Sync {
    /// One Account, from the cache when it is fresh.
    async fn account(&self, id: AccountId) -> Result<Option<Arc<Account>>, CrmError>;
    /// The last copy of an Account that the cache still has, however old; never asks the CRM.
    fn cached(&self, _id: AccountId) -> Option<Arc<Account>> {
        None
    }
    /// Search, from the cache when it is fresh.
    async fn search(&self, text: &str, top: usize) -> Result<Arc<Vec<Account>>, CrmError>;
    /// Forgets one Account, and every search (any may have shown it).
    fn invalidate(&self, id: AccountId);
    /// Puts a copy that was just read live into the cache.
    fn refresh(&self, account: Account);
    /// Forgets everything.
    fn invalidate_all(&self);
}

/// The directory of Accounts by domain, in memory, rebuilt from the store at start and kept fresh by its changes.
pub trait Directory: Send + Sync {
    /// The Accounts that a domain leads to.
    fn hits(&self, domain: &RegistrableDomain) -> Vec<DomainHit>;
    /// One Account; where it is, is not kept in memory and is empty.
    fn account(&self, id: AccountId) -> Option<DirectoryAccount>;
    /// Takes in changes that are already committed to the store.
    fn apply(&self, page: &ChangePage);
    /// Forgets everything, before a full load.
    fn clear(&self);
    /// Number of Accounts.
    fn len(&self) -> usize;
    /// Whether there is no Account.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Those of these Contacts that it holds.
    fn contacts(&self, _ids: &[ContactId]) -> Vec<DirectoryContact> {
        Vec::new()
    }
    /// The Contacts of these Accounts.
    fn contacts_of(&self, _accounts: &[AccountId]) -> Vec<DirectoryContact> {
        Vec::new()
    }
    /// How to bring it up to date with the store; `None` when it has nothing to do with one.
    fn mirror(&self) -> Option<&dyn DirectoryMirror> {
        None
    }
}

/// Names what the store's mirror of the CRM held at one moment: when the feed of each table was last moved, which differs
/// after each move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MirrorState {
    /// Of the Accounts; `None` before anything was read.
    pub accounts: Option<DateTime<Utc>>,
    /// Of the Contacts.
    pub contacts: Option<DateTime<Utc>>,
}

/// Bringing a directory up to date with what the store holds, beside the changes that [`Directory::apply`] takes in. Who
/// reads the store may be overtaken by a newer change, so each step is refused when the directory changed meanwhile.
pub trait DirectoryMirror: Send + Sync {
    /// Grows with each change of the directory.
    fn changes(&self) -> u64;
    /// Puts what the store says of these Accounts and their Contacts in place of what is here. False, and nothing done,
    /// when the directory changed since `changes`.
    fn replace_accounts(&self, changes: u64, ids: &[AccountId], page: &ChangePage) -> bool;
    /// Begins a directory that will take this one's place at once: nobody ever sees half of it.
    fn rebuild(&self) -> Box<dyn DirectoryRebuild + '_>;
    /// What the store held when this was last as the store; `None` when nobody knows.
    fn state(&self) -> Option<MirrorState>;
    /// Says that this, if it was as the store when that held `from`, is as the store now that it holds `to`.
    fn advance(&self, from: MirrorState, to: MirrorState);
}

/// A directory in the making.
pub trait DirectoryRebuild: Send {
    /// Adds rows.
    fn add(&mut self, page: &ChangePage);
    /// Takes the old one's place, as of this state of the store. False, and nothing done, when the old one changed since
    /// the beginning.
    fn finish(self: Box<Self>, state: MirrorState) -> bool;
}
