//! Every operation of the OpenAPI document against {no credential, a revoked key, the wrong role}, from one list. An
//! operation that is in the document but not here fails the test, and so does one that answers strangers and is not in
//! [`PUBLIC`].

use std::collections::BTreeSet;

use provider_bridge::domain::caller::{Permission, Role};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::{Answer, TestApp};
use crate::support::outside::CALLBACK_HOST;

/// What answers without a credential. Adding a line here opens a door.
const PUBLIC: [&str; 8] = [
    "GetConnectorDefinition",
    "GetDocumentation",
    "GetDocumentationFile",
    "GetLiveness",
    "GetMetrics",
    "GetOpenApiDocument",
    "GetReadiness",
    "Unsubscribe",
];

/// What each closed operation needs, and a body that is well formed for it.
fn closed() -> Vec<(&'static str, Permission, Value)> {
    use Permission::{Configure, ManageKeys, Map, Read, Subscribe, Sync};
    let provider = json!({
        "kind": "partner-center",
        "name": "P",
        "partnerTenant": "contoso.com",
        "clientId": "c",
        "clientSecret": "s",
    });
    let callback = json!({ "callbackUrl": format!("https://{CALLBACK_HOST}/hook") });
    vec![
        ("ListProviderAccounts", Read, Value::Null),
        ("GetProviderAccount", Read, Value::Null),
        ("GetAccount", Read, Value::Null),
        ("SearchAccounts", Read, Value::Null),
        ("GetMapping", Read, Value::Null),
        (
            "MapProviderAccount",
            Map,
            json!({ "accountId": "0197a1b2-0000-7000-8000-00000000ffff" }),
        ),
        ("UnmapProviderAccount", Map, Value::Null),
        ("ExcludeProviderAccount", Map, json!({ "reason": "r" })),
        ("IncludeProviderAccount", Map, Value::Null),
        ("ListSuggestions", Read, Value::Null),
        ("GetSettings", Read, Value::Null),
        ("ChangeSettings", Configure, json!({})),
        ("GetJob", Read, Value::Null),
        ("RunAutoMatch", Map, Value::Null),
        ("ListSyncRuns", Read, Value::Null),
        ("ListProviders", Read, Value::Null),
        ("ConnectProvider", Configure, provider),
        ("GetProvider", Read, Value::Null),
        ("ChangeProvider", Configure, json!({})),
        ("SyncProviderAccounts", Sync, Value::Null),
        ("VerifyConnectivity", Sync, Value::Null),
        ("WhenProviderAccountIsCreated", Subscribe, callback.clone()),
        ("WhenProviderAccountIsMapped", Subscribe, callback),
        ("ListTriggerSubscriptions", Subscribe, Value::Null),
        ("SendTestEvent", Subscribe, Value::Null),
        ("ListDeliveries", Subscribe, Value::Null),
        ("GetDelivery", Subscribe, Value::Null),
        ("Redeliver", Subscribe, Value::Null),
        ("ListApiKeys", ManageKeys, Value::Null),
        (
            "CreateApiKey",
            ManageKeys,
            json!({ "name": "k", "roles": ["reader"] }),
        ),
        ("RevokeApiKey", ManageKeys, Value::Null),
    ]
}

struct Operation {
    id: String,
    method: Method,
    path: String,
}

/// The operations of the served document, with an id that exists nowhere for every parameter of the path.
async fn operations(app: &TestApp) -> Vec<Operation> {
    let document = Answer::of(app.request(Method::GET, "/openapi.json"))
        .await
        .body;
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Some(id) = operation["operationId"].as_str() else {
                continue;
            };
            let filled = path
                .split('/')
                .map(|segment| match segment.strip_prefix('{') {
                    Some(_) => "0197a1b2-0000-7000-8000-00000000ffff",
                    None => segment,
                });
            operations.push(Operation {
                id: id.to_owned(),
                method: method.to_uppercase().parse().unwrap(),
                path: filled.collect::<Vec<_>>().join("/"),
            });
        }
    }
    operations
}

async fn call(app: &TestApp, operation: &Operation, key: Option<&str>, body: &Value) -> Answer {
    let mut request = app.request(operation.method.clone(), &operation.path);
    if let Some(key) = key {
        request = request.header("x-api-key", key);
    }
    if !body.is_null() {
        request = request.json(body);
    }
    Answer::of(request).await
}

crate::on_both_engines! {
    async fn every_operation_is_in_one_of_the_two_lists_and_keeps_to_it(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let revoked = app.key(&[Role::Admin]).await;
        let id = app.keys.list(&TestApp::operator()).await.unwrap()[0].id;
        app.keys.revoke(&TestApp::operator(), id).await.unwrap();
        let operations = operations(&app).await;
        let named: BTreeSet<_> = operations.iter().map(|operation| operation.id.as_str()).collect();
        let closed = closed();
        let listed: BTreeSet<_> = closed.iter().map(|(id, ..)| *id).chain(PUBLIC).collect();
        assert_eq!(named, listed, "the document and the lists of this test differ");
        let mut keys = Vec::new();
        for role in Role::ALL.into_iter().filter(|role| *role != Role::Service) {
            keys.push((role, app.key(&[role]).await));
        }
        for operation in &operations {
            let Some((_, permission, body)) = closed.iter().find(|(id, ..)| *id == operation.id) else {
                let answer = call(&app, operation, None, &Value::Null).await;
                assert!(![401, 403].contains(&answer.status), "{}: {answer:?}", operation.id);
                continue;
            };
            for key in [None, Some(""), Some(revoked.as_str()), Some("pb_x"), Some("nonsense")] {
                let answer = call(&app, operation, key, body).await;
                assert_eq!((answer.status, answer.code()), (401, "unauthenticated"), "{} {key:?}", operation.id);
                assert!(!answer.header("www-authenticate").is_empty());
            }
            let allowed = permission.roles();
            for (role, key) in &keys {
                let answer = call(&app, operation, Some(key), body).await;
                if allowed.contains(role) {
                    let let_in = ![401, 403, 500].contains(&answer.status);
                    assert!(let_in, "{} as {role}: {answer:?}", operation.id);
                } else {
                    assert_eq!((answer.status, answer.code()), (403, "forbidden"), "{} as {role}", operation.id);
                    assert!(answer.body["detail"].as_str().unwrap().contains(allowed[0].name()));
                }
            }
        }
    }

    async fn a_revoked_key_stops_at_once_and_its_last_use_is_noted(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let key = app.key(&[Role::Reader]).await;
        assert_eq!(app.get(&key, "/v1/providers").await.status, 200);
        let listed = app.keys.list(&TestApp::operator()).await.unwrap();
        assert_eq!(listed[0].last_used_at, Some(app.context.now()));
        app.keys.revoke(&TestApp::operator(), listed[0].id).await.unwrap();
        assert_eq!(app.get(&key, "/v1/providers").await.status, 401);
    }
}
