//! Partner Center's customers: continuation with its oddities, details by id, refusals.

use std::collections::HashSet;
use std::time::Duration;

use provider_bridge::simulator::{Change, SubscriptionChange, WorldSpec};
use reqwest::Method;
use serde_json::{Value, json};

use super::client::Stand;

async fn page(stand: &Stand, token: Option<&str>) -> Value {
    match token {
        None => stand.provider("/v1/customers?size=25", &[]).await.json(),
        Some(token) => {
            let headers = [("MS-ContinuationToken", token)];
            stand
                .provider("/v1/customers?size=25&seekOperation=next", &headers)
                .await
                .json()
        }
    }
}

#[tokio::test]
async fn a_listing_is_walked_by_continuation_token_to_its_end() {
    let stand = Stand::new().await;
    let mut ids = HashSet::new();
    let mut token: Option<String> = None;
    let mut sizes = Vec::new();
    loop {
        let page = page(&stand, token.as_deref()).await;
        let items = page["items"].as_array().unwrap();
        sizes.push(items.len());
        ids.extend(
            items
                .iter()
                .map(|item| item["id"].as_str().unwrap().to_owned()),
        );
        let next = page["continuationToken"].as_str();
        let in_link = page
            .pointer("/links/next/headers/0/value")
            .and_then(Value::as_str);
        assert_eq!(next, in_link);
        let Some(next) = next else { break };
        token = Some(next.to_owned());
    }
    assert_eq!(sizes, [25, 25, 10]);
    assert_eq!(ids.len(), 60);
}

#[tokio::test]
async fn a_token_without_seek_operation_begins_anew_and_an_altered_one_is_refused() {
    let stand = Stand::new().await;
    let first = page(&stand, None).await;
    let token = first["continuationToken"].as_str().unwrap();
    let again = stand
        .provider("/v1/customers?size=25", &[("MS-ContinuationToken", token)])
        .await
        .json();
    assert_eq!(again["items"], first["items"]);
    let refused = stand
        .provider(
            "/v1/customers?seekOperation=Next",
            &[("MS-ContinuationToken", "bm9uc2Vuc2U=")],
        )
        .await;
    assert_eq!(refused.status, 400);
}

#[tokio::test]
async fn a_customer_that_was_removed_between_two_pages_costs_no_other() {
    let stand = Stand::new().await;
    let first = page(&stand, None).await;
    let gone = first["items"][0]["id"].as_str().unwrap();
    let customer = gone.parse_external();
    stand
        .running
        .world()
        .change(Change::RemoveCustomer { customer })
        .unwrap();
    let second = page(&stand, first["continuationToken"].as_str()).await;
    assert_eq!(second["items"].as_array().unwrap().len(), 25);
    let refused = stand.provider(&format!("/v1/customers/{gone}"), &[]).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (403, "20002")
    );
}

#[tokio::test]
async fn only_the_call_by_id_shows_custom_domains_and_the_billing_profile() {
    let stand = Stand::new().await;
    let listed = &page(&stand, None).await["items"][3];
    assert!(listed.get("customDomains").is_none() && listed.get("billingProfile").is_none());
    let id = listed["id"].as_str().unwrap();
    let upper = id.to_uppercase();
    let whole = stand
        .provider(&format!("/v1/customers/{upper}"), &[])
        .await
        .json();
    assert_eq!(
        whole["companyProfile"]["companyName"],
        listed["companyProfile"]["companyName"]
    );
    assert!(whole["customDomains"].is_array());
    let country = whole["billingProfile"]["defaultAddress"]["country"]
        .as_str()
        .unwrap();
    assert_eq!(country.len(), 2);
    let again = stand
        .provider(&format!("/v1/customers/{id}"), &[])
        .await
        .json();
    assert_eq!(whole, again);
}

#[tokio::test]
async fn ids_come_back_and_what_an_application_may_not_do_is_said() {
    let stand = Stand::new().await;
    let sent = [
        ("MS-RequestId", "request-1"),
        ("MS-CorrelationId", "correlation-1"),
    ];
    let refused = stand
        .provider("/v1/customers/relationshiprequests", &sent)
        .await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (403, "900329")
    );
    assert_eq!(refused.header("ms-requestid"), Some("request-1"));
    assert_eq!(refused.header("ms-correlationid"), Some("correlation-1"));
}

