//! Webhooks of Dataverse (H4): who may post them, what they may look like, and that an answer means it is kept.

use provider_bridge::domain::job::{JobState, JobWork};
use provider_bridge::store::Engine;
use provider_bridge::store::entities::{crm_notice, exception};
use provider_bridge::store::jobs::{self, Ending};
use reqwest::{Method, RequestBuilder};
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};

use crate::on_both_engines;
use crate::support::app::{Answer, ORGANIZATION_HOST, ORGANIZATION_ID, TestApp, WEBHOOK_SECRETS};
use crate::support::stores::TestStore;

const PATH: &str = "/webhooks/dataverse";
const ACCOUNT: &str = "7a1de0c4-11aa-4b61-b6a0-90f3c1d27e01";
const OTHER: &str = "7a1de0c4-11aa-4b61-b6a0-90f3c1d27e02";
const TYPES: &str = "http://schemas.microsoft.com/xrm/2011/Contracts";

/// An execution context with what every message has.
fn context(message: &str, table: &str, parameters: Value) -> Value {
    json!({
        "BusinessUnitId": "0d7a1c55-6a2f-4b8e-8d0b-3f9f4d0f7a10",
        "CorrelationId": "c0ffee00-0000-4000-8000-000000000001",
        "Depth": 1,
        "InitiatingUserId": "0d7a1c55-6a2f-4b8e-8d0b-3f9f4d0f7a11",
        "InputParameters": parameters,
        "IsInTransaction": false,
        "IsolationMode": 1,
        "MessageName": message,
        "Mode": 1,
        "OperationCreatedOn": "/Date(1780315200000+0200)/",
        "OperationId": "0d7a1c55-6a2f-4b8e-8d0b-3f9f4d0f7a12",
        "OrganizationId": ORGANIZATION_ID,
        "OrganizationName": "contoso",
        "OutputParameters": [],
        "OwningExtension": { "Id": "0d7a1c55-6a2f-4b8e-8d0b-3f9f4d0f7a13", "KeyAttributes": [], "LogicalName": "sdkmessageprocessingstep", "Name": null, "RowVersion": null },
        "PostEntityImages": [],
        "PreEntityImages": [],
        "PrimaryEntityId": ACCOUNT,
        "PrimaryEntityName": table,
        "SharedVariables": [],
        "Stage": 40,
        "UserId": "0d7a1c55-6a2f-4b8e-8d0b-3f9f4d0f7a11",
    })
}

fn update() -> Value {
    let target = json!({
        "__type": format!("Entity:{TYPES}"),
        "Attributes": [
            { "key": "name", "value": "Müller & Söhne" },
            { "key": "accountid", "value": { "__type": "Guid:#System", "__value": ACCOUNT } },
        ],
        "Id": ACCOUNT,
        "LogicalName": "account",
    });
    context(
        "Update",
        "account",
        json!([{ "key": "Target", "value": target }]),
    )
}

fn merge() -> Value {
    let target = json!({ "__type": format!("EntityReference:{TYPES}"), "Id": ACCOUNT, "LogicalName": "account" });
    let parameters = json!([
        { "key": "Target", "value": target },
        { "key": "SubordinateId", "value": OTHER },
        { "key": "PerformParentingChecks", "value": false },
    ]);
    context("Merge", "account", parameters)
}

fn post(app: &TestApp, body: impl Into<reqwest::Body>) -> RequestBuilder {
    app.request(Method::POST, PATH)
        .header("x-ms-dynamics-organization", ORGANIZATION_HOST)
        .header("content-type", "application/json; charset=utf-8")
        .body(body)
}

async fn tell(app: &TestApp, body: impl Into<reqwest::Body>) -> Answer {
    Answer::of(post(app, body).header("X-Webhook-Secret", WEBHOOK_SECRETS[0])).await
}

async fn kept(app: &TestApp) -> Vec<crm_notice::Model> {
    let reader = app.flows.store.reader();
    crm_notice::Entity::find().all(reader).await.unwrap()
}

