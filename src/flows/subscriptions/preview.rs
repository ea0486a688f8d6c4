//! The preview of a sync from a contract (D2): what the provider has now against what we keep, as a record with an id, so
//! that a decision is about what was shown.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::keep::{Read, grouped};
use crate::domain::billing_contract::BillingContract;
use crate::domain::caller::{Caller, Permission};
use crate::domain::ids::{
    BillingContractId, PreviewId, ProductSubscriptionId, ProviderAccountId, ProviderId,
    SubscriptionRunId,
};
use crate::domain::money::Currency;
use crate::domain::ports::provider::{ProviderClient, ProviderError};
use crate::domain::subscription::{FieldDifference, QUANTITY};
use crate::domain::subscription_sync::{ChangeKind, Compared, compare};
use crate::flows::{FlowError, Flows};
use crate::store::subscription_previews::{self, KeptPreview};
use crate::store::subscriptions::sync::{self, Customer};
use crate::store::{StoreError, providers};

/// Customers read at once; the provider's token bucket sets the pace.
pub(super) const AT_ONCE: usize = 16;

/// What would happen to one subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PreviewItem {
    /// The customer at the provider.
    pub provider_account_id: ProviderAccountId,
    /// Its name.
    pub provider_account_name: String,
    /// The provider's id of the subscription.
    pub external_id: String,
    /// Ours, where we keep it.
    pub subscription_id: Option<ProductSubscriptionId>,
    /// What would happen.
    pub kind: ChangeKind,
    /// Whether it would be put into the contract.
    pub attaches: bool,
    /// Its name.
    pub name: String,
    /// The quantity at the provider; ours, when it is gone there.
    pub quantity: String,
    /// The status, likewise.
    pub status: String,
    /// Whether the quantity is all that differs.
    pub quantity_only: bool,
    /// Where they differ.
    pub differences: Vec<FieldDifference>,
    /// Why it would not be put into the contract, where that is not plain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The subscription it is an add-on of.
    pub parent_external_id: Option<String>,
}

/// A customer that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PreviewFailure {
    /// The customer.
    pub provider_account_id: ProviderAccountId,
    /// Its name.
    pub provider_account_name: String,
    /// Why, in the provider's own words.
    pub message: String,
    /// For the provider's support.
    pub correlation_id: Option<String>,
}

/// A preview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// Our id.
    pub id: PreviewId,
    /// The contract.
    pub contract_id: BillingContractId,
    /// Who asked for it.
    pub made_by: String,
    /// When.
    pub made_at: DateTime<Utc>,
    /// The subscriptions, by name.
    pub items: Vec<PreviewItem>,
    /// The customers that could not be read.
    pub failures: Vec<PreviewFailure>,
    /// The run in which it was decided on.
    pub run_id: Option<SubscriptionRunId>,
}

impl PreviewItem {
    pub(super) fn of(customer: &Customer, compared: &Compared) -> Self {
        let ours = compared.ours.as_ref();
        let listed = compared
            .theirs
            .as_ref()
            .or_else(|| ours.map(|ours| &ours.listed));
        let text = |read: fn(&crate::domain::subscription::ListedSubscription) -> String| {
            listed.map(read).unwrap_or_default()
        };
        let quantity_only =
            matches!(compared.differences.as_slice(), [one] if one.field == QUANTITY);
        Self {
            provider_account_id: customer.id,
            provider_account_name: customer.name.clone(),
            external_id: text(|it| it.external_id.to_string()),
            subscription_id: ours.map(|ours| ours.id),
            kind: compared.kind,
            attaches: ours.is_none_or(|ours| ours.contract_id.is_none()),
            name: text(|it| it.name.clone()),
            quantity: text(|it| it.quantity.to_string()),
            status: text(|it| it.status.clone()),
            quantity_only,
            note: None,
            differences: compared.differences.clone(),
            parent_external_id: listed
                .and_then(|it| it.parent_id.as_ref())
                .map(ToString::to_string),
        }
    }

