//! The rules of a sync of subscriptions, without store or provider: what differs (D2), where a new one lands (D9), which
//! entries of the change log follow (E1, E3).

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::billing_contract::BillingContract;
use super::ids::BillingContractId;
use super::money::Currency;
use super::ports::provider::SubscriptionListing;
use super::subscription::{
    FieldDifference, HeldFor, ListedSubscription, QUANTITY, STATUS, Subscription,
    SubscriptionState, UNIT_COST,
};

/// What a sync would do to one subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// The provider has it, and we have not.
    New,
    /// Both have it, and something differs.
    Changed,
    /// Both have it alike.
    Unchanged,
    /// We have it, and the provider no longer lists it.
    Gone,
}

impl ChangeKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::New, Self::Changed, Self::Unchanged, Self::Gone];

    /// The name in the API and the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
            Self::Gone => "gone",
        }
    }
}

/// A subscription on both sides.
#[derive(Debug, Clone)]
pub struct Compared {
    /// Ours; `None` for a new one.
    pub ours: Option<Subscription>,
    /// The provider's; `None` for one that is gone.
    pub theirs: Option<ListedSubscription>,
    /// What it comes to.
    pub kind: ChangeKind,
    /// Where they differ.
    pub differences: Vec<FieldDifference>,
}

/// Compares what we have of a customer with what the provider lists. Of half an answer nothing is gone, and what cannot be
/// read is left alone (decision 8). One that went and came back is a change.
#[must_use]
pub fn compare(ours: Vec<Subscription>, listing: SubscriptionListing) -> Vec<Compared> {
    let unread: HashSet<_> = listing
        .unreadable
        .iter()
        .filter_map(|item| item.external_id.clone())
        .collect();
    let nameless = listing
        .unreadable
        .iter()
        .any(|item| item.external_id.is_none());
    let may_be_gone = listing.complete && !nameless;
    let mut known: HashMap<_, _> = ours
        .into_iter()
        .map(|it| (it.listed.external_id.clone(), it))
        .collect();
    let mut found = Vec::with_capacity(listing.subscriptions.len());
    for theirs in listing.subscriptions {
        let Some(ours) = known.remove(&theirs.external_id) else {
            found.push(Compared {
                ours: None,
                theirs: Some(theirs),
                kind: ChangeKind::New,
                differences: Vec::new(),
            });
            continue;
        };
        let mut differences = ours.listed.differences(&theirs);
        if let Some(since) = ours.gone_since {
            differences.push(FieldDifference {
                field: "goneSince".to_owned(),
                old: Some(super::subscription::instant_text(since)),
                new: None,
            });
        }
        found.push(Compared {
            kind: if differences.is_empty() {
                ChangeKind::Unchanged
            } else {
                ChangeKind::Changed
            },
            ours: Some(ours),
            theirs: Some(theirs),
            differences,
        });
    }
    let mut gone: Vec<_> = known
        .into_values()
        .filter(|ours| may_be_gone && ours.gone_since.is_none())
        .filter(|ours| !unread.contains(&ours.listed.external_id))
        .collect();
    gone.sort_by_key(|ours| ours.id);
    found.extend(gone.into_iter().map(|ours| Compared {
        ours: Some(ours),
        theirs: None,
        kind: ChangeKind::Gone,
        differences: Vec::new(),
    }));
    found
}

/// Where a subscription sits, or why it sits nowhere.
pub type Landing = Result<BillingContractId, HeldFor>;

/// Where a subscription of a mapped Account lands: in its one default contract that fits the currency and the product (D9).
/// `contracts` are the open ones of the Account.
///
/// # Errors
/// Why it is held.
pub fn land(
    contracts: &[&BillingContract],
    currency: Option<Currency>,
    product: Option<&str>,
) -> Landing {
    let fits = |it: &&&BillingContract| {
        it.terms.is_default
            && currency.is_none_or(|currency| currency == it.terms.currency)
            && it.terms.takes(product)
    };
    let mut fitting = contracts.iter().filter(fits);
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => Ok(one.id),
        (Some(_), Some(_)) => Err(HeldFor::Choice),
        (None, _) => Err(HeldFor::Contract),
    }
}

/// What an entry of the change log is about (E1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogKind {
    /// It began, or began again.
    Activation,
    /// It ended, or was stopped.
    Deactivation,
    /// There are more or fewer.
    Quantity,
    /// It costs more or less.
    Price,
}

impl LogKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [
        Self::Activation,
        Self::Deactivation,
        Self::Quantity,
        Self::Price,
    ];

    /// The name in the API and the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Activation => "activation",
            Self::Deactivation => "deactivation",
            Self::Quantity => "quantity",
            Self::Price => "price",
        }
    }

    /// Reads [`Self::name`] back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// An entry that follows from what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// What it is about.
    pub kind: LogKind,
    /// By how much the quantity changed.
    pub quantity_change: Decimal,
    /// The cost before.
    pub old_cost: Option<Decimal>,
    /// The cost after.
    pub new_cost: Option<Decimal>,
    /// Since when it is so.
    pub effective_at: DateTime<Utc>,
    /// Nobody told us when; it was found then.
    pub estimated: bool,
}

/// The entries for what a comparison found, so that the quantities of all entries always add up to the subscription's (E1).
#[must_use]
pub fn log_entries(compared: &Compared, now: DateTime<Utc>) -> Vec<LogEntry> {
    let entry = |kind, quantity_change| LogEntry {
        kind,
        quantity_change,
        old_cost: None,
        new_cost: None,
        effective_at: now,
        estimated: true,
    };
    match (&compared.ours, &compared.theirs) {
        (None, None) => Vec::new(),
        (None, Some(theirs)) => vec![LogEntry {
            effective_at: theirs.starts_at.unwrap_or(now),
            estimated: theirs.starts_at.is_none(),
            new_cost: theirs.unit_cost,
            ..entry(LogKind::Activation, theirs.quantity)
        }],
        (Some(_), None) => vec![entry(LogKind::Deactivation, Decimal::ZERO)],
        (Some(ours), Some(theirs)) => {
            let differs = |field: &str| compared.differences.iter().any(|it| it.field == field);
            let mut entries = Vec::new();
            let active =
                |listed: &ListedSubscription| listed.state() == Some(SubscriptionState::Active);
            let was = active(&ours.listed) && ours.gone_since.is_none();
            if (differs(STATUS) || ours.gone_since.is_some()) && was != active(theirs) {
                let kind = if was {
                    LogKind::Deactivation
                } else {
                    LogKind::Activation
                };
                entries.push(entry(kind, Decimal::ZERO));
            }
            if differs(QUANTITY) {
                entries.push(entry(
                    LogKind::Quantity,
                    theirs.quantity - ours.listed.quantity,
                ));
            }
            if differs(UNIT_COST) {
                entries.push(LogEntry {
                    old_cost: ours.listed.unit_cost,
                    new_cost: theirs.unit_cost,
                    ..entry(LogKind::Price, Decimal::ZERO)
                });
            }
            entries
        }
    }
}

/// Whether something that became effective then is history from before a contract's go-live, which is never billed (D11).
#[must_use]
pub fn before_go_live(effective_at: DateTime<Utc>, go_live: NaiveDate) -> bool {
    effective_at < go_live.and_time(NaiveTime::MIN).and_utc()
}
