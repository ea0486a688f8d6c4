//! Exceptions (D6): records that will break billing later. One open row per (kind, subject); each says how to mend it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::ids::{ExceptionId, ProviderId};

/// Makes the kinds with their names and remedies from one list.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal, $remedy:literal;)+) => {
        /// The kinds there are.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum ExceptionKind {
            $($(#[$doc])* $kind,)+
        }

        impl ExceptionKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)+];

            /// The name in the API and the store.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)+
                }
            }

            /// What to do about it.
            #[must_use]
            pub const fn remedy(self) -> &'static str {
                match self {
                    $(Self::$kind => $remedy,)+
                }
            }
        }
    };
}

kinds! {
    /// A mapping points to an Account that is gone, deactivated, or merged against one-to-one (B10).
    BrokenMapping = "broken-mapping", "map the provider account to an active account, or unmap it";
    /// The evidence is sure of another Account than the mapped one.
    MappingDrift = "mapping-drift", "look at the evidence and remap the provider account, or reject the suggestion if the mapping is right";
    /// The CRM has a mapped customer in several Accounts (B9).
    DuplicateAccounts = "duplicate-accounts", "merge the accounts in Dynamics; the mappings follow the one that survives";
    /// One customer is mapped differently through two providers, or at one and not at another (B12).
    SplitCustomer = "split-customer", "map the provider accounts to the same account, or unmap the one that is wrong";
    /// A trigger subscription was retired or suspended because its receiver keeps refusing.
    TriggerRefused = "trigger-refused", "turn the flow off and on again";
    /// A webhook of Dynamics came with an unknown secret; it is not sent again (H4).
    WebhookRefused = "webhook-refused", "give the webhook in Dynamics the present secret";
    /// A subscription belongs to a Provider Account that is mapped to no Account (D8).
    SubscriptionWithoutCustomer = "subscription-without-customer", "map the provider account; the subscription lands by itself";
    /// A subscription fits no default Billing Contract of its Account, or several (D9).
    SubscriptionWithoutContract = "subscription-without-contract", "make the default billing contract of the account, or put the subscription into one by hand";
    /// The provider names no product.
    SubscriptionWithoutProduct = "subscription-without-product", "look the subscription up at the provider and give it a product there";
    /// The provider names no unit.
    SubscriptionWithoutUnit = "subscription-without-unit", "look the subscription up at the provider and give it a unit there";
    /// A cost without a currency.
    SubscriptionWithoutCurrency = "subscription-without-currency", "look the price up at the provider";
    /// Neither a selling price nor a price list covers it.
    SubscriptionWithoutPrice = "subscription-without-price", "give the subscription a selling price, or its billing contract a price list";
    /// It costs another currency than its contract is in.
    SubscriptionCurrencyMismatch = "subscription-currency-mismatch", "put the subscription into a billing contract in its currency";
    /// It costs more than it is sold for (D12).
    SubscriptionLostMargin = "subscription-lost-margin", "raise the selling price, or reduce the subscription at the provider";
    /// The change log does not add up to its quantity (E1).
    SubscriptionQuantityMismatch = "subscription-quantity-mismatch", "compare the change log with the provider's history, and ask support";
    /// A change of licences failed at the provider.
    LicenseChangeFailed = "license-change-failed", "read the provider's message in the change log, mend its cause, and send the change again";
    /// A change of licences should have been made more than an hour ago.
    LicenseChangeOverdue = "license-change-overdue", "look in the change log at what the change waits for";
    /// A provider, or the customers of a contract, were not completely synced for longer than the settings allow.
    StaleSync = "stale-sync", "look at the latest syncs and at the connection of the provider, mend what they name, and sync again";
    /// An Account is mapped or has subscriptions, and no open Billing Contract.
    AccountWithoutContract = "account-without-contract", "make a billing contract for the account";
}

impl ExceptionKind {
    /// Reads [`Self::name`] back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

/// An exception to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewException {
    /// What is wrong.
    pub kind: ExceptionKind,
    /// With what, e.g. `subscription/{id}`.
    pub subject: String,
    /// In words for people.
    pub detail: String,
    /// The provider of whose first import it comes: then flows are told of it together with the others (B14).
    pub import_of: Option<ProviderId>,
}

/// An exception as it is kept, with who takes care of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptException {
    /// Our id.
    pub id: ExceptionId,
    /// What is wrong.
    pub kind: ExceptionKind,
    /// With what.
    pub subject: String,
    /// In words for people.
    pub detail: String,
    /// What to do about it.
    pub remedy: String,
    /// Since when.
    pub opened_at: DateTime<Utc>,
    /// When it was mended.
    pub closed_at: Option<DateTime<Utc>>,
    /// Since when somebody takes care of it.
    pub acknowledged_at: Option<DateTime<Utc>>,
    /// Who.
    pub acknowledged_by: Option<String>,
    /// Until when it is off the list.
    pub snoozed_until: Option<DateTime<Utc>>,
    /// Why it was acknowledged or snoozed.
    pub note: Option<String>,
}

/// An exception that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenException {
    /// Our id.
    pub id: ExceptionId,
    /// What is wrong.
    pub kind: ExceptionKind,
    /// With what, e.g. `subscription/{id}`.
    pub subject: String,
    /// In words for people.
    pub detail: String,
    /// What to do about it.
    pub remedy: String,
    /// Since when.
    pub opened_at: DateTime<Utc>,
}
