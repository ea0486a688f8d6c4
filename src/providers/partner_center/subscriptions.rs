//! The subscriptions of one customer: every documented field, each item by itself. What we have rules for becomes a field
//! of its own; the rest is kept as text under Partner Center's names.
//!
//! What surprises: the answer has no pages; `totalCount` tells whether it is whole. Ends in the year 9999 mean never. Dates
//! come with seven digits, with offsets, without a zone, and with blanks. Numbers come as text.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, SubsecRound, Utc};
use serde_json::{Map, Value};

use super::body::Body;
use super::call::Unusable;
use super::lenient::{Loose, Object};
use super::wire::SubscriptionPage;
use crate::domain::money::parse_decimal;
use crate::domain::ports::provider::{SubscriptionListing, UnreadableItem};
use crate::domain::provider_account::ExternalId;
use crate::domain::subscription::{ListedSubscription, SubscriptionState};

/// The documented fields without a rule of ours. Links, entity tags and lists of possible actions say nothing of the
/// subscription itself.
const FACTS: &[&str] = &[
    "entitlementId",
    "offerName",
    "productType",
    "consumptionType",
    "creationDate",
    "commitmentEndDate",
    "cancellationAllowedUntilDate",
    "billingCycleEndDate",
    "billingCycleEndDateTime",
    "autoRenewEnabled",
    "billingType",
    "billingCycle",
    "hasPurchasableAddons",
    "isTrial",
    "isMicrosoftProduct",
    "publisherName",
    "partnerId",
    "suspensionReasons",
    "contractType",
    "termDuration",
    "renewalTermDuration",
    "refundOptions",
    "refundableQuantity",
    "promotionId",
    "migratedFromSubscriptionId",
    "scheduledNextTermInstructions",
    "scheduledActions",
    "nextChargeInstructions",
    "attentionNeeded",
    "actionTaken",
    "productOrderId",
    "lineItems",
    "customTermEndDate",
    "orderId",
];
/// A text longer than this is cut: it is for reports.
const LONGEST: usize = 4000;
/// The year of "never".
const NEVER: i32 = 9999;

/// Why a listing could not be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum ListingError {
    #[error("the answer is no JSON object")]
    NotJson,
    #[error("the answer has no list of subscriptions")]
    NoItems,
}

impl Unusable for ListingError {
    const NEXT: &'static str =
        "nothing of this customer was changed; it is asked again at the next sync";

    fn may_pass(&self) -> bool {
        matches!(self, Self::NotJson)
    }
}

/// Reads the answer.
pub(super) fn read_subscriptions(body: &[u8]) -> Result<SubscriptionListing, ListingError> {
    let body = Body::new(body);
    let page: SubscriptionPage<'_> = body
        .read()
        .map_err(|_| ListingError::NotJson)?
        .ok_or(ListingError::NotJson)?;
    let announced = page.total_count.get().and_then(|text| text.parse().ok());
    let items = page.items.0.ok_or(ListingError::NoItems)?;
    let complete = announced.is_none_or(|announced: usize| announced <= items.len());
    let mut listing = SubscriptionListing {
        subscriptions: Vec::with_capacity(items.len()),
        unreadable: Vec::new(),
        complete,
    };
    for item in items {
        match subscription(item) {
            Ok(found) => {
                let same = |known: &ListedSubscription| known.external_id == found.external_id;
                if !listing.subscriptions.iter().any(same) {
                    listing.subscriptions.push(found);
                }
            }
            Err(item) => listing.unreadable.push(item),
        }
    }
    Ok(listing)
}

