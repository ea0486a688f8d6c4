//! Subscriptions of a customer, in the shape of New Commerce. They are made up from the customer's place each time they are
//! asked for: nothing is kept of them but what was changed behind the product's back.

use actix_web::http::StatusCode;
use chrono::{DateTime, Days, Months, Utc};
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use uuid::Uuid;

use super::customer::derived;
use crate::simulator::exchange::Answer;
use crate::simulator::world::{Customer, Place, World, chance_of, is_subscription};

/// Product, SKU, availability, name.
const OFFERS: &[(&str, &str, &str, &str)] = &[
    (
        "CFQ7TTC0SIM1",
        "0001",
        "CFQ7TTC0SA11",
        "Microsoft 365 Business Basic",
    ),
    (
        "CFQ7TTC0SIM2",
        "0001",
        "CFQ7TTC0SA22",
        "Microsoft 365 Business Standard",
    ),
    (
        "CFQ7TTC0SIM3",
        "0001",
        "CFQ7TTC0SA33",
        "Microsoft 365 Business Premium",
    ),
    (
        "CFQ7TTC0SIM4",
        "0002",
        "CFQ7TTC0SA44",
        "Exchange Online (Plan 1)",
    ),
    ("CFQ7TTC0SIM5", "0003", "CFQ7TTC0SA55", "Visio Plan 2"),
    (
        "CFQ7TTC0SIM6",
        "000T",
        "CFQ7TTC0SA66",
        "Microsoft Teams Phone Standard",
    ),
];
const TERMS: &[(&str, &str, u32)] = &[
    ("P1M", "monthly", 1),
    ("P1Y", "monthly", 12),
    ("P1Y", "annual", 12),
    ("P3Y", "annual", 36),
];
const STATUSES: &[&str] = &[
    "active",
    "active",
    "active",
    "active",
    "active",
    "suspended",
    "expired",
    "deleted",
];
/// 1 June 2026, around which the subscriptions of the world began.
const EPOCH: i64 = 1_780_272_000;

/// All of a customer's.
pub(super) fn list(world: &World, place: Place, customer: &Customer) -> Answer {
    collection(&all(world, place, customer))
}

/// The add-ons of one of them.
pub(super) fn add_ons(world: &World, place: Place, customer: &Customer, parent: &str) -> Answer {
    let mut found = all(world, place, customer);
    found.retain(|item| {
        let own = item.get("parentSubscriptionId").and_then(Value::as_str);
        own.is_some_and(|own| own.eq_ignore_ascii_case(parent))
    });
    collection(&found)
}

/// One of them.
pub(super) fn one(world: &World, place: Place, customer: &Customer, id: &str) -> Option<Answer> {
    let found = all(world, place, customer)
        .into_iter()
        .find(|item| is_subscription(item, id))?;
    Some(Answer::json(StatusCode::OK, &found))
}

fn collection(items: &[Value]) -> Answer {
    let body = json!({
        "totalCount": items.len(),
        "items": items,
        "attributes": { "objectType": "Collection" },
    });
    Answer::json(StatusCode::OK, &body)
}

fn all(world: &World, place: Place, customer: &Customer) -> Vec<Value> {
    // Not the stream of the address: that one must not move when subscriptions gain a field.
    let mut rng = chance_of(world.seed ^ 0x5eed_5ab5, place);
    let count = rng.random_range(0..7);
    let mut made = Vec::with_capacity(count);
    let mut parent = None;
    for _ in 0..count {
        let (id, mut subscription) = subscription(customer, &mut rng);
        super::quirks::add(&mut subscription, id, parent);
        parent = parent.or(Some(id));
        made.push(subscription);
    }
    let blank = |id: &str| {
        let (_, mut subscription) = subscription(customer, &mut chance_of(world.seed, place));
        if let Value::Object(fields) = &mut subscription {
            fields.insert("id".to_owned(), id.into());
            fields.insert("status".to_owned(), "active".into());
            fields.insert("quantity".to_owned(), 1.into());
        }
        subscription
    };
    world.subscriptions.apply(customer.id, made, blank)
}