async fn pulls_waiting(app: &TestApp) -> usize {
    let jobs = jobs::latest(app.flows.store.reader(), 20).await.unwrap();
    let waits = |job: &&provider_bridge::domain::job::Job| {
        job.work == JobWork::SyncCrmDirectory && job.state == JobState::Waiting
    };
    jobs.iter().filter(waits).count()
}

async fn open_exceptions(app: &TestApp) -> Vec<String> {
    let rows = exception::Entity::find()
        .all(app.flows.store.reader())
        .await
        .unwrap();
    let open = rows.into_iter().filter(|row| row.closed_at.is_none());
    open.map(|row| row.kind).collect()
}

on_both_engines! {
    async fn what_we_wrote_ourselves_is_kept_and_has_nothing_read(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let own = "0d7a1c55-6a2f-4b8e-8d0b-3f9f4d0f7a11";
        app.crm.own_user.set(own.parse().unwrap()).unwrap();
        let create = context("Create", "account", json!([]));
        for body in [update(), create] {
            assert_eq!(tell(&app, body.to_string()).await.status, 202);
        }
        assert_eq!((kept(&app).await.len(), pulls_waiting(&app).await), (2, 0));
        // Ours and another's at once: neither is lost, and the CRM is read.
        let mut other = update();
        other["InitiatingUserId"] = json!(OTHER);
        let (ours, theirs) = futures_util::join!(tell(&app, update().to_string()), tell(&app, other.to_string()));
        assert_eq!((ours.status, theirs.status), (202, 202));
        assert_eq!((kept(&app).await.len(), pulls_waiting(&app).await), (4, 1));
    }
}

#[actix_web::test]
async fn what_may_be_of_somebody_else_is_never_taken_for_our_own() {
    let own = json!("0d7a1c55-6a2f-4b8e-8d0b-3f9f4d0f7a11");
    for (member, value) in [
        ("InitiatingUserId", json!(OTHER)),
        ("InitiatingUserId", Value::Null),
        ("InitiatingUserId", json!("our user")),
        ("UserId", json!(OTHER)),
        ("Depth", json!(2)),
        ("Depth", json!("1")),
        ("Depth", Value::Null),
        ("MessageName", json!("Delete")),
        ("MessageName", json!("Merge")),
        ("nobody knows who we are", Value::Null),
    ] {
        let store = TestStore::create(Engine::Sqlite).await;
        let app = TestApp::start((*store).clone()).await;
        if member != "nobody knows who we are" {
            let own = own.as_str().unwrap().parse().unwrap();
            app.crm.own_user.set(own).unwrap();
        }
        let mut body = update();
        body[member] = value.clone();
        assert_eq!(tell(&app, body.to_string()).await.status, 202);
        assert_eq!(pulls_waiting(&app).await, 1, "{member} {value}");
    }
}

