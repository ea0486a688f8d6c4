//! Who the owner of a Job or a trigger subscription is now, when no credential of theirs is at hand: by the API key itself,
//! or by the last token of a user or an application.

use super::api_keys::ApiKeys;
use super::bearer::BearerTokens;
use super::principal::Principal;
use crate::domain::ids::ApiKeyId;
use crate::store::StoreError;

/// Finds owners by their [`crate::domain::caller::Actor::key`]. Cheap to clone.
#[derive(Clone)]
pub struct Standings {
    /// API keys.
    pub keys: ApiKeys,
    /// Users and applications.
    pub bearer: BearerTokens,
}

impl Standings {
    /// The owner with the roles of today; `None` for one that may not call any more, and for browser sessions, which own
    /// nothing that outlives them.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn principal(&self, owner: &str) -> Result<Option<Principal>, StoreError> {
        match owner.strip_prefix("key:").map(str::parse::<ApiKeyId>) {
            Some(Ok(id)) => self.keys.standing(id).await,
            Some(Err(_)) => Ok(None),
            None => self.bearer.standing(owner).await,
        }
    }
}
