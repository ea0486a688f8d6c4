//! Every operation of the OpenAPI document against {no credential, a revoked key, every kind of token that proves nothing,
//! the wrong role}, from one list. An
//! operation that is in the document but not here fails the test, and so does one that answers strangers and is not in
//! [`PUBLIC`].

use std::collections::BTreeSet;

use provider_bridge::domain::caller::{Permission, Role};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::{Answer, Settings, TestApp};
use crate::support::issuer::{self, FOREIGN_TENANT, Issuer, TENANT, with};
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

/// What asks for a secret of its own, which no caller of the API has. Each has tests of its own.
const OWN_SECRET: [&str; 1] = ["ReceiveDataverseNotice"];

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
    let mut all = vec![
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
        (
            "PreviewMapping",
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
        ("CreateAccountAndMap", Map, json!({})),
        ("CheckMappings", Map, Value::Null),
        ("ListMatchPlans", Read, Value::Null),
        ("GetMatchPlan", Read, Value::Null),
        ("ListMatchPlanItems", Read, Value::Null),
        ("ApplyMatchPlan", Map, json!({})),
        ("UndoMatchPlan", Map, json!({})),
        (
            "RejectSuggestion",
            Map,
            json!({ "accountId": "0197a1b2-0000-7000-8000-00000000ffff" }),
        ),
        ("ListSyncRuns", Read, Value::Null),
        ("ListProviders", Read, Value::Null),
        ("ConnectProvider", Configure, provider),
        ("GetProvider", Read, Value::Null),
        ("ChangeProvider", Configure, json!({})),
        ("SyncProviderAccounts", Sync, Value::Null),
        ("VerifyConnectivity", Sync, Value::Null),
        ("WhenProviderAccountIsCreated", Subscribe, callback.clone()),
        ("WhenProviderAccountIsMapped", Subscribe, callback.clone()),
        ("WhenConsentIsLapsing", Subscribe, callback.clone()),
        ("WhenConsentIsLost", Subscribe, callback.clone()),
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
    ];
    all.extend(closed_of_billing());
    all
}

/// The same of what belongs to billing.
fn closed_of_billing() -> Vec<(&'static str, Permission, Value)> {
    use Permission::{Bill, Configure, Map, Read, Subscribe, Sync};
    let contract = json!({
        "accountId": "0197a1b2-0000-7000-8000-00000000ffff",
        "name": "Cloud",
        "frequency": "monthly",
        "policy": "advance",
        "currency": "EUR",
        "startDate": "2026-01-01",
    });
    let callback = json!({ "callbackUrl": format!("https://{CALLBACK_HOST}/hook") });
    vec![
        ("ListBillingContracts", Read, Value::Null),
        ("CreateBillingContract", Bill, contract),
        ("GetBillingContract", Read, Value::Null),
        ("ChangeBillingContract", Bill, json!({})),
        ("CloseBillingContract", Bill, json!({ "reason": "r" })),
        ("ListSubscriptions", Read, Value::Null),
        ("GetSubscription", Read, Value::Null),
        ("ChangeSubscription", Bill, json!({})),
        ("ListLicenseChanges", Read, Value::Null),
        ("ExplainSubscription", Read, Value::Null),
        ("SyncSubscriptions", Sync, Value::Null),
        ("PreviewSubscriptionSync", Sync, Value::Null),
        ("GetSubscriptionPreview", Read, Value::Null),
        ("ProceedWithSubscriptionPreview", Sync, json!({})),
        ("ListSubscriptionSyncRuns", Read, Value::Null),
        ("GetSubscriptionSyncRun", Read, Value::Null),
        ("GetSyncReport", Read, Value::Null),
        ("GetSyncReportAsCsv", Read, Value::Null),
        ("ListExceptions", Read, Value::Null),
        ("CountExceptions", Read, Value::Null),
        ("AcknowledgeException", Map, json!({ "reason": "r" })),
        (
            "SnoozeException",
            Map,
            json!({ "until": "2026-06-02T00:00:00Z", "reason": "r" }),
        ),
        ("ListJobs", Read, Value::Null),
        ("CancelJob", Sync, Value::Null),
        ("RerunJob", Sync, Value::Null),
        ("ListSchedules", Read, Value::Null),
        (
            "SetSubscriptionSchedule",
            Configure,
            json!({ "cron": "0 4 * * *", "timeZone": "UTC" }),
        ),
        ("ChangeSchedule", Configure, json!({})),
        ("RunSchedule", Sync, Value::Null),
        ("ListScheduleJobs", Read, Value::Null),
        ("VerifyCrmConnectivity", Sync, Value::Null),
        ("WhenSubscriptionChanges", Subscribe, callback.clone()),
        ("WhenSubscriptionSyncFinishes", Subscribe, callback.clone()),
        ("WhenSubscriptionSyncFails", Subscribe, callback.clone()),
        ("WhenExceptionIsRaised", Subscribe, callback),
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
            let mut path = filled.collect::<Vec<_>>().join("/");
            let parameters = operation["parameters"].as_array();
            for parameter in parameters.into_iter().flatten() {
                if parameter["in"] == "query" && parameter["required"] == true {
                    path = format!("{path}?{}=x", parameter["name"].as_str().unwrap());
                }
            }
            operations.push(Operation {
                id: id.to_owned(),
                method: method.to_uppercase().parse().unwrap(),
                path,
            });
        }
    }
    operations
}