on_both_engines! {
    async fn what_is_answered_is_kept_as_it_came_and_the_crm_is_read(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let body = update().to_string();

        let answer = tell(&app, body.clone()).await;

        assert_eq!((answer.status, answer.text.as_str()), (202, ""));
        let rows = kept(&app).await;
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].body, body.as_bytes());
        assert_eq!((rows[0].message.as_str(), rows[0].table_name.as_str()), ("Update", "account"));
        assert_eq!(rows[0].record_id, Some(ACCOUNT.parse().unwrap()));
        assert_eq!(rows[0].headers["x-ms-dynamics-organization"], ORGANIZATION_HOST);
        assert!(!rows[0].headers.to_string().contains(WEBHOOK_SECRETS[0]), "{}", rows[0].headers);
        assert_eq!(pulls_waiting(&app).await, 1);
    }

    /// Twice the same, out of order, while a reading is under way: one more reading, no more.
    async fn however_many_come_while_the_crm_is_read_it_is_read_once_more(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        tell(&app, update().to_string()).await;
        let (_, lease) = jobs::claim(&store, &app.context, std::time::Duration::from_secs(60)).await.unwrap().unwrap();
        for body in [update(), merge(), update()] {
            assert_eq!(tell(&app, body.to_string()).await.status, 202);
        }
        assert_eq!(pulls_waiting(&app).await, 0);
        let tx = store.begin().await.unwrap();
        jobs::end(&tx, &app.context, lease, Ending::Succeeded(Value::Null)).await.unwrap();
        tx.commit().await.unwrap();

        assert_eq!(pulls_waiting(&app).await, 1);
        assert_eq!(kept(&app).await.len(), 4);
    }

    async fn a_burst_is_kept_whole(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let burst = (0..300).map(|_| tell(&app, update().to_string()));

        let answers = futures_util::future::join_all(burst).await;

        assert!(answers.iter().all(|answer| answer.status == 202));
        let rows = crm_notice::Entity::find().count(store.reader()).await.unwrap();
        assert_eq!(rows, 300);
    }

    async fn an_unknown_secret_is_refused_and_raises_an_exception_until_a_known_one_comes(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let same_length = "x".repeat(WEBHOOK_SECRETS[0].len());
        assert_eq!(tell(&app, update().to_string()).await.status, 202);

        for _ in 0..3 {
            let request = post(&app, update().to_string()).header("X-Webhook-Secret", &same_length);
            let answer = Answer::of(request).await;
            assert_eq!((answer.status, answer.code()), (401, "unauthenticated"));
            assert!(!answer.text.contains(&same_length) && !answer.text.contains(WEBHOOK_SECRETS[0]));
        }

        assert_eq!(open_exceptions(&app).await, ["webhook-refused"]);
        assert_eq!(kept(&app).await.len(), 1);
        assert_eq!(tell(&app, update().to_string()).await.status, 202);
        assert_eq!(open_exceptions(&app).await, [""; 0]);
    }
}

#[actix_web::test]
async fn the_secret_may_stand_in_the_header_or_as_key_or_in_the_query_and_two_are_live() {
    let store = TestStore::create(Engine::Sqlite).await;
    let app = TestApp::start(store.clone()).await;
    for secret in WEBHOOK_SECRETS {
        let body = update().to_string();
        let in_header = post(&app, body.clone()).header("x-webhook-secret", secret);
        let key = app.request(Method::POST, &format!("{PATH}?code={secret}"));
        let query = app.request(Method::POST, &format!("{PATH}?tenant=1&secret={secret}"));
        for request in [in_header, key, query] {
            let request = request
                .header(
                    "x-ms-dynamics-organization",
                    ORGANIZATION_HOST.to_uppercase(),
                )
                .body(body.clone());
            assert_eq!(Answer::of(request).await.status, 202);
        }
    }
    let none = Answer::of(post(&app, update().to_string())).await;
    assert_eq!(none.status, 401);
    let in_query = app.request(Method::POST, &format!("{PATH}?code=wrong-but-long-enough"));
    let wrong = Answer::of(in_query.header("x-ms-dynamics-organization", ORGANIZATION_HOST)).await;
    assert_eq!(wrong.status, 401);
}

#[actix_web::test]
async fn another_organisation_is_refused_by_its_header_and_by_its_body() {
    let store = TestStore::create(Engine::Sqlite).await;
    let app = TestApp::start(store.clone()).await;
    let secret = WEBHOOK_SECRETS[0];
    for named in [
        None,
        Some("fabrikam.crm4.dynamics.com"),
        Some("contoso.crm4.dynamics.com.evil.test"),
    ] {
        let mut request = app
            .request(Method::POST, PATH)
            .header("x-webhook-secret", secret);
        if let Some(named) = named {
            request = request.header("x-ms-dynamics-organization", named);
        }
        let answer = Answer::of(request.body(update().to_string())).await;
        assert_eq!(
            (answer.status, answer.code()),
            (403, "forbidden"),
            "{named:?}"
        );
    }
    let mut body = update();
    body["OrganizationId"] = OTHER.into();
    assert_eq!(tell(&app, body.to_string()).await.status, 403);
    assert_eq!(kept(&app).await, []);
    assert_eq!(
        open_exceptions(&app).await,
        [""; 0],
        "a stranger is no exception"
    );
}

