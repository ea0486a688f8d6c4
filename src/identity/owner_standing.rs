//! Whether the owner of a trigger subscription may still own one: asked before each delivery, so that a revoked key or a
//! lost role silences what it subscribed.

use async_trait::async_trait;

use super::api_keys::ApiKeys;
use crate::domain::caller::{Channel, Permission};
use crate::domain::ids::ApiKeyId;
pub use crate::domain::ports::owner::Standing;
use crate::domain::ports::owner::{Owners, StandingUnknown};
use crate::store::StoreError;

/// Judges owners by their [`crate::domain::caller::Actor::key`].
#[derive(Clone)]
pub struct OwnerStanding {
    keys: ApiKeys,
}

impl OwnerStanding {
    /// Judges by the present state of `keys`.
    #[must_use]
    pub const fn new(keys: ApiKeys) -> Self {
        Self { keys }
    }

    /// Where the owner stands now. The database is asked each time: a delivery is rare beside a call.
    ///
    /// # Errors
    /// When the database does not answer; the delivery should wait, not be dropped.
    pub async fn of(&self, owner: &str) -> Result<Standing, StoreError> {
        let lost = |why: &str| Ok(Standing::Lost(why.to_owned()));
        let Some(id) = owner
            .strip_prefix("key:")
            .and_then(|id| id.parse::<ApiKeyId>().ok())
        else {
            return lost("only API keys can own trigger subscriptions so far");
        };
        let Some(principal) = self.keys.standing(id).await? else {
            return lost("the API key that subscribed was revoked");
        };
        match principal
            .to_caller(Channel::Flow, None)
            .require(Permission::Subscribe)
        {
            Ok(()) => Ok(Standing::Good),
            Err(missing) => Ok(Standing::Lost(missing.to_string())),
        }
    }
}

#[async_trait]
impl Owners for OwnerStanding {
    async fn standing(&self, owner: &str) -> Result<Standing, StandingUnknown> {
        let standing = self.of(owner).await;
        standing.map_err(|error| StandingUnknown(error.to_string()))
    }
}
