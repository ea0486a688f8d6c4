//! "Why did nothing change?" (D7): what the provider has now, what we have, when it was last compared, and which precondition
//! stands in the way, each in a plain sentence.

use chrono::{DateTime, Utc};

use crate::domain::billing_contract::BillingContract;
use crate::domain::caller::{Caller, Permission};
use crate::domain::ids::ProductSubscriptionId;
use crate::domain::mapping::Mapping;
use crate::domain::ports::provider::{FailureKind, ProviderError};
use crate::domain::provider::Provider;
use crate::domain::provider_account::ProviderAccount;
use crate::domain::subscription::{FieldDifference, ListedSubscription, Subscription};
use crate::flows::{FlowError, Flows};
use crate::store::subscriptions::reads::{self, Reading};
use crate::store::{billing_contracts, provider_accounts, providers};

/// One thing that has to be so for a change to arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Precondition {
    /// What was checked.
    pub name: &'static str,
    /// Whether it is so.
    pub holds: bool,
    /// What was found, and what to do where it is not so.
    pub detail: String,
}

/// The explanation.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// What we have.
    pub ours: Subscription,
    /// What the provider has now; `None` when it could not be asked, or has it no more.
    pub theirs: Option<ListedSubscription>,
    /// Where they differ now.
    pub differences: Vec<FieldDifference>,
    /// When the provider last gave the whole answer, and it was compared.
    pub last_compared_at: Option<DateTime<Utc>>,
    /// The preconditions, in the order in which they matter.
    pub preconditions: Vec<Precondition>,
    /// The answer in one sentence.
    pub summary: String,
}

fn check(name: &'static str, holds: bool, detail: impl Into<String>) -> Precondition {
    Precondition {
        name,
        holds,
        detail: detail.into(),
    }
}

impl Flows {
    /// Looks at the provider now, and says why a subscription is as it is here.
    ///
    /// # Errors
    /// When the caller may not, or there is no such subscription. A provider that cannot be asked is part of the answer.
    pub async fn explain_subscription(
        &self,
        caller: &Caller,
        id: ProductSubscriptionId,
    ) -> Result<Explanation, FlowError> {
        caller.require(Permission::Read)?;
        let ours = self.get_subscription(caller, id).await?;
        let reader = self.store.reader();
        let customer = provider_accounts::find(reader, ours.provider_account_id)
            .await?
            .ok_or_else(|| FlowError::not_found("provider account", ours.provider_account_id))?;
        let provider = providers::find(reader, ours.provider_id)
            .await?
            .ok_or_else(|| FlowError::not_found("provider", ours.provider_id))?;
        let contract = match ours.contract_id {
            Some(contract) => billing_contracts::find(reader, contract).await?,
            None => None,
        };
        let reading = reads::of(reader, &[customer.id])
            .await?
            .remove(&customer.id);
        let live = self.live_subscriptions(&provider, &customer).await;
        let (theirs, listed) = match &live {
            Ok(all) => {
                let same = |it: &&ListedSubscription| it.external_id == ours.listed.external_id;
                (all.iter().find(same).cloned(), true)
            }
            Err(_) => (None, false),
        };
        let preconditions = vec![
            provider_enabled(&provider),
            provider_answers(live.as_ref().err()),
            still_listed(listed, theirs.is_some()),
            sync_enabled(&customer),
            mapped(&customer),
            in_contract(&ours, contract.as_ref()),
            compared(reading.as_ref()),
        ];
        let differences = theirs
            .as_ref()
            .map(|theirs| ours.listed.differences(theirs))
            .unwrap_or_default();
        let summary = summary(&preconditions, theirs.is_some(), &differences);
        Ok(Explanation {
            last_compared_at: reading.and_then(|reading| reading.whole_at),
            ours,
            theirs,
            differences,
            preconditions,
            summary,
        })
    }

    async fn live_subscriptions(
        &self,
        provider: &Provider,
        customer: &ProviderAccount,
    ) -> Result<Vec<ListedSubscription>, ProviderError> {
        let client = self.providers.client(provider).await?;
        let listing = client.list_subscriptions(&customer.external_id).await?;
        Ok(listing.subscriptions)
    }
}

