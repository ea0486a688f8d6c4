//! The matching engine of a running instance: the Accounts of the directory in memory, indexed by what they share with a
//! Provider Account, and the Provider Accounts counted by domain. `directory` keeps the first true with every change of
//! the directory, one record at a time; `roster` the second. `journal` knows whom a change concerns.
//!
//! What surprises: it is a [`Directory`] itself, wrapped around the one it is fed
//! by. Both change under one lock, so that whoever sees a state of the mirror sees the engine at that state too.

mod directory;
mod facts;
mod journal;
mod roster;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use chrono::{DateTime, Utc};

use self::journal::Journal;
pub(super) use self::journal::Moment;
use self::roster::Roster;
use crate::domain::mapping::Reason;
use crate::domain::ports::crm::Directory;
use crate::domain::provider_account::ProviderAccount;
use crate::matching::decide::{Decision, Engine};
use crate::matching::model::{Model, ModelError};
use crate::matching::retrieve::Scratch;
use crate::matching::vetoes::VETOES;

/// The engine with the directory it lives on.
pub struct Matcher {
    inner: Arc<dyn Directory>,
    engine: RwLock<Engine>,
    roster: Mutex<Roster>,
    journal: Mutex<Journal>,
    /// Held by whoever fills the directory: two at once would need the memory twice.
    pub(super) filling: tokio::sync::Mutex<()>,
}

impl Matcher {
    /// An engine over a directory, which is empty yet or is rebuilt before it is asked.
    ///
    /// # Errors
    /// When the shipped model cannot be read.
    pub fn over(inner: Arc<dyn Directory>) -> Result<Arc<Self>, ModelError> {
        Ok(Arc::new(Self {
            inner,
            engine: RwLock::new(Engine::new(Model::shipped()?)),
            roster: Mutex::default(),
            journal: Mutex::default(),
            filling: tokio::sync::Mutex::default(),
        }))
    }

    // Nothing in the engine panics; were it to, what is there is still the best there is.
    fn read(&self) -> RwLockReadGuard<'_, Engine> {
        self.engine.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Engine> {
        self.engine.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is decided from now on rests on this moment.
    pub(super) fn moment(&self, now: DateTime<Utc>) -> Moment {
        self.journal().moment(now)
    }

    /// Which of these have to be decided, under these settings: all but those that are as they were when they were
    /// decided, with nothing changed that bears on them.
    pub(super) fn concerned(
        &self,
        accounts: &[ProviderAccount],
        settings: u64,
        now: DateTime<Utc>,
    ) -> Vec<bool> {
        let journal = self.journal();
        let each = accounts.iter();
        each.map(|account| journal.concerned(account, settings, now))
            .collect()
    }

    /// Remembers that these were decided and nothing is left to do for them.
    pub(super) fn settled<'a>(
        &self,
        accounts: impl Iterator<Item = &'a ProviderAccount>,
        settings: u64,
        on: Moment,
    ) {
        let mut journal = self.journal();
        accounts.for_each(|account| journal.remember(account, settings, on));
    }

    /// Sets the confidence from which a decision is automatic; `None` is the model's own.
    pub(super) fn set_threshold(&self, threshold: Option<f64>) {
        let mut engine = self.write();
        #[expect(clippy::cast_possible_truncation, reason = "a proportion")]
        let wanted = threshold.map_or(engine.model.threshold, |it| it as f32);
        engine.threshold = wanted;
    }

    /// The engine's decision for a Provider Account.
    pub(super) fn decide(&self, account: &ProviderAccount, scratch: &mut Scratch) -> Decision {
        self.read().decide(&facts::customer(account), scratch)
    }

    /// Confidence from which the model would map by itself, were nothing set.
    #[must_use]
    pub fn model_threshold(&self) -> f64 {
        rounded(self.read().model.threshold)
    }
}

/// Evidence as it is kept: two decimals tell enough, and read the same wherever they were stored.
pub(super) fn reasons_of(reasons: &[crate::matching::explain::Reason]) -> Vec<Reason> {
    reasons
        .iter()
        .map(|reason| Reason {
            text: reason.text.clone(),
            weight: Some((f64::from(reason.weight) * 100.0).round() / 100.0),
        })
        .collect()
}

/// A confidence as it is kept, with four decimals.
pub(super) fn rounded(confidence: f32) -> f64 {
    (f64::from(confidence) * 10_000.0).round() / 10_000.0
}

/// What kept a decision from being automatic, in words.
pub(super) fn veto_in_words(id: &str) -> Option<Reason> {
    let veto = VETOES.iter().find(|veto| veto.id == id)?;
    Some(format!("not automatic: {}", veto.text).into())
}
