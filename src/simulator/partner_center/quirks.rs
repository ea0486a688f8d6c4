//! What makes real subscriptions hard to read: add-ons, statuses that nobody documented, ends in the year 9999, numbers as
//! text, ids in capitals, instructions for the next term. Which one has what follows from its id, so that the chance of the
//! others stays as it is.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::customer::derived;

/// Adds the quirks of the subscription `id`; `parent` is an earlier one of the same customer.
pub(super) fn add(subscription: &mut Value, id: Uuid, parent: Option<Uuid>) {
    let Value::Object(fields) = subscription else {
        return;
    };
    let [_, one, two, three, four, five, six, seven, ..] = *id.as_bytes();
    if let Some(parent) = parent.filter(|_| one < 48) {
        // The case of an id is not the same everywhere.
        let link = format!("/customers/subscriptions/{parent}");
        fields.insert(
            "parentSubscriptionId".to_owned(),
            parent.to_string().to_uppercase().into(),
        );
        if let Some(Value::Object(links)) = fields.get_mut("links") {
            links.insert(
                "parentSubscription".to_owned(),
                json!({ "uri": link, "method": "GET", "headers": [] }),
            );
        }
    }
    if two < 6 {
        fields.insert("status".to_owned(), "in_review".into());
    }
    if three < 16 {
        perpetual(fields);
    }
    if four < 40 && fields.contains_key("termDuration") {
        next_term(fields);
    }
    if five < 10 {
        let text = fields.get("quantity").map(ToString::to_string);
        fields.insert("quantity".to_owned(), text.into());
    }
    if six < 24 {
        fields.insert(
            "promotionId".to_owned(),
            format!("39NFJQT1PFPN:{six:04}:39NFJQT1Q5KH").into(),
        );
        fields.insert(
            "migratedFromSubscriptionId".to_owned(),
            derived(id, 6).to_string().into(),
        );
    }
    if seven < 24 {
        refundable(fields);
    }
    if fields.get("status").and_then(Value::as_str) == Some("suspended") {
        fields.insert(
            "suspensionReasons".to_owned(),
            json!(["CustomerCancellation"]),
        );
    }
}

/// An Azure plan: no term, no end, billed by usage.
fn perpetual(fields: &mut Map<String, Value>) {
    for (name, value) in [
        ("commitmentEndDate", "9999-12-10T00:00:00Z"),
        ("commitmentEndDateTime", "9999-12-10T00:00:00.0000000Z"),
        ("billingCycleEndDate", "9999-12-10T00:00:00Z"),
        ("billingType", "usage"),
        ("unitType", "Usage-based"),
        ("offerName", "Azure plan"),
        ("friendlyName", "Azure plan"),
    ] {
        fields.insert(name.to_owned(), value.into());
    }
    fields.insert("quantity".to_owned(), 1.into());
    fields.shift_remove("termDuration");
}

/// What happens at the end of the term.
fn next_term(fields: &mut Map<String, Value>) {
    let offer = fields
        .get("offerId")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let mut parts = offer.split(':');
    let mut part = || parts.next().unwrap_or_default().to_owned();
    let product = json!({
        "productId": part(),
        "skuId": part(),
        "availabilityId": part(),
        "billingCycle": fields.get("billingCycle"),
        "termDuration": fields.get("termDuration"),
        "promotionId": null,
    });
    let instructions = json!({
        "product": product,
        "quantity": fields.get("quantity"),
        "customTermEndDate": null,
    });
    fields.insert("scheduledNextTermInstructions".to_owned(), instructions);
}

fn refundable(fields: &mut Map<String, Value>) {
    let quantity = fields.get("quantity").and_then(Value::as_i64).unwrap_or(1);
    let until = fields.get("cancellationAllowedUntilDate").cloned();
    let details = json!([{ "quantity": quantity, "allowedUntilDateTime": until }]);
    fields.insert(
        "refundableQuantity".to_owned(),
        json!({ "totalQuantity": quantity, "details": details }),
    );
}
