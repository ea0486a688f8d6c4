//! What goes in and out of the operations on subscriptions and their change log.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::ids::{AccountId, BillingContractId};
use crate::domain::money::parse_decimal;
use crate::domain::subscription::{HeldFor, Subscription, SubscriptionState};

use crate::flows::subscriptions::reading::{KeptEntry, SubscriptionEdit};
use crate::http::problem::{Outcome, Problem};
use crate::http::reading::{not_null, null_too};
use crate::http::words;

/// A field that the provider documents, as text.
#[derive(Serialize, ToSchema)]
#[schema(as = SubscriptionFact)]
#[serde(rename_all = "camelCase")]
pub(in crate::http::api) struct FactBody {
    /// The provider's own name of the field.
    #[schema(example = "termDuration")]
    name: String,
    /// Its value.
    #[schema(example = "P1Y")]
    value: String,
}

/// What a customer holds at a provider.
#[derive(Serialize, ToSchema)]
#[schema(as = Subscription)]
#[serde(rename_all = "camelCase")]
pub(in crate::http::api) struct SubscriptionBody {
    /// Id of the subscription.
    subscription_id: Uuid,
    /// The provider.
    provider_id: Uuid,
    /// The provider account it belongs to.
    provider_account_id: Uuid,
    /// The provider's own id of the subscription.
    external_id: String,
    /// The provider's id of the subscription it is an add-on of.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    parent_external_id: Option<String>,
    /// What people call it.
    #[schema(example = "Microsoft 365 Business Premium")]
    name: String,
    /// The provider's id of the product.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    product_id: Option<String>,
    /// What the quantity counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "Licenses")]
    unit: Option<String>,
    /// How many.
    quantity: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = words::subscription_standing)]
    state: Option<&'static str>,
    /// The provider's own word for its state.
    #[schema(example = "active")]
    status: String,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    starts_at: Option<DateTime<Utc>>,
    /// When its term ends; absent for never.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    ends_at: Option<DateTime<Utc>>,
    /// What a unit costs, as a decimal text, where the provider says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "12.50")]
    unit_cost: Option<String>,
    /// Currency of the cost (ISO 4217), where the provider says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "EUR")]
    currency: Option<String>,
    /// What a unit is sold for, as a decimal text in the currency of the contract. A sync never changes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "15.90")]
    selling_price: Option<String>,
    /// The account it belongs to, as its provider account is mapped.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    account_id: Option<Uuid>,
    /// The billing contract it sits in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    billing_contract_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = words::held_for)]
    held_for: Option<&'static str>,
    /// Everything else the provider says of it.
    facts: Vec<FactBody>,
    /// When a sync first saw it.
    first_seen_at: DateTime<Utc>,
    /// Since when the provider lists it no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    gone_since: Option<DateTime<Utc>>,
    /// When anything of it last changed.
    updated_at: DateTime<Utc>,
    /// Grows by one with each change; also the ETag.
    version: i64,
}

/// A quantity for people who calculate with it.
pub(in crate::http::api) fn number(quantity: Decimal) -> f64 {
    quantity.to_f64().unwrap_or_default()
}

impl From<Subscription> for SubscriptionBody {
    fn from(it: Subscription) -> Self {
        let state = it.listed.state().map(SubscriptionState::name);
        let listed = it.listed;
        let text = |amount: Option<Decimal>| amount.map(|amount| amount.to_string());
        let facts = listed.facts.into_iter();
        Self {
            subscription_id: it.id.as_uuid(),
            provider_id: it.provider_id.as_uuid(),
            provider_account_id: it.provider_account_id.as_uuid(),
            external_id: listed.external_id.to_string(),
            parent_external_id: listed.parent_id.map(|id| id.to_string()),
            name: listed.name,
            product_id: listed.product_id,
            unit: listed.unit,
            quantity: number(listed.quantity),
            state,
            status: listed.status,
            starts_at: listed.starts_at,
            ends_at: listed.ends_at,
            unit_cost: text(listed.unit_cost),
            currency: listed.currency.map(|currency| currency.to_string()),
            selling_price: text(it.selling_price),
            account_id: it.account_id.map(AccountId::as_uuid),
            billing_contract_id: it.contract_id.map(BillingContractId::as_uuid),
            held_for: it.held_for.map(HeldFor::name),
            facts: facts
                .map(|(name, value)| FactBody { name, value })
                .collect(),
            first_seen_at: it.first_seen_at,
            gone_since: it.gone_since,
            updated_at: it.updated_at,
            version: it.version,
        }
    }
}

/// What to change; whatever is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[schema(as = SubscriptionEdit)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::http::api) struct EditBody {
    /// New selling price of a unit, as a decimal text in the currency of the contract; null takes it away.
    #[serde(default, deserialize_with = "null_too")]
    #[schema(value_type = Option<String>, example = "15.90")]
    selling_price: Option<Option<String>>,
    /// The billing contract it is put into: an open one of its account, in its currency.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    billing_contract_id: Option<Uuid>,
}

impl EditBody {
    pub(super) fn read(self, expected_version: Option<i64>) -> Outcome<SubscriptionEdit> {
        let price = |text: String| {
            parse_decimal(&text)
                .map_err(|error| Problem::invalid(format!("`sellingPrice`: {error}.")))
        };
        Ok(SubscriptionEdit {
            selling_price: match self.selling_price {
                Some(Some(text)) => Some(Some(price(text)?)),
                Some(None) => Some(None),
                None => None,
            },
            contract_id: self.billing_contract_id.map(BillingContractId::new),
            expected_version,
        })
    }
}

/// One dated change of a subscription.
#[derive(Serialize, ToSchema)]
#[schema(as = LicenseChange)]
#[serde(rename_all = "camelCase")]
pub(in crate::http::api) struct LicenseChangeBody {
    /// Id of the entry.
    license_change_id: Uuid,
    #[schema(schema_with = words::log_kind)]
    kind: &'static str,
    /// By how much the quantity changed; all entries of a subscription add up to its quantity.
    quantity_change: f64,
    /// The cost of a unit before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    old_cost: Option<String>,
    /// The cost of a unit after.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    new_cost: Option<String>,
    /// Since when it is so.
    effective_at: DateTime<Utc>,
    /// Whether that is only when it was found.
    estimated: bool,
    /// Where its provisioning stands: not-applicable for what was found at the provider.
    #[schema(example = "not-applicable")]
    provisioning: String,
    /// The billing contract that bills it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    billing_contract_id: Option<Uuid>,
    /// Whether it is invoiced or written off.
    archived: bool,
    /// Why it was written off.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    archived_reason: Option<String>,
    /// Who made it.
    actor: String,
    /// When it was made.
    created_at: DateTime<Utc>,
}

impl From<KeptEntry> for LicenseChangeBody {
    fn from(it: KeptEntry) -> Self {
        let entry = it.entry;
        Self {
            license_change_id: it.id.as_uuid(),
            kind: entry.kind.name(),
            quantity_change: number(entry.quantity_change),
            old_cost: entry.old_cost.map(|cost| cost.to_string()),
            new_cost: entry.new_cost.map(|cost| cost.to_string()),
            effective_at: entry.effective_at,
            estimated: entry.estimated,
            provisioning: it.provisioning,
            billing_contract_id: it.contract_id.map(BillingContractId::as_uuid),
            archived: it.archived,
            archived_reason: it.archived_reason,
            actor: it.actor,
            created_at: it.created_at,
        }
    }
}