#[tokio::test]
async fn subscriptions_belong_to_a_customer_and_stay_the_same() {
    let stand = Stand::new().await;
    let (mut found, mut legacy) = (0, 0);
    for item in page(&stand, None).await["items"].as_array().unwrap() {
        let path = format!(
            "/v1/customers/{}/subscriptions",
            item["id"].as_str().unwrap()
        );
        let all = stand.provider(&path, &[]).await.json();
        assert_eq!(all, stand.provider(&path, &[]).await.json());
        for subscription in all["items"].as_array().unwrap() {
            found += 1;
            let one = format!("{path}/{}", subscription["id"].as_str().unwrap());
            assert_eq!(&stand.provider(&one, &[]).await.json(), subscription);
            // Of New Commerce, or older: then with an entity tag and an offer of its own, and without a term.
            let tagged = subscription["attributes"]["etag"].is_string();
            legacy += i32::from(tagged);
            assert_eq!(
                subscription["entitlementId"].is_string(),
                tagged,
                "{subscription}"
            );
            assert_eq!(subscription["links"]["offer"]["uri"].is_string(), tagged);
            let endless = subscription["billingType"] == "usage";
            assert_eq!(subscription["termDuration"].is_null(), tagged || endless);
            assert_eq!(subscription["links"]["product"].is_null(), tagged);
        }
    }
    assert!((25..=100).contains(&found), "{found}");
    assert!((1..found / 3).contains(&legacy), "{legacy} of {found}");
}

#[tokio::test]
async fn a_name_filter_finds_what_begins_so_and_a_taken_domain_answers_200() {
    let stand = Stand::new().await;
    let item = page(&stand, None).await["items"][1].clone();
    let name = item["companyProfile"]["companyName"].as_str().unwrap();
    let filter =
        serde_json::json!({ "Field": "CompanyName", "Value": name, "Operator": "starts_with" });
    let query: String =
        url::form_urlencoded::byte_serialize(filter.to_string().as_bytes()).collect();
    let found = stand
        .provider(&format!("/v1/customers?size=5&filter={query}"), &[])
        .await
        .json();
    assert!(
        found["items"]
            .as_array()
            .unwrap()
            .iter()
            .any(|found| found["id"] == item["id"])
    );

    let domain = item["companyProfile"]["domain"].as_str().unwrap();
    let token = stand.provider_token.clone();
    let head = |domain: &str| format!("/v1/domains/{domain}");
    let taken = stand
        .send(Method::HEAD, &head(domain), &[], &token, None)
        .await;
    let free = stand
        .send(Method::HEAD, &head("nobody-has.example"), &[], &token, None)
        .await;
    assert_eq!((taken.status.as_u16(), free.status.as_u16()), (200, 404));
}

#[tokio::test]
async fn the_limit_refuses_what_is_too_much_until_the_minute_is_over() {
    let spec = WorldSpec::new(10, 1);
    let stand = Stand::of(&spec, |options| options.requests_per_minute = Some(3)).await;
    let read = || stand.provider("/v1/customers?size=1", &[]);
    for _ in 0..3 {
        assert_eq!(read().await.status, 200);
    }
    stand.clock.advance(Duration::from_secs(20));
    let refused = read().await;
    assert_eq!(
        (refused.status.as_u16(), refused.header("retry-after")),
        (429, Some("40"))
    );
    stand.clock.advance(Duration::from_secs(40));
    assert_eq!(read().await.status, 200);
}

trait ParseExternal {
    fn parse_external(&self) -> provider_bridge::domain::provider_account::ExternalId;
}

impl ParseExternal for str {
    fn parse_external(&self) -> provider_bridge::domain::provider_account::ExternalId {
        provider_bridge::domain::provider_account::ExternalId::parse(self).unwrap()
    }
}

#[tokio::test]
async fn subscriptions_are_changed_bought_and_gone_behind_the_products_back() {
    let stand = Stand::new().await;
    let customer = stand
        .running
        .world()
        .read(|world| world.truths().next().unwrap().0);
    let path = format!("/v1/customers/{customer}/subscriptions");
    let change = |subscription: Option<&str>, fields: Option<Value>| {
        let change = SubscriptionChange {
            customer: customer.clone(),
            subscription: subscription.map(str::to_owned),
            fields: fields.map(|fields| fields.as_object().unwrap().clone()),
        };
        let change = Change::ChangeSubscription(change);
        stand.running.world().change(change).unwrap().to_string()
    };
    let bought = change(None, Some(json!({ "quantity": 3, "friendlyName": "New" })));
    let one = stand
        .provider(&format!("{path}/{}", bought.to_uppercase()), &[])
        .await
        .json();
    assert_eq!(
        (&one["quantity"], &one["friendlyName"], &one["status"]),
        (&json!(3), &json!("New"), &json!("active"))
    );
    change(
        Some(&bought.to_uppercase()),
        Some(json!({ "quantity": 4, "friendlyName": null })),
    );
    let one = stand
        .provider(&format!("{path}/{bought}"), &[])
        .await
        .json();
    assert_eq!(
        (&one["quantity"], one.get("friendlyName")),
        (&json!(4), None)
    );
    let add_on = change(
        None,
        Some(json!({ "parentSubscriptionId": bought.to_uppercase() })),
    );
    let add_ons = stand
        .provider(&format!("{path}/{bought}/addons"), &[])
        .await
        .json();
    assert_eq!(add_ons["items"][0]["id"], add_on);
    change(Some(&bought), None);
    assert_eq!(
        stand
            .provider(&format!("{path}/{bought}"), &[])
            .await
            .status
            .as_u16(),
        404
    );
}