fn subscription(customer: &Customer, rng: &mut ChaCha8Rng) -> (Uuid, Value) {
    let (product, sku, availability, name) = *OFFERS.choose(rng).unwrap_or(&("", "", "", ""));
    let (term, cycle, months) = *TERMS.choose(rng).unwrap_or(&("P1Y", "annual", 12));
    let status = *STATUSES.choose(rng).unwrap_or(&"active");
    let id = uuid::Builder::from_random_bytes(rng.random()).into_uuid();
    let order: [u8; 6] = rng.random();
    let quantity = rng.random_range(1..80);
    let start = DateTime::<Utc>::from_timestamp(EPOCH - rng.random_range(0..20_000_000), 0)
        .unwrap_or_default();
    let end = start
        .checked_add_months(Months::new(months))
        .unwrap_or(start);
    let window = start.checked_add_days(Days::new(7)).unwrap_or(start);
    let country = "US";
    let product_link = |rest: &str| json!({ "uri": format!("/products/{product}{rest}?country={country}"), "method": "GET", "headers": [] });
    let auto_renew = status == "active" && rng.random();
    let mut subscription = json!({
        "id": id,
        "offerId": format!("{product}:{sku}:{availability}"),
        "offerName": name,
        "friendlyName": name,
        "productType": { "id": "OnlineServicesNCE", "displayName": "OnlineServicesNCE" },
        "quantity": quantity,
        "unitType": "Licenses",
        "hasPurchasableAddons": false,
        "creationDate": format!("{}.{:07}Z", start.format("%Y-%m-%dT%H:%M:%S"), rng.random_range(0..10_000_000)),
        "effectiveStartDate": start.format("%Y-%m-%dT00:00:00Z").to_string(),
        "commitmentEndDate": end.format("%Y-%m-%dT00:00:00Z").to_string(),
        "commitmentEndDateTime": end.format("%Y-%m-%dT23:59:59Z").to_string(),
        "cancellationAllowedUntilDate": window.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "status": status,
        "autoRenewEnabled": auto_renew,
        "isTrial": false,
        "billingType": "license",
        "billingCycle": cycle,
        "termDuration": term,
        "renewalTermDuration": if auto_renew { term } else { "" },
        "refundOptions": [{ "type": "Full", "expiresAt": window.format("%Y-%m-%dT00:00:00Z").to_string() }],
        "isMicrosoftProduct": true,
        "partnerId": "",
        "attentionNeeded": false,
        "actionTaken": false,
        "contractType": "subscription",
        "publisherName": "Microsoft Corporation",
        "orderId": hex(&order),
        "refundableQuantity": { "totalQuantity": 0, "details": [] },
        "links": {
            "product": product_link(""),
            "sku": product_link(&format!("/skus/{sku}")),
            "availability": product_link(&format!("/skus/{sku}/availabilities/{availability}")),
            "self": { "uri": self_uri(customer.id, id), "method": "GET", "headers": [] },
        },
        "attributes": { "objectType": "Subscription" },
    });
    // Drawn last and from the id, so that the others of a seed stay as they are.
    if id.as_bytes()[0] < LEGACY_BELOW {
        make_legacy(&mut subscription, id);
    }
    (id, subscription)
}

/// About one subscription in eight is older than New Commerce.
const LEGACY_BELOW: u8 = 32;

/// The shape from before New Commerce: an offer that is one id, an entitlement, an entity tag, and no product or term.
fn make_legacy(subscription: &mut Value, id: Uuid) {
    let Value::Object(fields) = subscription else {
        return;
    };
    for newer in [
        "productType",
        "termDuration",
        "renewalTermDuration",
        "refundOptions",
        "refundableQuantity",
        "cancellationAllowedUntilDate",
        "commitmentEndDateTime",
    ] {
        fields.shift_remove(newer);
    }
    let offer = derived(id, 3).to_string().to_uppercase();
    let links = json!({
        "offer": { "uri": format!("/offers/{offer}?country=US"), "method": "GET", "headers": [] },
        "self": fields.get("links").and_then(|links| links.get("self")),
    });
    let tag = derived(id, 4).simple().to_string();
    fields.extend([
        ("offerId".to_owned(), offer.into()),
        ("entitlementId".to_owned(), json!(derived(id, 5))),
        ("billingCycle".to_owned(), "monthly".into()),
        ("links".to_owned(), links),
        (
            "attributes".to_owned(),
            json!({ "etag": tag, "objectType": "Subscription" }),
        ),
    ]);
}

fn self_uri(customer: Uuid, id: Uuid) -> String {
    format!("/customers/{customer}/subscriptions/{id}")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