    /// As it would be put into a contract of this currency: one in another never is (D1).
    pub(super) fn into_contract_in(mut self, currency: Currency, compared: &Compared) -> Self {
        let theirs = compared.theirs.as_ref().and_then(|it| it.currency);
        if let (true, Some(other)) = (self.attaches, theirs.filter(|it| *it != currency)) {
            self.attaches = false;
            self.note = Some(other_currency(other, currency));
        }
        self
    }

    /// Whether taking it over changes anything.
    #[must_use]
    pub fn does_something(&self) -> bool {
        self.kind != ChangeKind::Unchanged || self.attaches
    }
}

/// What becomes of a subscription that does not fit the contract it was previewed from.
pub(super) fn other_currency(of: Currency, contract: Currency) -> String {
    format!(
        "it costs {of} and the billing contract is in {contract}: it goes to the account's default contract in {of}, or is held until there is one"
    )
}

/// The contract, unless it was closed.
pub(super) fn if_open(contract: BillingContract) -> Result<BillingContract, FlowError> {
    match &contract.closed {
        None => Ok(contract),
        Some(closed) => Err(FlowError::Conflict {
            detail: format!(
                "the billing contract was closed on {} ({}); sync from an open one",
                closed.at.date_naive(),
                closed.reason
            ),
            current: json!({ "billingContractId": contract.id, "closedAt": closed.at }),
        }),
    }
}

/// Why nothing can be read for a contract.
pub(super) fn nobody_to_read(contract: &BillingContract) -> FlowError {
    FlowError::Invalid(format!(
        "no provider account that may be synced is mapped to account {}; map one, or enable its sync",
        contract.account_name
    ))
}

pub(super) fn of_kept(kept: KeptPreview) -> Result<Preview, FlowError> {
    let impossible = |column, value: &serde_json::Value| {
        StoreError::impossible("subscription_preview", column, kept.id, value)
    };
    Ok(Preview {
        id: kept.id,
        contract_id: kept.contract_id,
        items: serde_json::from_value(kept.items.clone())
            .map_err(|_| impossible("items", &kept.items))?,
        failures: serde_json::from_value(kept.failures.clone())
            .map_err(|_| impossible("failures", &kept.failures))?,
        made_by: kept.made_by,
        made_at: kept.made_at,
        run_id: kept.run_id,
    })
}

impl Flows {
    /// Reads the subscriptions of a contract's Account at its providers, and keeps what a sync would do.
    ///
    /// # Errors
    /// When the caller may not, there is no such contract, it is closed, or no customer is mapped to its Account.
    pub async fn preview_subscriptions(
        &self,
        caller: &Caller,
        id: BillingContractId,
    ) -> Result<Preview, FlowError> {
        caller.require(Permission::Sync)?;
        let contract = self.contract_to_sync(caller, id).await?;
        let reader = self.store.reader();
        let customers = sync::synced(reader, None, Some(contract.account_id)).await?;
        if customers.is_empty() {
            return Err(nobody_to_read(&contract));
        }
        let reads = self.read_customers(&customers).await?;
        let ids: Vec<_> = customers.iter().map(|it| it.id).collect();
        let mut ours = grouped(sync::of_customers(reader, &ids).await?);
        let by_id: HashMap<_, _> = customers.iter().map(|it| (it.id, it)).collect();
        let mut preview = Preview {
            id: PreviewId::new(self.context.new_uuid()),
            contract_id: id,
            made_by: caller.actor.name.clone(),
            made_at: self.context.now(),
            items: Vec::new(),
            failures: Vec::new(),
            run_id: None,
        };
        for read in reads {
            if let Some(customer) = by_id.get(&read.customer) {
                let mine = ours.remove(&read.customer).unwrap_or_default();
                preview.add(customer, contract.terms.currency, read, mine);
            }
        }
        preview.items.sort_by(|one, other| {
            (&one.name, &one.external_id).cmp(&(&other.name, &other.external_id))
        });
        self.keep_preview(&preview).await?;
        Ok(preview)
    }

