//! A call whose answer commits together with its effect (decision 10). While [`HeldCall::hold`] runs a call's work, whatever
//! transaction that begins in [`super::Store`] is a part of one that is held open, and its commit only ends the part; then
//! [`HeldCall::keep`] writes the answer beside the effect and commits both. A process that dies in between has done nothing,
//! and a call that is repeated later finds either its answer or nothing.
//!
//! What surprises: what a part has committed is seen by others, and by [`super::Store::reader`], only after `keep`. A flow
//! therefore answers from what it has written, not from what it reads again.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};

use tokio::sync::{Mutex, MutexGuard};

use super::database::Store;
use super::error::StoreError;
use super::idempotency::{self, Answered, CallKey, RepeatableCall};
use super::transaction::WriteTx;

tokio::task_local! {
    static HELD: Arc<HeldCall>;
}

/// The keys of the calls that run in this process.
pub(super) type RunningCalls = Arc<std::sync::Mutex<HashSet<CallKey>>>;

/// What becomes of a call with a key.
pub enum Hold {
    /// It is the first one.
    First(Arc<HeldCall>),
    /// The first one runs in this process.
    Running,
    /// The first one was answered.
    Answered(Answered),
}

/// A call that holds what it does until it is answered.
pub struct HeldCall {
    store: Store,
    call: RepeatableCall,
    whole: Mutex<Option<Whole>>,
    repeated: AtomicBool,
}

/// The transaction that is held, and whether a part of it was committed.
pub(super) struct Whole {
    tx: WriteTx,
    parts: bool,
}

impl HeldCall {
    /// A call with its key. It holds nothing yet: the transaction begins with the first one of its work, so that looking up
    /// and asking the outside before it keep no lock.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn begin(store: &Store, call: RepeatableCall) -> Result<Hold, StoreError> {
        if !running(store).insert(call.key.clone()) {
            return Ok(Hold::Running);
        }
        // From here on dropping it gives the key back.
        let held = Arc::new(Self {
            store: store.clone(),
            call,
            whole: Mutex::new(None),
            repeated: AtomicBool::new(false),
        });
        Ok(match held.first().await? {
            Some(answered) => Hold::Answered(answered),
            None => Hold::First(held),
        })
    }

    /// Runs the work of the call. It may not begin transactions in tasks of its own and wait for them.
    pub async fn hold<F: Future>(self: &Arc<Self>, work: F) -> F::Output {
        HELD.scope(self.clone(), work).await
    }

    /// The call whose work runs here, if it is held.
    pub(super) fn current() -> Option<Arc<Self>> {
        HELD.try_with(Arc::clone).ok()
    }

    /// Begins a part.
    ///
    /// # Errors
    /// [`StoreError::Repeated`] when another call with the same key has ended in the meantime.
    pub(super) async fn begin_part(self: Arc<Self>) -> Result<WriteTx, StoreError> {
        let mut guard = self.whole.lock().await;
        let whole = self.whole(&mut guard).await?;
        let part = whole.tx.part(self.clone()).await;
        drop(guard);
        part
    }

    /// The transaction that is held, begun if need be.
    async fn whole<'a>(
        &self,
        guard: &'a mut MutexGuard<'_, Option<Whole>>,
    ) -> Result<&'a mut Whole, StoreError> {
        if guard.is_none() {
            let tx = self.store.begin_apart().await?;
            if !idempotency::take(&tx, &self.call).await? {
                self.repeated.store(true, Ordering::Release);
                return Err(StoreError::Repeated);
            }
            **guard = Some(Whole { tx, parts: false });
        }
        guard.as_mut().ok_or(StoreError::Repeated)
    }

    /// A part was committed; its signals are sent with the whole.
    pub(super) async fn end_part(&self, signals: Vec<super::Signal>) {
        if let Some(whole) = self.whole.lock().await.as_mut() {
            whole.parts = true;
            for signal in signals {
                whole.tx.signal(signal);
            }
        }
    }

    /// Keeps the answer, and commits it with the effect. Gives the answer of the call that was there first instead, if
    /// there is one; then nothing was done here.
    ///
    /// # Errors
    /// When the database refuses; then nothing was done either.
    pub async fn keep(&self, status: u16, answer: &str) -> Result<Option<Answered>, StoreError> {
        let mut guard = self.whole.lock().await;
        match self.whole(&mut guard).await {
            Err(StoreError::Repeated) => return self.first().await,
            Err(error) => return Err(error),
            Ok(whole) => {
                idempotency::answer(&whole.tx, &self.call.key, status, answer).await?;
            }
        }
        if let Some(whole) = guard.take() {
            whole.tx.commit().await?;
        }
        Ok(None)
    }

    /// Ends a call that failed: its key is as if it had never been sent. What the work committed before it failed stays, as
    /// it does without a key. Gives the answer of the call that was there first, if that is why it failed.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn give_up(&self) -> Result<Option<Answered>, StoreError> {
        if let Some(whole) = self.whole.lock().await.take().filter(|whole| whole.parts) {
            idempotency::forget(&whole.tx, &self.call.key).await?;
            whole.tx.commit().await?;
        }
        if self.repeated.load(Ordering::Acquire) {
            return self.first().await;
        }
        Ok(None)
    }

    async fn first(&self) -> Result<Option<Answered>, StoreError> {
        idempotency::find(self.store.reader(), &self.call).await
    }
}

impl Drop for HeldCall {
    fn drop(&mut self) {
        running(&self.store).remove(&self.call.key);
    }
}

fn running(store: &Store) -> std::sync::MutexGuard<'_, HashSet<CallKey>> {
    let running = store.running_calls();
    running.lock().unwrap_or_else(PoisonError::into_inner)
}
