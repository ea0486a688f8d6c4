//! Whose bearer tokens this deployment takes, from its settings.

use crate::config::Config;
use crate::domain::context::Context;
use crate::identity::bearer::{BearerSettings, BearerTokens, Issuing};
use crate::net::client::HttpClient;
use crate::store::Store;

/// The bearer tokens of `[callers]`.
pub(super) fn bearer_tokens(
    config: &Config,
    store: &Store,
    context: &Context,
    http: &HttpClient,
) -> BearerTokens {
    let callers = &config.callers;
    let issuing = if callers.issuer.is_empty() {
        Issuing::Entra {
            authority: callers
                .authority()
                .unwrap_or_else(|| config.entra.authority.clone()),
            tenants: callers.tenant_ids(),
        }
    } else {
        Issuing::OpenId {
            issuer: callers.issuer.clone(),
        }
    };
    let settings = BearerSettings {
        issuing,
        audiences: callers.audiences.clone(),
        scopes: callers.scopes.clone(),
        roles_claim: callers.roles_claim.clone(),
    };
    BearerTokens::new(store.clone(), context.clone(), http, Some(settings))
}
