//! The subscriptions of one customer: what is taken, in which spelling, and what one bad item costs.

use provider_bridge::domain::ports::provider::{
    FailureKind, ProviderClient, ProviderError, SubscriptionListing,
};
use provider_bridge::domain::provider_account::ExternalId;
use serde_json::{Value, json};

use super::stand::{Stand, id, ok, refusal};

const SUBSCRIPTION: &str = "A1B2C3D4-0000-4000-8000-000000000001";

fn subscription() -> Value {
    json!({
        "Id": SUBSCRIPTION,
        "offerId": "CFQ7TTC0LF8R:0001:CFQ7TTC0K971",
        "offerName": "Visio Plan 2",
        "friendlyName": "Visio for the drawing office",
        "quantity": "25",
        "unitType": "Licenses",
        "parentSubscriptionId": "A1B2C3D4-0000-4000-8000-0000000000FF",
        "creationDate": "2026-01-09T00:21:45.9263727Z",
        "effectiveStartDate": "2026-01-09T00:00:00Z",
        "commitmentEndDate": "9999-12-10T00:00:00Z",
        "status": "Active",
        "autoRenewEnabled": true,
        "renewalTermDuration": "",
        "refundOptions": [{ "type": "Full", "expiresAt": "2026-01-16T00:00:00Z" }],
        "links": { "self": { "uri": "/customers/x", "method": "GET", "headers": [] } },
        "attributes": { "etag": "eyJpZCI6", "objectType": "Subscription" },
    })
}

async fn listing(body: Value) -> Result<SubscriptionListing, ProviderError> {
    let stand = Stand::start().await;
    stand.answering(ok(body)).await;
    let customer = ExternalId::parse(&id(1)).unwrap();
    let listing = stand.client.list_subscriptions(&customer).await;
    let asked = stand.asked().await;
    let path = format!("/v1/customers/{}/subscriptions", id(1));
    assert!(
        asked
            .iter()
            .all(|it| it.url.path() == path && it.method.as_str() == "GET")
    );
    listing
}

#[actix_web::test]
async fn every_documented_field_is_taken_in_one_spelling() {
    let listing = listing(json!({ "totalCount": 1, "items": [subscription()] }))
        .await
        .unwrap();
    assert!(listing.complete);
    assert_eq!(listing.unreadable, []);
    let found = &listing.subscriptions[0];
    assert_eq!(found.external_id.as_str(), SUBSCRIPTION.to_lowercase());
    let parent = found.parent_id.as_ref().unwrap();
    assert_eq!(parent.as_str(), "a1b2c3d4-0000-4000-8000-0000000000ff");
    assert_eq!(found.name, "Visio for the drawing office");
    assert_eq!(found.quantity.to_string(), "25");
    assert_eq!(found.status, "active");
    assert_eq!(found.ends_at, None, "the year 9999 is never");
    assert_eq!(
        found.starts_at.unwrap().to_rfc3339(),
        "2026-01-09T00:00:00+00:00"
    );
    let facts: Vec<_> = found
        .facts
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    assert_eq!(
        facts,
        [
            ("autoRenewEnabled", "true"),
            ("commitmentEndDate", "never"),
            ("creationDate", "2026-01-09T00:21:45.926372Z"),
            ("offerName", "Visio Plan 2"),
            (
                "refundOptions",
                r#"[{"expiresAt":"2026-01-16T00:00:00Z","type":"Full"}]"#
            ),
        ]
    );
}

#[actix_web::test]
async fn a_status_that_nobody_documented_costs_nothing_and_a_bad_item_only_itself() {
    let mut strange = subscription();
    strange["Id"] = json!("S-2");
    strange["status"] = json!("In_Review");
    let mut endless = subscription();
    endless["Id"] = json!("S-3");
    endless["quantity"] = json!("many");
    let items = json!({ "totalCount": 4, "items": [subscription(), strange, endless, 7] });
    let listing = listing(items).await.unwrap();
    let words: Vec<_> = listing
        .subscriptions
        .iter()
        .map(|it| it.status.as_str())
        .collect();
    assert_eq!(words, ["active", "In_Review"]);
    assert_eq!(listing.unreadable.len(), 2);
    assert_eq!(
        listing.unreadable[0].external_id.as_ref().unwrap().as_str(),
        "s-3"
    );
    assert!(listing.unreadable[0].reason.contains("many"));
}

#[actix_web::test]
async fn half_an_answer_is_known_as_half_and_no_list_is_a_failure() {
    let half = listing(json!({ "totalCount": 2, "items": [subscription()] }))
        .await
        .unwrap();
    assert!(!half.complete);
    let none = listing(json!({ "totalCount": 0 })).await.unwrap_err();
    assert_eq!(none.kind, FailureKind::Protocol, "{none}");
}

#[actix_web::test]
async fn a_customer_that_left_is_told_apart() {
    let stand = Stand::start().await;
    stand
        .answering(refusal(403, json!("20002"), "no commerce relationship"))
        .await;
    let customer = ExternalId::parse(&id(1)).unwrap();
    let error = stand
        .client
        .list_subscriptions(&customer)
        .await
        .unwrap_err();
    assert_eq!(error.kind, FailureKind::CustomerLeft);
    assert!(
        error.correlation_id.is_some() && error.message.contains("no commerce relationship"),
        "{error}"
    );
}
