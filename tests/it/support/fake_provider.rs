//! A provider whose customers' subscriptions a test writes itself. It has no way to be written to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use provider_bridge::domain::money::{Currency, parse_decimal};
use provider_bridge::domain::ports::provider::{
    CustomerPage, FailureKind, PageToken, ProviderClient, ProviderError, Providers,
    SubscriptionListing,
};
use provider_bridge::domain::provider::{Capabilities, Provider};
use provider_bridge::domain::provider_account::{CustomerDetails, ExternalId};
use provider_bridge::domain::subscription::ListedSubscription;
use provider_bridge::domain::verify::VerifyReport;
use tokio::sync::Notify;

type Answers = BTreeMap<String, Result<SubscriptionListing, ProviderError>>;

/// The fake, to be shared between the test and the service.
#[derive(Clone, Default)]
pub struct FakeProvider {
    answers: Arc<Mutex<Answers>>,
    gate: Arc<Mutex<Option<Arc<Gate>>>>,
}

/// Holds the next call back, so that a test can do something while the service waits for the provider.
#[derive(Default)]
pub struct Gate {
    asked: Notify,
    open: Notify,
}

impl Gate {
    /// Waits for the call, does `meanwhile`, and lets the call go on.
    pub async fn during_the_call(&self, meanwhile: impl Future<Output = ()>) {
        self.asked.notified().await;
        meanwhile.await;
        self.open.notify_one();
    }
}

/// A subscription of so many licences.
pub fn listed(id: &str, quantity: &str) -> ListedSubscription {
    ListedSubscription {
        external_id: ExternalId::parse(id).unwrap(),
        parent_id: None,
        name: format!("Product {id}"),
        product_id: Some(format!("P-{id}")),
        unit: Some("Licenses".to_owned()),
        quantity: parse_decimal(quantity).unwrap(),
        status: "active".to_owned(),
        starts_at: Some("2026-03-10T00:00:00Z".parse().unwrap()),
        ends_at: None,
        unit_cost: None,
        currency: None,
        facts: BTreeMap::from([("termDuration".to_owned(), "P1Y".to_owned())]),
    }
}

/// The same, with a cost.
pub fn costing(mut listed: ListedSubscription, cost: &str, currency: &str) -> ListedSubscription {
    listed.unit_cost = Some(parse_decimal(cost).unwrap());
    listed.currency = Some(Currency::parse(currency).unwrap());
    listed
}

/// A failure with the provider's own words.
pub fn failure(kind: FailureKind, message: &str) -> ProviderError {
    ProviderError {
        kind,
        message: message.to_owned(),
        code: None,
        retry_after: None,
        correlation_id: Some("MS-CorrelationId canary".to_owned()),
    }
}

impl FakeProvider {
    /// From now on this is what the customer has.
    pub fn set(&self, customer: &str, subscriptions: Vec<ListedSubscription>) {
        let listing = SubscriptionListing {
            subscriptions,
            unreadable: Vec::new(),
            complete: true,
        };
        self.answer(customer, Ok(listing));
    }

    /// From now on this is the answer for the customer.
    pub fn answer(&self, customer: &str, answer: Result<SubscriptionListing, ProviderError>) {
        let mut answers = self.answers.lock().unwrap();
        answers.insert(customer.to_owned(), answer);
    }

    /// Before the next call.
    pub fn gate(&self) -> Arc<Gate> {
        let gate = Arc::new(Gate::default());
        *self.gate.lock().unwrap() = Some(gate.clone());
        gate
    }
}

#[async_trait]
impl ProviderClient for FakeProvider {
    fn capabilities(&self) -> Capabilities {
        panic!("nobody asks")
    }
    async fn list_customers(&self, _: Option<&PageToken>) -> Result<CustomerPage, ProviderError> {
        panic!("nobody asks")
    }
    async fn customer_details(&self, _: &ExternalId) -> Result<CustomerDetails, ProviderError> {
        panic!("nobody asks")
    }
    async fn list_subscriptions(
        &self,
        customer: &ExternalId,
    ) -> Result<SubscriptionListing, ProviderError> {
        let gate = self.gate.lock().unwrap().take();
        if let Some(gate) = gate {
            gate.asked.notify_one();
            gate.open.notified().await;
        }
        let known = self.answers.lock().unwrap().get(customer.as_str()).cloned();
        known.unwrap_or_else(|| {
            Ok(SubscriptionListing {
                subscriptions: Vec::new(),
                unreadable: Vec::new(),
                complete: true,
            })
        })
    }
    async fn verify(&self) -> VerifyReport {
        VerifyReport::of(Vec::new())
    }
}

#[async_trait]
impl Providers for FakeProvider {
    async fn client(&self, _: &Provider) -> Result<Arc<dyn ProviderClient>, ProviderError> {
        Ok(Arc::new(self.clone()))
    }
}
