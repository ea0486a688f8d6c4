//! Calls that their sender may repeat (decision 10): the first one is carried out, the same again gets its answer. Answers are
//! sealed whole, because some show a secret this once. The work between [`Flows::begin_repeatable`] and
//! [`FirstCall::answered`] is any other flow, or several; [`crate::store::HeldCall`] makes their commits and the answer one.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{FlowError, Flows};
use crate::domain::ports::sealer::{Sealed, Sealer};
pub use crate::store::idempotency::CallKey;
use crate::store::idempotency::{Answered, RepeatableCall};
use crate::store::{HeldCall, Hold};

/// What to do with a call that brings a key.
pub enum Repeat {
    /// It is the first: carry it out.
    First(FirstCall),
    /// The first one still runs.
    Running,
    /// The first one was answered.
    Again(Again),
}

/// What becomes of a call whose first one was answered.
#[derive(Debug, PartialEq, Eq)]
pub enum Again {
    /// The same: this is the answer.
    Answer(KeptAnswer),
    /// The key belongs to another request.
    Mismatch,
    /// The same, but the answer cannot be opened any more: its key left the key ring.
    Unreadable,
}

/// An answer as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// HTTP status.
    pub status: u16,
    /// Everything else, in the words of whoever keeps it.
    pub text: String,
}

/// The first call with a key, which is carried out. Dropped without an answer, it was never made.
pub struct FirstCall {
    held: Arc<HeldCall>,
    sealer: Arc<dyn Sealer>,
    key: CallKey,
    request_hash: Vec<u8>,
}

impl Flows {
    /// Looks what is known of a call with this key. Two calls with one key in two processes may both be the first until
    /// one of them writes; the other one then learns so when it ends.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn begin_repeatable(
        &self,
        key: CallKey,
        request_hash: Vec<u8>,
    ) -> Result<Repeat, FlowError> {
        let call = RepeatableCall {
            key: key.clone(),
            request_hash: request_hash.clone(),
            at: self.context.now(),
        };
        Ok(match HeldCall::begin(&self.store, call).await? {
            Hold::Running => Repeat::Running,
            Hold::Answered(answered) => {
                Repeat::Again(again(&*self.sealer, &key, &request_hash, &answered))
            }
            Hold::First(held) => Repeat::First(FirstCall {
                held,
                sealer: self.sealer.clone(),
                key,
                request_hash,
            }),
        })
    }
}

impl FirstCall {
    /// Does the work of the call; nothing that it commits is seen by anybody yet.
    pub async fn carry_out<F: Future>(&self, work: F) -> F::Output {
        self.held.hold(work).await
    }

    /// Commits what the call did, together with its answer. Gives what to say instead when another call with the same key
    /// was faster; then this one did nothing.
    ///
    /// # Errors
    /// When the database refuses; then nothing was done.
    pub async fn answered(self, answer: &KeptAnswer) -> Result<Option<Again>, FlowError> {
        let sealed = self.sealer.seal(row_of(&self.key), &answer.text);
        let text = format!("{}:{}", sealed.key_id, STANDARD.encode(sealed.bytes));
        let first = self.held.keep(answer.status, &text).await?;
        Ok(self.instead(first))
    }

    /// Ends a call that was refused or failed: the same key may be used again. Gives what to say instead when it failed
    /// because another call with the same key was faster.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn failed(self) -> Result<Option<Again>, FlowError> {
        let first = self.held.give_up().await?;
        Ok(self.instead(first))
    }

    fn instead(&self, first: Option<Answered>) -> Option<Again> {
        let first = first?;
        Some(again(&*self.sealer, &self.key, &self.request_hash, &first))
    }
}

fn again(sealer: &dyn Sealer, key: &CallKey, request_hash: &[u8], first: &Answered) -> Again {
    if first.request_hash != request_hash {
        return Again::Mismatch;
    }
    match open(sealer, key, &first.answer) {
        Some(text) => Again::Answer(KeptAnswer {
            status: first.status,
            text,
        }),
        None => Again::Unreadable,
    }
}

fn open(sealer: &dyn Sealer, key: &CallKey, answer: &str) -> Option<String> {
    let (key_id, bytes) = answer.split_once(':')?;
    let sealed = Sealed {
        key_id: key_id.to_owned(),
        bytes: STANDARD.decode(bytes).ok()?,
    };
    let text = sealer.open(row_of(key), &sealed).ok()?;
    Some(text.expose_secret().to_owned())
}

/// The row has no id of its own to bind the seal to: it is made of what the row is found by.
fn row_of(key: &CallKey) -> Uuid {
    let name = serde_json::json!([key.owner, key.operation, key.key]).to_string();
    let digest: [u8; 32] = Sha256::digest(name.as_bytes()).into();
    let (half, _) = digest.split_first_chunk::<16>().unwrap_or((&[0; 16], &[]));
    Uuid::from_bytes(*half)
}
