//! `[callers]`: whose bearer tokens are taken. Microsoft Entra's, for named tenants, or those of one independent OpenID
//! provider in its place.

use serde::Deserialize;
use url::Url;
use uuid::Uuid;

use super::{Section, is_safe};

/// Users and applications that may call.
#[derive(Debug, Clone, Deserialize)]
pub struct Callers {
    /// Client id and App ID URI of this API's registration; without one no bearer token is taken.
    pub audiences: Vec<String>,
    /// Ids of the Entra tenants.
    pub tenants: Vec<String>,
    authority: String,
    /// Issuer of the independent provider; empty for Entra.
    pub issuer: String,
    /// Scopes that stand for all roles of a user.
    pub scopes: Vec<String>,
    /// The claim with the roles.
    pub roles_claim: String,
}

impl Callers {
    /// The tenants; those that cannot be read were reported as mistakes.
    #[must_use]
    pub fn tenant_ids(&self) -> Vec<Uuid> {
        self.tenants
            .iter()
            .filter_map(|tenant| tenant.trim().parse().ok())
            .collect()
    }

    /// Entra's authority for callers, where it is another than `entra.authority`.
    #[must_use]
    pub fn authority(&self) -> Option<Url> {
        self.authority.trim().parse().ok()
    }
}

impl Section for Callers {
    const NAME: &'static str = "callers";

    fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        for tenant in &self.tenants {
            if tenant.trim().parse::<Uuid>().is_err() {
                mistakes.push(format!("tenants: `{tenant}` is no tenant id such as 11111111-2222-3333-4444-555555555555"));
            }
        }
        let open = !self.audiences.is_empty() && self.issuer.is_empty() && self.tenants.is_empty();
        if open {
            mistakes.push(
                "tenants is empty: name the tenants whose users and applications may call"
                    .to_owned(),
            );
        }
        if !self.issuer.is_empty() && !self.tenants.is_empty() {
            mistakes.push("tenants belongs to Entra; leave it empty beside an issuer".to_owned());
        }
        for (key, text) in [("authority", &self.authority), ("issuer", &self.issuer)] {
            let safe = text.is_empty() || text.parse().is_ok_and(|url| is_safe(&url));
            if !safe {
                mistakes.push(format!("{key} must be https, or http to this very machine"));
            }
        }
        if self
            .scopes
            .iter()
            .any(|scope| scope.is_empty() || scope.contains(char::is_whitespace))
        {
            mistakes.push("scopes must be single words".to_owned());
        }
        if self.roles_claim.is_empty() {
            mistakes.push("roles_claim must name a claim".to_owned());
        }
        mistakes
    }
}