#[actix_web::test]
async fn every_documented_shape_is_understood() {
    let store = TestStore::create(Engine::Sqlite).await;
    let app = TestApp::start(store.clone()).await;
    let reference = json!({ "__type": format!("EntityReference:{TYPES}"), "Id": ACCOUNT, "LogicalName": "account" });
    let delete = context(
        "Delete",
        "account",
        json!([{ "key": "Target", "value": reference }]),
    );
    let mut stripped = update();
    let members = stripped.as_object_mut().unwrap();
    members.retain(|name, _| {
        ![
            "InputParameters",
            "PreEntityImages",
            "PostEntityImages",
            "ParentContext",
        ]
        .contains(&name.as_str())
    });
    let mut unknown = context(
        "Update",
        "contact",
        json!([{ "key": "Target", "value": { "__type": "Novelty:urn:x", "Ids": [[]] } }]),
    );
    unknown["BroughtInLater"] = json!({ "deep": [1, 2.5, null] });
    let wrapped = json!([{ "key": "SubordinateId", "value": { "__type": "Guid:#System", "__value": OTHER } }]);
    let bodies = [
        update(),
        merge(),
        delete,
        stripped,
        unknown,
        context("Merge", "account", wrapped),
    ];
    for body in &bodies {
        assert_eq!(tell(&app, body.to_string()).await.status, 202, "{body}");
        let escaped = body.to_string().replace('/', "\\/");
        assert_eq!(tell(&app, escaped).await.status, 202, "{body}");
    }
    // Windows-1252, as some organisations send it.
    let mangled: Vec<u8> = update()
        .to_string()
        .chars()
        .map(|char| u8::try_from(u32::from(char)).unwrap())
        .collect();
    assert!(std::str::from_utf8(&mangled).is_err());
    assert_eq!(tell(&app, mangled.clone()).await.status, 202);
    let rows = kept(&app).await;
    assert_eq!(rows.len(), 2 * bodies.len() + 1);
    assert!(rows.iter().any(|row| row.body == mangled));
    assert!(
        rows.iter()
            .all(|row| row.record_id == Some(ACCOUNT.parse().unwrap()))
    );
}

#[actix_web::test]
async fn what_cannot_be_read_is_refused_and_the_crm_is_read_all_the_same() {
    let store = TestStore::create(Engine::Sqlite).await;
    let app = TestApp::start(store.clone()).await;
    let whole = merge().to_string();
    let torn = (0..whole.len())
        .step_by(97)
        .map(|length| whole.as_bytes()[..length].to_vec());
    let others = [
        "null",
        "[]",
        "\"\"",
        "{}",
        "{\"MessageName\":\"\"}",
        "{\"MessageName\":7}",
    ]
    .map(|text| text.as_bytes().to_vec());
    for body in torn.chain(others) {
        let answer = tell(&app, body.clone()).await;
        assert_eq!(
            (answer.status, answer.code()),
            (400, "invalid-request"),
            "{}",
            String::from_utf8_lossy(&body)
        );
    }
    assert_eq!(kept(&app).await, []);
    assert_eq!(pulls_waiting(&app).await, 1);
}

#[actix_web::test]
async fn too_large_a_body_is_refused_and_the_secret_is_asked_for_first() {
    let store = TestStore::create(Engine::Sqlite).await;
    let app = TestApp::start(store.clone()).await;
    let large = vec![b' '; 2 * 1024 * 1024];

    let answer = tell(&app, large.clone()).await;
    assert_eq!((answer.status, answer.code()), (413, "payload-too-large"));

    // Not one byte of the body is needed to refuse.
    let endless = futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>();
    let request =
        post(&app, reqwest::Body::wrap_stream(endless)).header("x-webhook-secret", "wrong");
    assert_eq!(Answer::of(request).await.status, 401);
}
