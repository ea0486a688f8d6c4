//! What all stand-ins share, and how a bearer token is checked at their doors.

use std::sync::Arc;

use super::entra::{Claims, Grants, Keys};
use super::exchange::Call;
use super::faults::Faults;
use super::shared::SharedWorld;
use super::statistics::Statistics;
use super::throttle::Throttle;
use crate::domain::context::Context;

/// Everything behind the one server.
pub(super) struct Simulation {
    pub context: Context,
    pub world: SharedWorld,
    pub faults: Faults,
    pub statistics: Statistics,
    pub keys: Keys,
    /// What people granted at Entra.
    pub grants: Grants,
    /// Of Partner Center.
    pub provider_throttle: Throttle,
    /// Of Dataverse.
    pub crm_throttle: Throttle,
    /// Claims of tokens whose signature was checked before, by the token's text.
    pub tokens: moka::sync::Cache<String, Arc<Claims>>,
}

/// Why a token does not open the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenProblem {
    Missing,
    /// Not a token of ours, or altered.
    Unreadable,
    Expired,
    /// For another resource.
    Audience,
}

impl Simulation {
    /// The claims of the caller's token, when it is for `audiences` and good by the simulator's clock.
    pub fn claims(&self, call: &Call, audiences: &[&str]) -> Result<Arc<Claims>, TokenProblem> {
        let header = call.header("authorization").ok_or(TokenProblem::Missing)?;
        let token = header
            .split_once(' ')
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .ok_or(TokenProblem::Missing)?;
        let claims = self.known(token).ok_or(TokenProblem::Unreadable)?;
        let now = self.context.now().timestamp();
        if now >= claims.exp || now < claims.nbf - 300 {
            return Err(TokenProblem::Expired);
        }
        if !audiences.contains(&claims.aud.trim_end_matches('/')) {
            return Err(TokenProblem::Audience);
        }
        Ok(claims)
    }

    fn known(&self, token: &str) -> Option<Arc<Claims>> {
        if let Some(claims) = self.tokens.get(token) {
            return Some(claims);
        }
        let claims = Arc::new(self.keys.verify(token)?);
        self.tokens.insert(token.to_owned(), claims.clone());
        Some(claims)
    }
}
