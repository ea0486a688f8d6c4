//! Which callback URLs we are willing to call. Implemented by `net`, which checks again at each connection.

/// A callback URL that is refused, with the reason and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct CallbackRefused {
    /// In words for people. Never holds more of the URL than its host.
    pub reason: String,
}

/// Judges callback URLs when a trigger is subscribed.
pub trait CallbackPolicy: Send + Sync {
    /// The host of `url`, when we would call it.
    ///
    /// # Errors
    /// When scheme, host or port are not allowed.
    fn check(&self, url: &str) -> Result<String, CallbackRefused>;
}
