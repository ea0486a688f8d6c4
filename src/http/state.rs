//! What the handlers share: made once by `app`, the same for all workers.

use std::sync::Arc;

use super::dataverse::NoticeDoor;
use super::documents::Documents;
use super::links::Links;
use super::pages::PageSettings;
use super::rate_limit::RateLimit;
use crate::flows::Flows;
use crate::identity::api_keys::ApiKeys;
use crate::identity::bearer::BearerTokens;
use crate::identity::consent::Consents;
use crate::identity::sessions::Sessions;
use crate::identity::signed_token::SignedTokens;

/// Everything behind the route table.
pub struct ApiState {
    /// The business operations.
    pub flows: Flows,
    /// API keys.
    pub keys: ApiKeys,
    /// Bearer tokens of users and applications.
    pub bearer: BearerTokens,
    /// Consents of providers.
    pub consents: Consents,
    /// Browser sessions.
    pub sessions: Sessions,
    /// Page cursors and poll tokens.
    pub tokens: SignedTokens,
    /// Absolute URLs.
    pub links: Links,
    /// Requests a minute and caller.
    pub rate_limit: RateLimit,
    /// Where the CRM's webhooks come in.
    pub dataverse: NoticeDoor,
    /// What the pages show of the deployment.
    pub pages: PageSettings,
    /// The documents that are served as they are.
    pub documents: Documents,
    /// The present numbers in Prometheus' text format.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
}
