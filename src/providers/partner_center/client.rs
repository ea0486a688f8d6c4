//! The client itself: the provider port in terms of calls. It keeps nothing between two calls but its token and its bucket,
//! so it is shared behind an `Arc` and called from many tasks at once.

use std::sync::Arc;

use async_trait::async_trait;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::call::Caller;
use super::details::read_details;
use super::listing::{page_url, read_page};
use super::page_token::Place;
use super::settings::{PartnerCenterConnection, PartnerCenterSettings};
use super::subscriptions::read_subscriptions;
use crate::domain::context::Context;
use crate::domain::ports::consent::UserTokens;
use crate::domain::ports::provider::{
    CustomerPage, FailureKind, PageToken, ProviderClient, ProviderError, SubscriptionListing,
};
use crate::domain::provider::{Capabilities, Provider};
use crate::domain::provider_account::{CustomerDetails, ExternalId};
use crate::domain::verify::VerifyReport;
use crate::net::app_token::AppTokens;
use crate::net::client::HttpClient;
use crate::net::token_bucket::TokenBucket;

const CONTINUATION: HeaderName = HeaderName::from_static("ms-continuationtoken");
/// Partner Center's way of saying that the last page has been read, as an HTTP 400.
const NO_MORE_RECORDS: &str = "2000";

/// A connection to one partner's Partner Center.
#[derive(Debug)]
pub struct PartnerCenterClient {
    pub(super) caller: Caller,
    pub(super) settings: PartnerCenterSettings,
    pub(super) connection: PartnerCenterConnection,
    pub(super) user: Option<UserAccess>,
}

/// How the client gets the token of the user who consented.
pub struct UserAccess {
    /// Whose client this is.
    pub provider: Provider,
    /// Gives the token.
    pub tokens: Arc<dyn UserTokens>,
}

impl std::fmt::Debug for UserAccess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("UserAccess")
            .field(&self.provider.id)
            .finish()
    }
}

impl PartnerCenterClient {
    /// Makes a client; nothing is called yet.
    #[must_use]
    pub fn new(
        http: HttpClient,
        context: Context,
        settings: PartnerCenterSettings,
        connection: PartnerCenterConnection,
    ) -> Self {
        let credential = connection.credential(&settings);
        let caller = Caller {
            http: http.clone(),
            context: context.clone(),
            tokens: AppTokens::new(http, context.clone(), credential),
            bucket: TokenBucket::new(context, settings.requests_per_minute, settings.burst),
            retry: settings.retry,
        };
        Self {
            caller,
            settings,
            connection,
            user: None,
        }
    }

    /// The same, able to call as the user who consented.
    #[must_use]
    pub fn with_user(mut self, user: UserAccess) -> Self {
        self.user = Some(user);
        self
    }
}

#[async_trait]
impl ProviderClient for PartnerCenterClient {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            customers: true,
            subscriptions: true,
            agreements: false,
            usage: false,
            add_ons: true,
            quantity_change: false,
            dry_run: false,
            write_back: false,
            webhooks: false,
        }
    }

    async fn list_customers(
        &self,
        page: Option<&PageToken>,
    ) -> Result<CustomerPage, ProviderError> {
        let place = page.map(open_place).transpose()?;
        let mut headers = HeaderMap::new();
        if let Some(place) = &place {
            let token = HeaderValue::from_str(place.token()).map_err(|_| foreign_place())?;
            headers.insert(CONTINUATION, token);
        }
        let customers = self.settings.resource(&["customers"]);
        let url = page_url(customers, self.settings.page_size, place.as_ref());
        let number = place.as_ref().map_or(0, Place::pages) + 1;
        let what = format!("list its customers (page {number})");
        let read = |body: &[u8]| read_page(body, place.as_ref());
        match self.caller.get(&what, url, headers, read).await {
            // Before any page was read, the same answer is only an error.
            Err(error) if place.is_some() && is_end(&error) => Ok(CustomerPage {
                customers: Vec::new(),
                unreadable: Vec::new(),
                next: None,
            }),
            outcome => outcome,
        }
    }

    async fn customer_details(&self, id: &ExternalId) -> Result<CustomerDetails, ProviderError> {
        let url = self.settings.resource(&["customers", id.as_str()]);
        let what = format!("show customer {id}");
        let read = |body: &[u8]| read_details(body, id);
        self.caller.get(&what, url, HeaderMap::new(), read).await
    }

    async fn list_subscriptions(
        &self,
        customer: &ExternalId,
    ) -> Result<SubscriptionListing, ProviderError> {
        let path = ["customers", customer.as_str(), "subscriptions"];
        let url = self.settings.resource(&path);
        let what = format!("list the subscriptions of customer {customer}");
        self.caller
            .get(&what, url, HeaderMap::new(), read_subscriptions)
            .await
    }

    async fn verify(&self) -> VerifyReport {
        super::verify::verify(self).await
    }
}

fn is_end(error: &ProviderError) -> bool {
    error.kind == FailureKind::Rejected && error.code.as_deref() == Some(NO_MORE_RECORDS)
}

fn open_place(token: &PageToken) -> Result<Place, ProviderError> {
    Place::open(token).ok_or_else(foreign_place)
}

fn foreign_place() -> ProviderError {
    ProviderError {
        kind: FailureKind::Protocol,
        message: "the place to go on from is not one this client gave; begin the listing anew"
            .to_owned(),
        code: None,
        retry_after: None,
        correlation_id: None,
    }
}