/// The fields of an item by their documented names.
struct Item(BTreeMap<&'static str, String>);

/// Fields that [`subscription`] asks for by name.
const RULED: &[&str] = &[
    "id",
    "parentSubscriptionId",
    "offerId",
    "friendlyName",
    "quantity",
    "unitType",
    "status",
    "effectiveStartDate",
    "commitmentEndDateTime",
];

impl Item {
    fn of(fields: Loose) -> Self {
        let mut known = BTreeMap::new();
        for (name, value) in fields.0 {
            let documented = RULED.iter().chain(FACTS);
            let documented = documented
                .into_iter()
                .find(|it| it.eq_ignore_ascii_case(&name));
            if let (Some(documented), Some(text)) = (documented, text(&value)) {
                known.entry(*documented).or_insert(text);
            }
        }
        Self(known)
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn instant(&self, name: &str) -> Option<DateTime<Utc>> {
        self.get(name)
            .and_then(instant)
            .filter(|at| at.year() < NEVER)
    }

    fn facts(&self) -> BTreeMap<String, String> {
        let facts = FACTS.iter().filter_map(|name| {
            let text = self.get(name)?;
            let date = name.contains("Date");
            let canonical = date.then(|| canonical_date(text)).flatten();
            Some((
                (*name).to_owned(),
                canonical.unwrap_or_else(|| text.to_owned()),
            ))
        });
        facts.collect()
    }
}

fn subscription(item: Object<Loose>) -> Result<ListedSubscription, UnreadableItem> {
    let unreadable = |external_id: Option<ExternalId>, reason: String| UnreadableItem {
        external_id,
        reason,
    };
    let fields = item
        .0
        .ok_or_else(|| unreadable(None, "it is no JSON object".to_owned()))?;
    let item = Item::of(fields);
    let id = item
        .get("id")
        .ok_or_else(|| unreadable(None, "it has no id".to_owned()))?;
    let external_id = one_case(id).map_err(|reason| unreadable(None, reason))?;
    let quantity = match item.get("quantity").map(parse_decimal) {
        Some(Ok(quantity)) => quantity,
        Some(Err(error)) => {
            return Err(unreadable(
                Some(external_id),
                format!("its quantity: {error}"),
            ));
        }
        None => {
            return Err(unreadable(
                Some(external_id),
                "it has no quantity".to_owned(),
            ));
        }
    };
    let name = item
        .get("friendlyName")
        .or_else(|| item.get("offerName"))
        .unwrap_or(external_id.as_str())
        .to_owned();
    Ok(ListedSubscription {
        parent_id: item
            .get("parentSubscriptionId")
            .and_then(|id| one_case(id).ok()),
        name,
        product_id: item.get("offerId").map(str::to_owned),
        unit: item
            .get("unitType")
            .filter(|unit| !unit.eq_ignore_ascii_case("none"))
            .map(str::to_owned),
        quantity,
        status: status(item.get("status")),
        starts_at: item
            .instant("effectiveStartDate")
            .or_else(|| item.instant("creationDate")),
        ends_at: item
            .instant("commitmentEndDateTime")
            .or_else(|| item.instant("commitmentEndDate")),
        unit_cost: None,
        currency: None,
        facts: item.facts(),
        external_id,
    })
}

/// Partner Center writes the same id in both cases.
fn one_case(id: &str) -> Result<ExternalId, String> {
    ExternalId::parse(&id.to_ascii_lowercase()).map_err(|error| error.to_string())
}

/// A known word whatever its case; any other as it came.
fn status(word: Option<&str>) -> String {
    let word = word.unwrap_or("none");
    let lower = word.to_ascii_lowercase();
    if SubscriptionState::of_status(&lower).is_some() {
        lower
    } else {
        word.to_owned()
    }
}

/// A value as text: lists and objects as JSON with sorted names, so that another order is no change.
fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) => text.trim().to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(items) if items.is_empty() => return None,
        Value::Array(_) | Value::Object(_) => sorted(value).to_string(),
    };
    let text: String = text.chars().take(LONGEST).collect();
    (!text.is_empty()).then_some(text)
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut names: Vec<_> = fields
                .iter()
                .filter(|(_, value)| !value.is_null())
                .collect();
            names.sort_by(|one, other| one.0.cmp(other.0));
            let fields = names
                .into_iter()
                .map(|(name, value)| (name.clone(), sorted(value)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

fn canonical_date(text: &str) -> Option<String> {
    let at = instant(text)?;
    Some(if at.year() >= NEVER {
        "never".to_owned()
    } else {
        crate::domain::subscription::instant_text(at)
    })
}

/// An instant in any of the spellings that occur; one without a zone is UTC.
fn instant(text: &str) -> Option<DateTime<Utc>> {
    let text: String = text.chars().filter(|char| !char.is_whitespace()).collect();
    let zoned = DateTime::parse_from_rfc3339(&text).map(|at| at.with_timezone(&Utc));
    let plain = || NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f");
    let date = || {
        NaiveDate::parse_from_str(&text, "%Y-%m-%d")
            .map(|date| date.and_time(chrono::NaiveTime::MIN))
    };
    let at = match zoned {
        Ok(at) => at,
        Err(_) => plain().or_else(|_| date()).ok()?.and_utc(),
    };
    Some(at.trunc_subsecs(6))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_in_every_spelling_that_occurs() {
        for (text, read) in [
            (
                "2019-01-09T00:21:45.9263727Z",
                "2019-01-09T00:21:45.926372Z",
            ),
            ("2019-01-09T00:21:45.9263727", "2019-01-09T00:21:45.926372Z"),
            ("2022-01-31T12:00:00+02:00", "2022-01-31T10:00:00Z"),
            ("2015-11-25T06: 41: 12Z", "2015-11-25T06:41:12Z"),
            ("2015-11-25", "2015-11-25T00:00:00Z"),
            ("9999-12-10T00:00:00Z", "never"),
        ] {
            assert_eq!(canonical_date(text).as_deref(), Some(read), "{text}");
        }
        assert_eq!(instant("soon"), None);
    }

    #[test]
    fn another_order_of_names_and_an_empty_value_are_no_difference() {
        let one: Value = serde_json::from_str(r#"[{"b":1,"a":{"d":null,"c":2}}]"#).unwrap();
        let other: Value = serde_json::from_str(r#"[{"a":{"c":2},"b":1}]"#).unwrap();
        assert_eq!(text(&one), text(&other));
        assert_eq!(text(&Value::String("  ".to_owned())), None);
    }
}
