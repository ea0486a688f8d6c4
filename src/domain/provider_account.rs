//! A Provider Account: one customer as one provider knows it (B2), and the two ways we learn about it: the listing, and
//! the details that only a by-id call gives (decision 7).

use std::collections::BTreeSet;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::domain_name::DomainName;
use super::ids::{ProviderAccountId, ProviderId};
use super::mapping::Mapping;

/// The provider's own id of the customer. GUIDs are lower-cased, so that a provider that changes case does not double
/// the customer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExternalId(String);

/// The text cannot be a provider's id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a provider account id has 1 to 100 printable characters")]
pub struct ExternalIdError;

impl ExternalId {
    /// Parses a provider's id.
    ///
    /// # Errors
    /// When it is empty, longer than 100 characters, or holds control characters.
    pub fn parse(text: &str) -> Result<Self, ExternalIdError> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > 100 || text.chars().any(char::is_control) {
            return Err(ExternalIdError);
        }
        match uuid::Uuid::parse_str(text) {
            Ok(id) => Ok(Self(id.to_string())),
            Err(_) => Ok(Self(text.to_owned())),
        }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<uuid::Uuid> for ExternalId {
    fn from(id: uuid::Uuid) -> Self {
        Self(id.to_string())
    }
}

impl fmt::Display for ExternalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where we learnt a domain from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DomainSource {
    /// The customer's default domain, from the listing. It can change and may be `*.onmicrosoft.com`.
    Default,
    /// One of the customer's own (custom) domains, from the details.
    Custom,
    /// The domain of a contact or billing e-mail address, from the details.
    ContactEmail,
}

impl DomainSource {
    /// The name in the API and the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Custom => "custom",
            Self::ContactEmail => "contact-email",
        }
    }

    /// Reads [`Self::name`] back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Default, Self::Custom, Self::ContactEmail]
            .into_iter()
            .find(|source| source.name() == name)
    }
}

/// A domain of a Provider Account.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AccountDomain {
    /// The domain.
    pub name: DomainName,
    /// Where we learnt it from.
    pub source: DomainSource,
}

/// What a listing says of a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedCustomer {
    /// The provider's id.
    pub external_id: ExternalId,
    /// The customer's name, as the provider writes it.
    pub name: String,
    /// The Microsoft tenant, where known.
    pub tenant_id: Option<String>,
    /// The default domain, where it parses.
    pub default_domain: Option<DomainName>,
    /// The relationship as the provider words it (`reseller`, `none`, …); unknown words are kept (decision 8).
    pub relationship: String,
}

/// What only a by-id call says of a customer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CustomerDetails {
    /// The customer's own domains.
    pub custom_domains: Vec<DomainName>,
    /// Domains of its contact and billing e-mail addresses. The addresses themselves are not kept.
    pub contact_email_domains: Vec<DomainName>,
    /// ISO 3166 country code as the provider writes it.
    pub country: Option<String>,
    /// City of the billing address.
    pub city: Option<String>,
    /// Postal code of the billing address.
    pub postal_code: Option<String>,
}

/// A Provider Account as we keep it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderAccount {
    /// Our id.
    pub id: ProviderAccountId,
    /// The provider it belongs to.
    pub provider_id: ProviderId,
    /// The provider's own id of the customer; unique within the provider (B1).
    pub external_id: ExternalId,
    /// The customer's name at the provider.
    pub name: String,
    /// The Microsoft tenant, where known.
    pub tenant_id: Option<String>,
    /// The relationship as the provider words it.
    pub relationship: String,
    /// All known domains, by name.
    pub domains: Vec<AccountDomain>,
    /// Country, where the details gave one.
    pub country: Option<String>,
    /// City, where the details gave one.
    pub city: Option<String>,
    /// Postal code, where the details gave one.
    pub postal_code: Option<String>,
    /// A disabled account is listed, but its subscriptions are not synced.
    pub sync_enabled: bool,
    /// When a listing first showed it.
    pub first_seen_at: DateTime<Utc>,
    /// Since when complete listings no longer show it.
    pub missing_since: Option<DateTime<Utc>>,
    /// When the details were last fetched; `None` until the first time.
    pub details_fetched_at: Option<DateTime<Utc>>,
    /// Unmapped, Mapped or Excluded.
    pub mapping: Mapping,
    /// Grows by one with each change of the mapping; the entity tag of the API.
    pub mapping_version: i64,
}

impl ProviderAccount {
    /// Whether the details have been fetched at least once (decision 7).
    #[must_use]
    pub fn details_complete(&self) -> bool {
        self.details_fetched_at.is_some()
    }

    /// The names of its domains, each once, however many sources show it.
    #[must_use]
    pub fn domain_names(&self) -> BTreeSet<&str> {
        self.domains
            .iter()
            .map(|domain| domain.name.as_str())
            .collect()
    }
}
