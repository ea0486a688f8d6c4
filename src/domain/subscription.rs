//! A Subscription: a product, quantity, term and price that a customer holds (D). What a provider lists is compared field
//! by field with what we keep; a sync owns quantity, status, dates and cost, never the selling price (D12).

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::ids::{
    AccountId, BillingContractId, ProductSubscriptionId, ProviderAccountId, ProviderId,
};
use super::money::Currency;
use super::provider_account::ExternalId;

/// What a provider says of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedSubscription {
    /// The provider's id.
    pub external_id: ExternalId,
    /// The subscription it is an add-on of.
    pub parent_id: Option<ExternalId>,
    /// What people call it.
    pub name: String,
    /// The provider's id of the product, as far as it names one.
    pub product_id: Option<String>,
    /// What the quantity counts.
    pub unit: Option<String>,
    /// How many.
    pub quantity: Decimal,
    /// The provider's own word; unknown ones are kept as they came (decision 8).
    pub status: String,
    /// When it began.
    pub starts_at: Option<DateTime<Utc>>,
    /// When its term ends; `None` for never.
    pub ends_at: Option<DateTime<Utc>>,
    /// What we pay a unit, where the provider says so.
    pub unit_cost: Option<Decimal>,
    /// The currency of the cost, where the provider says so.
    pub currency: Option<Currency>,
    /// Everything else that is documented, by the provider's own field names, as text.
    pub facts: BTreeMap<String, String>,
}

/// Where a subscription stands (E9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SubscriptionState {
    /// In use.
    Active,
    /// Not yet, or no longer, in use.
    Inactive,
    /// Stopped, and may be resumed.
    Suspended,
    /// Ended by somebody.
    Cancelled,
    /// Ended by its term.
    Expired,
}

impl SubscriptionState {
    /// All states.
    pub const ALL: [Self; 5] = [
        Self::Active,
        Self::Inactive,
        Self::Suspended,
        Self::Cancelled,
        Self::Expired,
    ];

    /// The name in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Suspended => "suspended",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    /// The state behind a provider's word; `None` for a word that we do not know.
    #[must_use]
    pub fn of_status(status: &str) -> Option<Self> {
        Some(match status {
            "active" => Self::Active,
            "none" | "pending" => Self::Inactive,
            "suspended" | "disabled" => Self::Suspended,
            "deleted" | "cancelled" => Self::Cancelled,
            "expired" => Self::Expired,
            _ => return None,
        })
    }
}

/// Why a subscription sits in no Billing Contract (D8, D9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeldFor {
    /// Its Provider Account is mapped to no Account.
    Mapping,
    /// The Account has no default contract that fits.
    Contract,
    /// Several default contracts fit, and nothing says which.
    Choice,
}

impl HeldFor {
    /// All reasons.
    pub const ALL: [Self; 3] = [Self::Mapping, Self::Contract, Self::Choice];

    /// The name in the API and the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mapping => "mapping",
            Self::Contract => "contract",
            Self::Choice => "choice",
        }
    }

    /// Reads [`Self::name`] back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|held| held.name() == name)
    }
}

/// A subscription as we keep it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Our id.
    pub id: ProductSubscriptionId,
    /// The provider.
    pub provider_id: ProviderId,
    /// The customer at the provider.
    pub provider_account_id: ProviderAccountId,
    /// What the provider said last.
    pub listed: ListedSubscription,
    /// The Account it belongs to, as its Provider Account is mapped.
    pub account_id: Option<AccountId>,
    /// The contract it is billed by.
    pub contract_id: Option<BillingContractId>,
    /// Why it has none.
    pub held_for: Option<HeldFor>,
    /// What the customer pays a unit, in the currency of the contract. Never touched by a sync (D12).
    pub selling_price: Option<Decimal>,
    /// When a sync first saw it.
    pub first_seen_at: DateTime<Utc>,
    /// Since when complete listings no longer show it.
    pub gone_since: Option<DateTime<Utc>>,
    /// When anything of it last changed.
    pub updated_at: DateTime<Utc>,
    /// Grows by one with each change; the entity tag of the API.
    pub version: i64,
}

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldDifference {
    /// The field, in the API's words; a fact by the provider's own name.
    pub field: String,
    /// What we had.
    pub old: Option<String>,
    /// What the provider has.
    pub new: Option<String>,
}

