//! What consent and the clients of providers need of each other: a consent is tried by a real call, and a client that calls as
//! a user gets its token from the consent.

use async_trait::async_trait;
use secrecy::SecretString;

use super::provider::ProviderError;
use crate::domain::consent::MultiFactor;
use crate::domain::provider::Provider;

/// Tries a user's token by a real call (A2).
#[async_trait]
pub trait SignInProbe: Send + Sync {
    /// Reads something as the user; says whether a second factor was seen.
    ///
    /// # Errors
    /// When the user may not, or the second factor is missing.
    async fn probe(
        &self,
        provider: &Provider,
        token: &SecretString,
    ) -> Result<MultiFactor, ProviderError>;
}

/// Gives a provider's client the token of the user who consented.
#[async_trait]
pub trait UserTokens: Send + Sync {
    /// A token that is good for a while yet; `None` when nobody consented.
    ///
    /// # Errors
    /// When none can be had.
    async fn user_token(&self, provider: &Provider) -> Result<Option<SecretString>, ProviderError>;
}
