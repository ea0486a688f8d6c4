//! Whether the owner of a trigger subscription may still own one. Implemented by `identity`, asked by `events` before each
//! round of deliveries, so that a revoked key or a lost role silences what it subscribed.

use async_trait::async_trait;

/// Where an owner stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// May own subscriptions.
    Good,
    /// May not, and why, in words for people.
    Lost(String),
}

/// Nobody could be asked; deliveries should wait, not be dropped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the owner's standing cannot be read: {0}")]
pub struct StandingUnknown(pub String);

/// Judges owners.
#[async_trait]
pub trait Owners: Send + Sync {
    /// Where the owner with this [`crate::domain::caller::Actor::key`] stands now.
    async fn standing(&self, owner: &str) -> Result<Standing, StandingUnknown>;
}
