//! The control API, and the statistics it shows.

use provider_bridge::simulator::Upstream;
use reqwest::Method;
use serde_json::json;

use super::client::Stand;

#[tokio::test]
async fn requests_are_counted_by_upstream_and_operation_until_they_are_forgotten() {
    let stand = Stand::new().await;
    let sent = [("MS-RequestId", "one"), ("MS-CorrelationId", "two")];
    stand.provider("/v1/customers?size=5", &sent).await;
    stand
        .provider("/v1/customers/00000000-0000-0000-0000-000000000001", &[])
        .await;
    stand.crm("accounts?$top=1", &[]).await;
    let shown = stand.control(Method::GET, "statistics", None).await.json();
    assert_eq!(shown["entra"]["operations"]["token"]["requests"], 2);
    assert_eq!(shown["partner-center"]["requests"], 2);
    assert_eq!(
        shown["partner-center"]["operations"]["customer-by-id"],
        json!({ "requests": 1, "failed": 1 })
    );
    assert_eq!(
        shown["dataverse"]["operations"]["list-accounts"]["requests"],
        1
    );
    assert_eq!(stand.requests(Upstream::PartnerCenter), 2);
    let latest = stand.running.statistics().latest();
    let listing = latest
        .iter()
        .find(|seen| seen.operation == "list-customers")
        .unwrap();
    assert_eq!(listing.request_id.as_deref(), Some("one"));
    assert_eq!(listing.correlation_id.as_deref(), Some("two"));
    assert_eq!(listing.target, "/v1/customers?size=5");
    stand.control(Method::DELETE, "statistics", None).await;
    assert_eq!(stand.requests(Upstream::PartnerCenter), 0);
}

#[tokio::test]
async fn the_world_is_changed_and_the_truth_follows() {
    let stand = Stand::new().await;
    let change = |body| stand.control(Method::POST, "changes", Some(body));
    let account =
        change(json!({ "change": "add-account", "name": "New Ltd", "website": "new.example" }))
            .await;
    let account = account.json()["id"].as_str().unwrap().to_owned();
    let customer = change(json!({
        "change": "add-customer",
        "name": "New Limited",
        "defaultDomain": "new.onmicrosoft.com",
        "customDomains": ["new.example"],
        "truth": account,
    }))
    .await;
    let customer = customer.json()["id"].as_str().unwrap().to_owned();
    let truth = async || {
        let path = format!("truth/{customer}");
        stand.control(Method::GET, &path, None).await.json()["account"].clone()
    };
    assert_eq!(truth().await, account);
    let shown = stand
        .provider(&format!("/v1/customers/{customer}"), &[])
        .await
        .json();
    assert_eq!(shown["customDomains"], json!(["new.example"]));

    let survivor = change(json!({ "change": "add-account", "name": "Survivor" }))
        .await
        .json()["id"]
        .clone();
    change(json!({ "change": "merge-accounts", "account": account, "into": survivor })).await;
    assert_eq!(truth().await, survivor);
    change(json!({ "change": "set-active", "account": survivor, "active": false })).await;
    assert_eq!(truth().await, json!(null));

    let refused =
        change(json!({ "change": "rename-account", "account": customer, "name": "x" })).await;
    assert_eq!(refused.status, 422);
    let refused = change(json!({ "change": "paint-account" })).await;
    assert_eq!(refused.status, 400);
}

#[tokio::test]
async fn the_overview_names_every_fault_as_it_is_switched_on() {
    let stand = Stand::new().await;
    let overview = stand.control(Method::GET, "", None).await.json();
    let kinds = overview["faultKinds"].as_array().unwrap();
    for kind in kinds {
        let mut fault = kind.clone();
        fault["upstream"] = "partner-center".into();
        let added = stand.control(Method::POST, "faults", Some(fault)).await;
        assert_eq!(added.status, 201, "{kind}: {}", added.text);
        assert!(kind["meaning"].as_str().unwrap().len() > 10, "{kind}");
    }
    let refused = json!({ "upstream": "dataverse", "kind": "nonsense" });
    let refused = stand.control(Method::POST, "faults", Some(refused)).await;
    // The refusal lists what there is, and the overview has one of each.
    let known = refused.text.matches('`').count() / 2 - 1;
    assert_eq!(
        (refused.status.as_u16(), kinds.len()),
        (400, known),
        "{}",
        refused.text
    );
    let example = stand
        .control(Method::POST, "faults", Some(overview["example"].clone()))
        .await;
    assert_eq!(example.status, 201, "{}", example.text);

    let changes = overview["changeKinds"].as_array().unwrap();
    let refused = stand
        .control(
            Method::POST,
            "changes",
            Some(json!({ "change": "nonsense" })),
        )
        .await;
    let known = refused.text.matches('`').count() / 2 - 1;
    assert_eq!(
        (refused.status.as_u16(), changes.len()),
        (400, known),
        "{}",
        refused.text
    );
    for change in changes {
        let name = change.as_str().unwrap().split(':').next().unwrap();
        assert!(refused.text.contains(&format!("`{name}`")), "{name}");
    }
}

#[tokio::test]
async fn what_a_service_needs_to_connect_is_told() {
    let stand = Stand::new().await;
    let shown = stand.control(Method::GET, "", None).await.json();
    let connect = &shown["connect"];
    let settings = &connect["settings"];
    assert_eq!(
        settings["PROVIDER_BRIDGE__DATAVERSE__ORG_URL"],
        stand.running.base_url()
    );
    let body = &connect["POST /v1/providers"];
    assert_eq!(body["kind"], "partner-center");
    assert_eq!(
        body["clientSecret"],
        provider_bridge::simulator::PARTNER_CENTER_CLIENT_SECRET
    );
}