async fn call(app: &TestApp, operation: &Operation, key: Option<&str>, body: &Value) -> Answer {
    let header = key.map(|key| ("x-api-key", key.to_owned()));
    call_with(app, operation, header, body).await
}

async fn call_with(
    app: &TestApp,
    operation: &Operation,
    header: Option<(&str, String)>,
    body: &Value,
) -> Answer {
    let mut request = app.request(operation.method.clone(), &operation.path);
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    if !body.is_null() {
        request = request.json(body);
    }
    Answer::of(request).await
}

type Refused = (&'static str, String, u16);

/// Tokens whose claims do not fit, each with what it is answered.
fn tokens_that_prove_nothing(issuer: &Issuer) -> Vec<Refused> {
    let admin = issuer.user(&["admin"], "access_as_user");
    let foreign = json!(format!("{}/{FOREIGN_TENANT}/v2.0", issuer.origin()));
    let v1 = json!(format!("https://sts.windows.net/{TENANT}/"));
    let changes: [(&str, &[(&str, Value)]); 13] = [
        ("expired", &[("exp", json!(1_780_315_000))]),
        ("no expiry", &[("exp", Value::Null)]),
        ("expiry as text", &[("exp", json!("9999999999"))]),
        (
            "wrong audience",
            &[("aud", json!("00000003-0000-0000-c000-000000000000"))],
        ),
        (
            "gateway audience",
            &[("aud", json!("https://apihub.azure.com"))],
        ),
        (
            "wrong issuer",
            &[("iss", json!("https://login.example/v2.0"))],
        ),
        ("v1 issuer in a v2 token", &[("iss", v1)]),
        ("issuer of another tenant", &[("iss", foreign.clone())]),
        (
            "tenant of another issuer",
            &[("tid", json!(FOREIGN_TENANT))],
        ),
        (
            "foreign tenant",
            &[("tid", json!(FOREIGN_TENANT)), ("iss", foreign)],
        ),
        ("no tenant", &[("tid", Value::Null)]),
        ("no object", &[("oid", Value::Null)]),
        ("no version", &[("ver", Value::Null)]),
    ];
    let signed = |changes: &[(&str, Value)]| issuer.key.sign(&with(admin.clone(), changes));
    changes
        .into_iter()
        .map(|(what, changes)| (what, signed(changes), 401))
        .collect()
}

/// Tokens that are forged, or meant for something else.
fn tokens_of_another_make(issuer: &Issuer) -> Vec<Refused> {
    let admin = issuer.user(&["admin"], "access_as_user");
    let id_token = [
        ("scp", Value::Null),
        ("azp", Value::Null),
        ("azpacr", Value::Null),
    ];
    let reader = issuer.key.sign(&issuer.user(&["reader"], "access_as_user"));
    let mut parts: Vec<_> = reader.split('.').collect();
    let payload = issuer.key.sign(&admin);
    parts[1] = payload.split('.').nth(1).unwrap();
    let nonce = with(admin.clone(), &[("nonce", json!("n"))]);
    let id_token = with(admin.clone(), &id_token);
    vec![
        ("alg none", issuer::unsigned(&admin), 401),
        (
            "HS256 with the public key",
            issuer.key.sign_with_public_key(&admin),
            401,
        ),
        ("another token's claims", parts.join("."), 401),
        ("id_token", issuer.key.sign(&id_token), 401),
        ("id_token with a nonce", issuer.key.sign(&nonce), 401),
    ]
}

/// Tokens that say who calls, and allow nothing.
fn tokens_that_allow_nothing(issuer: &Issuer) -> Vec<Refused> {
    let user = |changes: &[(&str, Value)]| {
        let admin = issuer.user(&["admin"], "access_as_user");
        issuer.key.sign(&with(admin, changes))
    };
    let app = |changes: &[(&str, Value)]| {
        let app = issuer.app(&["admin"]);
        issuer.key.sign(&with(app, changes))
    };
    let neither = [("roles", Value::Null), ("scp", Value::Null)];
    vec![
        ("roles without scope", user(&[("scp", Value::Null)]), 403),
        (
            "another API's scope",
            user(&[("scp", json!("Mail.Read"))]),
            403,
        ),
        ("scope without roles", user(&[("roles", Value::Null)]), 403),
        ("neither claim", user(&neither), 403),
        (
            "an application without roles",
            app(&[("roles", Value::Null)]),
            403,
        ),
        (
            "an application with unknown roles",
            app(&[("roles", json!(["owner"]))]),
            403,
        ),
        (
            "the service's own role",
            app(&[("roles", json!(["service"]))]),
            403,
        ),
        (
            "a public client as an application",
            app(&[("azpacr", json!("0"))]),
            403,
        ),
    ]
}

/// Tokens that open nothing, each with what it is answered.
fn refused_tokens(issuer: &Issuer) -> Vec<Refused> {
    let mut refused = tokens_that_prove_nothing(issuer);
    refused.extend(tokens_of_another_make(issuer));
    refused.extend(tokens_that_allow_nothing(issuer));
    refused
}

crate::on_both_engines! {
    async fn every_operation_refuses_every_token_that_proves_nothing(store: TestStore) {
        let issuer = Issuer::start().await;
        let settings = Settings { bearer: Some(issuer.as_entra()), ..Settings::default() };
        let app = TestApp::start_with(store.clone(), settings).await;
        let refused = refused_tokens(&issuer);
        let sign = |role: Role| {
            let user = issuer.user(&[role.name()], "access_as_user");
            let app = Issuer::in_v1(issuer.app(&[role.name()]));
            [issuer.key.sign(&user), issuer.key.sign(&app)].map(|token| (role, token))
        };
        let good: Vec<_> = Role::ALL.into_iter().filter(|it| *it != Role::Service).flat_map(sign).collect();
        let closed = closed();
        for operation in &operations(&app).await {
            let Some((_, permission, body)) = closed.iter().find(|(id, ..)| *id == operation.id) else {
                continue;
            };
            for (what, token, status) in &refused {
                let header = ("authorization", format!("Bearer {token}"));
                let answer = call_with(&app, operation, Some(header), body).await;
                let code = if *status == 401 { "unauthenticated" } else { "forbidden" };
                assert_eq!((answer.status, answer.code()), (*status, code), "{} {what}: {answer:?}", operation.id);
                assert_eq!(answer.header("www-authenticate").contains("Bearer"), *status == 401, "{what}");
            }
            for (role, token) in &good {
                let header = ("authorization", format!("Bearer {token}"));
                let answer = call_with(&app, operation, Some(header), body).await;
                let refused = (answer.status, answer.code()) == (403, "forbidden");
                assert_eq!(refused, !permission.roles().contains(role), "{} as {role}: {answer:?}", operation.id);
                assert!(![401, 500].contains(&answer.status), "{} as {role}: {answer:?}", operation.id);
            }
        }
    }

    async fn every_operation_is_in_one_of_the_lists_and_keeps_to_it(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let revoked = app.key(&[Role::Admin]).await;
        let id = app.keys.list(&TestApp::operator()).await.unwrap()[0].id;
        app.keys.revoke(&TestApp::operator(), id).await.unwrap();
        let operations = operations(&app).await;
        let named: BTreeSet<_> = operations.iter().map(|operation| operation.id.as_str()).collect();
        let closed = closed();
        let listed: BTreeSet<_> = closed.iter().map(|(id, ..)| *id).chain(PUBLIC).chain(OWN_SECRET).collect();
        assert_eq!(named, listed, "the document and the lists of this test differ");
        let mut keys = Vec::new();
        for role in Role::ALL.into_iter().filter(|role| *role != Role::Service) {
            keys.push((role, app.key(&[role]).await));
        }
        let admin = &keys.iter().find(|(role, _)| *role == Role::Admin).unwrap().1;
        for operation in &operations {
            if OWN_SECRET.contains(&operation.id.as_str()) {
                for key in [None, Some(admin.as_str())] {
                    let answer = call(&app, operation, key, &json!({})).await;
                    assert_eq!(answer.status, 401, "{} {key:?}", operation.id);
                }
                continue;
            }
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