    async fn keep_preview(&self, preview: &Preview) -> Result<(), FlowError> {
        let kept = KeptPreview {
            id: preview.id,
            contract_id: preview.contract_id,
            made_by: preview.made_by.clone(),
            made_at: preview.made_at,
            items: json!(preview.items),
            failures: json!(preview.failures),
            run_id: None,
        };
        let tx = self.store.begin().await?;
        subscription_previews::insert(&tx, &kept).await?;
        Ok(tx.commit().await?)
    }

    /// A preview as it was made.
    ///
    /// # Errors
    /// When the caller may not, or there is no such preview.
    pub async fn get_subscription_preview(
        &self,
        caller: &Caller,
        id: PreviewId,
    ) -> Result<Preview, FlowError> {
        caller.require(Permission::Read)?;
        let kept = subscription_previews::find(self.store.reader(), id).await?;
        of_kept(kept.ok_or_else(|| FlowError::not_found("preview", id))?)
    }

    /// The contract, if it may be synced from.
    pub(super) async fn contract_to_sync(
        &self,
        caller: &Caller,
        id: BillingContractId,
    ) -> Result<BillingContract, FlowError> {
        if_open(self.get_billing_contract(caller, id).await?)
    }

    /// Asks the providers for the subscriptions of customers, several at a time. A failure of one is its own.
    pub(super) async fn read_customers(
        &self,
        customers: &[Customer],
    ) -> Result<Vec<Read>, FlowError> {
        let mut clients: HashMap<ProviderId, Result<_, ProviderError>> = HashMap::new();
        for customer in customers {
            let id = customer.provider_id;
            if clients.contains_key(&id) {
                continue;
            }
            let provider = providers::find(self.store.reader(), id)
                .await?
                .ok_or_else(|| FlowError::not_found("provider", id))?;
            clients.insert(id, self.providers.client(&provider).await);
        }
        let reads = futures_util::stream::iter(customers)
            .map(|customer| {
                let client = clients.get(&customer.provider_id);
                self.read_customer(client, customer)
            })
            .buffer_unordered(AT_ONCE)
            .collect::<Vec<_>>()
            .await;
        Ok(reads.into_iter().flatten().collect())
    }

    async fn read_customer(
        &self,
        client: Option<&Result<std::sync::Arc<dyn ProviderClient>, ProviderError>>,
        customer: &Customer,
    ) -> Option<Read> {
        let asked_at = self.context.now();
        let answer = match client? {
            Ok(client) => client.list_subscriptions(&customer.external_id).await,
            Err(error) => Err(error.clone()),
        };
        Some(Read {
            customer: customer.id,
            asked_at,
            answer,
        })
    }
}

impl Preview {
    fn add(
        &mut self,
        customer: &Customer,
        currency: Currency,
        read: Read,
        ours: Vec<crate::domain::subscription::Subscription>,
    ) {
        let failure = |message: String, correlation_id| PreviewFailure {
            provider_account_id: customer.id,
            provider_account_name: customer.name.clone(),
            message,
            correlation_id,
        };
        let listing = match read.answer {
            Ok(listing) => listing,
            Err(error) => {
                let failure = failure(error.message, error.correlation_id);
                self.failures.push(failure);
                return;
            }
        };
        for item in &listing.unreadable {
            let message = format!("a subscription could not be read: {}", item.reason);
            self.failures.push(failure(message, None));
        }
        if !listing.complete {
            let message = "the provider announced more subscriptions than it sent";
            self.failures.push(failure(message.to_owned(), None));
        }
        let contract = self.contract_id;
        for compared in compare(ours, listing) {
            let elsewhere = compared.ours.as_ref().and_then(|it| it.contract_id);
            if elsewhere.is_none_or(|id| id == contract) {
                let item = PreviewItem::of(customer, &compared);
                self.items.push(item.into_contract_in(currency, &compared));
            }
        }
    }
}
