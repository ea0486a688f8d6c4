//! What flows ask of a provider's API. Each kind of provider has one implementation in `providers`.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::domain::provider::{Capabilities, Provider};
use crate::domain::provider_account::{CustomerDetails, ExternalId, ListedCustomer};
use crate::domain::subscription::ListedSubscription;
use crate::domain::verify::VerifyReport;

/// What kind of failure it was: this decides between trying again, waiting, and asking a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The token was refused or could not be had: consent or sign-in is needed.
    Consent,
    /// The credential works, but lacks a role or right.
    Permission,
    /// A setting of ours is wrong (audience, tenant, client id or secret).
    Configuration,
    /// The thing asked for is not there.
    NotFound,
    /// The customer no longer has a relationship with the partner (code 20002).
    CustomerLeft,
    /// Too many requests.
    Throttled,
    /// Time-out, connection failure, 5xx: may work later.
    Transient,
    /// The answer could not be understood.
    Protocol,
    /// The provider refused the request for a reason of its business.
    Rejected,
}

/// A call to a provider that failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct ProviderError {
    /// What kind of failure.
    pub kind: FailureKind,
    /// What failed, why, and what to do, in words for people. Nothing secret.
    pub message: String,
    /// The provider's own code, where it gave one.
    pub code: Option<String>,
    /// How long the provider asked us to wait.
    pub retry_after: Option<Duration>,
    /// `MS-CorrelationId`/`MS-RequestId` or the like, for the provider's support.
    pub correlation_id: Option<String>,
}

impl ProviderError {
    /// Whether the same call may succeed later without anybody doing anything.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        matches!(
            self.kind,
            FailureKind::Throttled | FailureKind::Transient | FailureKind::Protocol
        )
    }
}

/// Where a listing goes on. Opaque outside the client that made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageToken(pub String);

/// An item of a page that could not be read; it never spoils the rest of the page (decision 8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableItem {
    /// Its id, where that much could be read.
    pub external_id: Option<ExternalId>,
    /// Why it could not be read.
    pub reason: String,
}

/// One page of customers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerPage {
    /// The customers that could be read.
    pub customers: Vec<ListedCustomer>,
    /// The items that could not.
    pub unreadable: Vec<UnreadableItem>,
    /// The next page; `None` at the end of a complete listing.
    pub next: Option<PageToken>,
}

/// The subscriptions of one customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionListing {
    /// Those that could be read.
    pub subscriptions: Vec<ListedSubscription>,
    /// Those that could not.
    pub unreadable: Vec<UnreadableItem>,
    /// Whether it is all of them; of half an answer nothing can be called gone (decision 8).
    pub complete: bool,
}

/// A provider's API. Implementations throttle, retry what is transient, and keep correlation ids; a flow calls plainly.
#[async_trait]
pub trait ProviderClient: Send + Sync {
    /// What it can do.
    fn capabilities(&self) -> Capabilities;
    /// One page of the listing of customers; `None` begins it.
    async fn list_customers(&self, page: Option<&PageToken>)
    -> Result<CustomerPage, ProviderError>;
    /// The details of one customer.
    async fn customer_details(&self, id: &ExternalId) -> Result<CustomerDetails, ProviderError>;
    /// Every subscription of one customer. It reads and never writes (D3).
    async fn list_subscriptions(
        &self,
        customer: &ExternalId,
    ) -> Result<SubscriptionListing, ProviderError>;
    /// A live test of every step.
    async fn verify(&self) -> VerifyReport;
}

/// Gives the client of a connected provider. Implemented in `app`, which knows every kind. The same provider at the same
/// version gets the same client, so that its token bucket and token cache are shared.
#[async_trait]
pub trait Providers: Send + Sync {
    /// The client of `provider`, with its secret opened.
    async fn client(&self, provider: &Provider) -> Result<Arc<dyn ProviderClient>, ProviderError>;
}