/// The field whose difference is a change of quantity.
pub const QUANTITY: &str = "quantity";
/// The field whose difference is a change of cost.
pub const UNIT_COST: &str = "unitCost";
/// The field whose difference may be an activation or a deactivation.
pub const STATUS: &str = "status";

/// An instant as reports show it.
#[must_use]
pub fn instant_text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

impl ListedSubscription {
    /// The state, where we know the provider's word.
    #[must_use]
    pub fn state(&self) -> Option<SubscriptionState> {
        SubscriptionState::of_status(&self.status)
    }

    fn typed(&self) -> [(&'static str, Option<String>); 10] {
        let id = |id: &Option<ExternalId>| id.as_ref().map(ToString::to_string);
        [
            (QUANTITY, Some(self.quantity.to_string())),
            (STATUS, Some(self.status.clone())),
            ("name", Some(self.name.clone())),
            ("productId", self.product_id.clone()),
            ("unit", self.unit.clone()),
            ("parentId", id(&self.parent_id)),
            ("startsAt", self.starts_at.map(instant_text)),
            ("endsAt", self.ends_at.map(instant_text)),
            (UNIT_COST, self.unit_cost.map(|cost| cost.to_string())),
            (
                "currency",
                self.currency.map(|currency| currency.to_string()),
            ),
        ]
    }

    /// Every field in which `new` differs from this.
    #[must_use]
    pub fn differences(&self, new: &Self) -> Vec<FieldDifference> {
        if self == new {
            return Vec::new();
        }
        let typed = self.typed().into_iter().zip(new.typed());
        let mut found: Vec<_> = typed
            .filter(|((_, old), (_, new))| old != new)
            .map(|((field, old), (_, new))| FieldDifference {
                field: field.to_owned(),
                old,
                new,
            })
            .collect();
        let names = self.facts.keys().chain(new.facts.keys());
        let names: std::collections::BTreeSet<_> = names.collect();
        for name in names {
            let (old, new) = (self.facts.get(name), new.facts.get(name));
            if old != new {
                found.push(FieldDifference {
                    field: name.clone(),
                    old: old.cloned(),
                    new: new.cloned(),
                });
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed() -> ListedSubscription {
        ListedSubscription {
            external_id: ExternalId::parse("S1").unwrap(),
            parent_id: None,
            name: "Visio".to_owned(),
            product_id: Some("P".to_owned()),
            unit: Some("Licenses".to_owned()),
            quantity: Decimal::from(5),
            status: "active".to_owned(),
            starts_at: None,
            ends_at: None,
            unit_cost: None,
            currency: None,
            facts: BTreeMap::from([("termDuration".to_owned(), "P1Y".to_owned())]),
        }
    }

    #[test]
    fn every_field_that_differs_is_named_with_both_values() {
        let old = listed();
        let mut new = listed();
        new.quantity = Decimal::from(7);
        new.facts.insert("orderId".to_owned(), "o".to_owned());
        new.facts.remove("termDuration");
        let found = old.differences(&new);
        let texts: Vec<_> = found
            .iter()
            .map(|it| (it.field.as_str(), it.old.as_deref(), it.new.as_deref()))
            .collect();
        assert_eq!(
            texts,
            [
                ("quantity", Some("5"), Some("7")),
                ("orderId", None, Some("o")),
                ("termDuration", Some("P1Y"), None),
            ]
        );
        assert_eq!(old.differences(&listed()), []);
    }

    #[test]
    fn a_word_that_nobody_documented_has_no_state() {
        assert_eq!(SubscriptionState::of_status("in_review"), None);
        assert_eq!(
            SubscriptionState::of_status("disabled"),
            Some(SubscriptionState::Suspended)
        );
    }
}
