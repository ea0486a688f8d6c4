//! Whether the owner of a trigger subscription may still own one: asked before each delivery, so that a revoked key or a
//! lost role silences what it subscribed.

use async_trait::async_trait;

use super::standings::Standings;
use crate::domain::caller::{Channel, Permission};
pub use crate::domain::ports::owner::Standing;
use crate::domain::ports::owner::{Owners, StandingUnknown};
use crate::store::StoreError;

/// Judges owners by their [`crate::domain::caller::Actor::key`].
#[derive(Clone)]
pub struct OwnerStanding {
    standings: Standings,
}

impl OwnerStanding {
    /// Judges by what `standings` say now.
    #[must_use]
    pub const fn new(standings: Standings) -> Self {
        Self { standings }
    }

    /// Where the owner stands now. The database is asked each time: a delivery is rare beside a call.
    ///
    /// # Errors
    /// When the database does not answer; the delivery should wait, not be dropped.
    pub async fn of(&self, owner: &str) -> Result<Standing, StoreError> {
        let Some(principal) = self.standings.principal(owner).await? else {
            let why = "the API key that subscribed was revoked, or the user's or application's tenant may no longer call";
            return Ok(Standing::Lost(why.to_owned()));
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