fn provider_enabled(provider: &Provider) -> Precondition {
    let detail = if provider.enabled {
        format!("provider `{}` is enabled", provider.name)
    } else {
        format!(
            "provider `{}` is disabled, so nothing of it is synced; enable it",
            provider.name
        )
    };
    check("provider enabled", provider.enabled, detail)
}

fn provider_answers(error: Option<&ProviderError>) -> Precondition {
    match error {
        None => check(
            "provider answers",
            true,
            "the provider gave the subscriptions of the customer just now",
        ),
        Some(error) if error.kind == FailureKind::Consent => check(
            "provider answers",
            false,
            format!("consent is missing or lapsed: {}", error.message),
        ),
        Some(error) => check("provider answers", false, error.message.clone()),
    }
}

fn still_listed(asked: bool, found: bool) -> Precondition {
    match (asked, found) {
        (false, _) => check(
            "listed at the provider",
            true,
            "not known, because the provider could not be asked",
        ),
        (true, true) => check(
            "listed at the provider",
            true,
            "the provider lists the subscription",
        ),
        (true, false) => check(
            "listed at the provider",
            false,
            "the provider lists the subscription no more; the next sync notes it as gone",
        ),
    }
}

fn sync_enabled(customer: &ProviderAccount) -> Precondition {
    let name = &customer.name;
    if let Some(since) = customer.missing_since {
        return check(
            "customer synced",
            false,
            format!(
                "customer {name} is missing at the provider since {}, so it is not synced",
                since.date_naive()
            ),
        );
    }
    if matches!(customer.mapping, Mapping::Excluded { .. }) {
        return check(
            "customer synced",
            false,
            format!("customer {name} is excluded, so it is not synced; include it again"),
        );
    }
    let detail = if customer.sync_enabled {
        format!("customer {name} is synced")
    } else {
        format!("the sync of customer {name} is disabled; enable it")
    };
    check("customer synced", customer.sync_enabled, detail)
}

fn mapped(customer: &ProviderAccount) -> Precondition {
    match &customer.mapping {
        Mapping::Mapped { account_name, .. } => check(
            "mapped",
            true,
            format!("the customer is mapped to account {account_name}"),
        ),
        Mapping::Unmapped { .. } | Mapping::Excluded { .. } => check(
            "mapped",
            false,
            "the customer is mapped to no account, so the subscription is in no billing contract; map it",
        ),
    }
}

fn in_contract(ours: &Subscription, contract: Option<&BillingContract>) -> Precondition {
    match (contract, ours.held_for) {
        (Some(contract), _) => check(
            "in a billing contract",
            contract.closed.is_none(),
            format!("it is in billing contract {}", contract.terms.name),
        ),
        (None, held) => check(
            "in a billing contract",
            false,
            held.map_or("it is in no billing contract", super::batch::why_held),
        ),
    }
}

fn compared(reading: Option<&Reading>) -> Precondition {
    let name = "compared";
    match reading {
        None => check(
            name,
            false,
            "the customer was never read by a sync; run one, or set its schedule",
        ),
        Some(Reading {
            error: Some(error), ..
        }) => check(
            name,
            false,
            format!("the last sync could not read the customer: {error}"),
        ),
        Some(reading) => check(
            name,
            true,
            format!(
                "it was last compared at {}",
                crate::domain::subscription::instant_text(reading.asked_at)
            ),
        ),
    }
}

fn summary(preconditions: &[Precondition], found: bool, differences: &[FieldDifference]) -> String {
    if let Some(missing) = preconditions.iter().find(|it| !it.holds) {
        return missing.detail.clone();
    }
    if !found {
        return "the provider could not be asked".to_owned();
    }
    if differences.is_empty() {
        return "nothing changed: the provider has exactly what is kept here".to_owned();
    }
    let fields: Vec<_> = differences.iter().map(|it| it.field.as_str()).collect();
    format!(
        "{} changed at the provider since the last sync; the next one takes it over",
        fields.join(", ")
    )
}
