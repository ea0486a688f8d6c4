//! Sealing of secrets at rest. Implemented by `identity` with an authenticated cipher and a key ring.

use uuid::Uuid;

/// A sealed secret: useless without the key it names, and bound to the row it was sealed for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Which key of the ring sealed it.
    pub key_id: String,
    /// Nonce and ciphertext.
    pub bytes: Vec<u8>,
}

/// A sealed secret could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The key is not in the ring.
    #[error(
        "the secret was sealed with key `{0}`, which is not in the key ring; add that key and start again"
    )]
    UnknownKey(String),
    /// Tampered with, moved to another row, or damaged.
    #[error("the secret cannot be opened: it was damaged, or belongs to another record")]
    Damaged,
}

/// Seals and opens secrets. `row` is the id of the row the secret is kept under; a secret moved to another row does not
/// open.
pub trait Sealer: Send + Sync {
    /// Seals `secret` for `row`.
    fn seal(&self, row: Uuid, secret: &str) -> Sealed;
    /// Opens what [`Self::seal`] gave.
    ///
    /// # Errors
    /// When the key is unknown or the bytes are not what was sealed for this row.
    fn open(&self, row: Uuid, sealed: &Sealed) -> Result<secrecy::SecretString, OpenError>;
}
