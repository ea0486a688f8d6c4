//! The served document against what the service does: whatever can be asked is in it, and whatever is in it can be asked.

use std::collections::BTreeMap;

use provider_bridge::domain::caller::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::{Answer, TestApp};

/// The query parameters of every operation that has some.
const QUERIES: [(&str, &[&str]); 17] = [
    (
        "ListExceptions",
        &[
            "kind",
            "subject",
            "acknowledged",
            "withSnoozed",
            "$top",
            "$skiptoken",
        ],
    ),
    (
        "ListJobs",
        &["state", "kind", "parentId", "$top", "$skiptoken"],
    ),
    (
        "ListSubscriptions",
        &[
            "provider",
            "providerAccountId",
            "accountId",
            "billingContractId",
            "heldFor",
            "gone",
            "$top",
            "$skiptoken",
        ],
    ),
    (
        "ListSubscriptionSyncRuns",
        &["provider", "billingContractId", "$top", "$skiptoken"],
    ),
    ("GetSyncReport", &["$top", "$skiptoken"]),
    (
        "ListBillingContracts",
        &["accountId", "open", "currency", "$top", "$skiptoken"],
    ),
    (
        "ListProviderAccounts",
        &[
            "state",
            "provider",
            "search",
            "accountId",
            "missing",
            "$top",
            "$skiptoken",
        ],
    ),
    ("SearchAccounts", &["search", "$top"]),
    ("ListSyncRuns", &["provider", "$top"]),
    (
        "ListTriggerSubscriptions",
        &["withRetired", "$top", "$skiptoken"],
    ),
    ("ListDeliveries", &["state", "$top", "$skiptoken"]),
    ("GetJob", &["token"]),
    ("RunAutoMatch", &["dryRun"]),
    ("ListMatchPlans", &["$top"]),
    ("ListMatchPlanItems", &["state", "$top", "$skiptoken"]),
    ("UnmapProviderAccount", &["reason"]),
    ("IncludeProviderAccount", &["reason"]),
];

fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        let item = item.as_object().unwrap().iter();
        item.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    });
    operations
        .filter(|(_, _, operation)| operation["operationId"].is_string())
        .collect()
}

fn query(operation: &Value) -> Vec<&Value> {
    let parameters = operation["parameters"].as_array();
    parameters
        .into_iter()
        .flatten()
        .filter(|it| it["in"] == "query")
        .collect()
}

crate::on_both_engines! {
    async fn every_query_parameter_is_documented_and_every_documented_one_is_taken(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let key = app.key(&[Role::Admin]).await;
        let document = Answer::of(app.request(Method::GET, "/openapi.json")).await.body;
        let wanted: BTreeMap<&str, &[&str]> = QUERIES.into_iter().collect();
        for (path, method, operation) in operations(&document) {
            let id = operation["operationId"].as_str().unwrap();
            let names: Vec<&str> = query(operation).iter().map(|it| it["name"].as_str().unwrap()).collect();
            assert_eq!(names, *wanted.get(id).unwrap_or(&[].as_slice()), "{id}");
            for parameter in query(operation) {
                assert!(parameter["description"].as_str().unwrap().len() > 10, "{id}: {parameter}");
                assert!(parameter["x-ms-summary"].is_string(), "{id}: {parameter}");
            }
            if method == "get" && !path.contains('{') && path.starts_with("/v1/") {
                for name in names {
                    let answer = app.get(&key, &format!("{path}?{name}=")).await;
                    let detail = answer.body["detail"].as_str().unwrap_or_default();
                    assert!(!detail.contains("There is no query parameter"), "{id}: {detail}");
                }
            }
        }
        let connector = Answer::of(app.request(Method::GET, "/connector/apiDefinition.swagger.json")).await;
        if connector.status == 200 {
            let search = &connector.body["paths"]["/v1/accounts"]["get"]["parameters"][0];
            assert_eq!((&search["name"], &search["required"]), (&json!("search"), &json!(true)));
        }
    }

    async fn the_document_names_the_statuses_that_bodies_and_headers_can_end_in(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let document = Answer::of(app.request(Method::GET, "/openapi.json")).await.body;
        for (path, method, operation) in operations(&document) {
            let id = &operation["operationId"];
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.contains_key("431"), "{id} {method}");
            if !path.starts_with("/v1/") {
                continue;
            }
            for status in ["413", "415"] {
                assert_eq!(responses.contains_key(status), !operation["requestBody"].is_null(), "{id} {status}");
            }
            if !operation["requestBody"].is_null() {
                assert_eq!(operation["requestBody"]["required"], true, "{id}");
                assert!(responses.contains_key("422"), "{id}");
            }
        }
    }
}
