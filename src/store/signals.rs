//! Word of committed changes: to the loops and caches of this instance at once, to other instances through PostgreSQL's
//! LISTEN/NOTIFY (decision 15). A signal is only a hint to look: whoever misses one finds the work on its next round.

use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

use crate::domain::ids::AccountId;
use crate::domain::ports::crm::MirrorState;

/// More ids than this are sent as "all": PostgreSQL takes 8,000 bytes in a notification.
const MOST_IDS: usize = 150;

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Signal {
    /// A Job was queued, cancelled or finished.
    Jobs,
    /// Events wait for their position.
    Events,
    /// Deliveries are due.
    Deliveries,
    /// CRM Accounts (or their Contacts) changed in the mirror; no ids means all.
    AccountsChanged(Vec<AccountId>),
    /// The mirror of the CRM moved from one state to the next by these Accounts and their Contacts (few enough to tell).
    DirectoryMoved {
        /// What it held.
        before: MirrorState,
        /// What it holds.
        after: MirrorState,
        /// Whose rows changed; none when only the change token did.
        accounts: Vec<AccountId>,
    },
    /// A notice of the CRM was refused, and an exception says so.
    NoticeRefused,
    /// API keys, sessions or roles changed.
    KeysChanged,
    /// Operator settings or schedules changed.
    SettingsChanged,
    /// A provider was connected, changed or disabled.
    ProvidersChanged,
    /// Provider Accounts or their mappings changed.
    ProviderAccountsChanged,
}

impl Signal {
    /// Accounts changed; many are sent as all.
    #[must_use]
    pub fn accounts_changed(ids: Vec<AccountId>) -> Self {
        Self::AccountsChanged(if ids.len() > MOST_IDS {
            Vec::new()
        } else {
            ids
        })
    }
}

/// The local switchboard. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Signals {
    sender: broadcast::Sender<Signal>,
}

impl Default for Signals {
    fn default() -> Self {
        Self {
            sender: broadcast::Sender::new(1024),
        }
    }
}

impl Signals {
    /// Hears every signal from now on. A receiver that lags loses the oldest and should then look at everything.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Signal> {
        self.sender.subscribe()
    }

    /// Tells this instance. Nobody listening is fine.
    pub fn send(&self, signal: Signal) {
        let _ = self.sender.send(signal);
    }
}
