//! A Provider: a connected source of cloud subscriptions (A1). Several of one kind are allowed.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::ids::ProviderId;

/// The kinds we have a client for. More follow with their own client; the store keeps the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProviderKind {
    /// Microsoft Partner Center, the CSP API.
    PartnerCenter,
}

impl ProviderKind {
    /// The name in the API and the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PartnerCenter => "partner-center",
        }
    }

    /// Reads [`Self::name`] back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        (name == "partner-center").then_some(Self::PartnerCenter)
    }
}

/// What a provider can do (A1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Capabilities {
    /// Lists its customers.
    pub customers: bool,
    /// Lists subscriptions.
    pub subscriptions: bool,
    /// Customer agreements can be read.
    pub agreements: bool,
    /// Usage can be read.
    pub usage: bool,
    /// Knows add-ons below subscriptions.
    pub add_ons: bool,
    /// A quantity can be changed through it.
    pub quantity_change: bool,
    /// A change can be tried without making it.
    pub dry_run: bool,
    /// Keeps an external id for us on its customer.
    pub write_back: bool,
    /// Calls us when something changes.
    pub webhooks: bool,
}

/// A connected provider. Its client secret is not here: it is sealed in the store under the provider's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Our id.
    pub id: ProviderId,
    /// Which client speaks to it.
    pub kind: ProviderKind,
    /// What people call it.
    pub name: String,
    /// A disabled provider is listed but not synced.
    pub enabled: bool,
    /// The Entra tenant that hosts Partner Center, or the like at other kinds.
    pub partner_tenant: String,
    /// The application (client) id we sign in with.
    pub client_id: String,
    /// When it was connected.
    pub created_at: DateTime<Utc>,
    /// When any of this last changed.
    pub updated_at: DateTime<Utc>,
    /// Grows by one with each change; the entity tag of the API.
    pub version: i64,
}
