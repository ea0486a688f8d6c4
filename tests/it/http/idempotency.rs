//! `Idempotency-Key` (decision 10): the same call again gets the first answer, and nothing is done twice.

use std::time::Duration;

use provider_bridge::domain::caller::Role;
use provider_bridge::store::entities::{audit, idempotency};
use provider_bridge::store::retention::Retention;
use provider_bridge::store::{Store, retention};
use reqwest::Method;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::app::{Answer, Settings, TestApp};
use crate::support::outside::{CALLBACK_HOST, account};

const REPLAYED: &str = "idempotency-replayed";
const DAY: Duration = Duration::from_hours(24);

/// A call with a key.
pub async fn call(
    app: &TestApp,
    method: Method,
    path: &str,
    caller: &str,
    key: &str,
    body: &Value,
) -> Answer {
    let mut request = app
        .request(method, path)
        .header("x-api-key", caller)
        .header("idempotency-key", key);
    if !body.is_null() {
        request = request.json(body);
    }
    Answer::of(request).await
}

/// Makes an API key: what is done twice shows, and the answer holds a secret.
pub async fn make_key(app: &TestApp, caller: &str, key: &str, name: &str) -> Answer {
    let body = json!({ "name": name, "roles": ["reader"] });
    call(app, Method::POST, "/v1/api-keys", caller, key, &body).await
}

/// How many API keys there are.
pub async fn keys(app: &TestApp) -> usize {
    app.keys.list(&TestApp::operator()).await.unwrap().len()
}

async fn rows(store: &Store) -> Vec<idempotency::Model> {
    let rows = idempotency::Entity::find().all(store.reader()).await;
    rows.unwrap()
}

fn assert_replayed(first: &Answer, again: &Answer) {
    assert_eq!(
        (first.header(REPLAYED), again.header(REPLAYED)),
        ("", "true"),
        "{again:?}"
    );
    assert_eq!((first.status, &first.text), (again.status, &again.text));
    for name in ["location", "etag", "content-type", "retry-after"] {
        assert_eq!(first.header(name), again.header(name), "{name}");
    }
}

crate::on_both_engines! {
    async fn the_same_call_again_gets_the_first_answer_and_does_nothing(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let admin = app.key(&[Role::Admin]).await;
        let first = make_key(&app, &admin, "k-1", "flows").await;
        let again = make_key(&app, &admin, "k-1", "flows").await;
        assert_eq!(first.status, 201);
        assert_replayed(&first, &again);
        assert_eq!(keys(&app).await, 2);
        let text = first.body["apiKey"].as_str().unwrap();
        assert_eq!(app.get(text, "/v1/providers").await.status, 200, "the key works");

        // The process ends and another takes over.
        let later = TestApp::start_with(store.database.open().await, Settings { seed: 2, ..Settings::default() }).await;
        assert_replayed(&first, &make_key(&later, &admin, "k-1", "flows").await);
        assert_eq!(keys(&later).await, 2);
        assert_eq!(make_key(&app, &admin, "k-2", "flows").await.header(REPLAYED), "", "another key is another call");
        assert_eq!(keys(&app).await, 3);
    }

    async fn a_location_and_its_secret_come_again_and_are_sealed_at_rest(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let key = app.key(&[Role::Admin]).await;
        let path = "/v1/triggers/new-provider-account";
        let body = json!({ "callbackUrl": format!("https://{CALLBACK_HOST}/workflows/1?sig=canary") });
        let first = call(&app, Method::POST, path, &key, "t", &body).await;
        assert_eq!(first.status, 201, "{first:?}");
        assert_replayed(&first, &call(&app, Method::POST, path, &key, "t", &body).await);
        let listed = app.get(&key, "/v1/trigger-subscriptions?withRetired=true").await;
        assert_eq!(listed.body["value"].as_array().unwrap().len(), 1);
        let made = make_key(&app, &key, "k", "flows").await;
        let kept = format!("{:?}", rows(&store).await);
        let token = first.header("location").rsplit('/').next().unwrap();
        let signing = first.body["signingSecret"].as_str().unwrap();
        for secret in [token, signing, made.body["apiKey"].as_str().unwrap(), "canary"] {
            assert!(!kept.contains(secret), "{secret} is kept in the clear");
        }
        // Power Automate may send the header of the caller with the DELETE, which has no caller.
        let path = format!("/v1/trigger-subscriptions/{token}");
        for _ in 0..2 {
            assert_eq!(call(&app, Method::DELETE, &path, "", "t", &Value::Null).await.status, 204);
        }
    }

    async fn a_key_belongs_to_its_caller_and_to_one_request(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let (admin, colleague) = (app.key(&[Role::Admin]).await, app.key(&[Role::Admin]).await);
        let ids = app.provider_accounts(&["Contoso", "Fabrikam"]).await;
        let first = make_key(&app, &admin, "k", "flows").await;
        let other = make_key(&app, &colleague, "k", "flows").await;
        assert_eq!((other.status, other.header(REPLAYED)), (201, ""));
        assert_ne!(first.text, other.text);
        let mismatch = make_key(&app, &admin, "k", "others").await;
        assert_eq!((mismatch.status, mismatch.code()), (422, "idempotency-mismatch"));
        let [one, two] = [0, 1].map(|index| format!("/v1/provider-accounts/{}/mapping", ids[index]));
        let unmap = |path: String| {
            let (app, admin) = (&app, &admin);
            async move { call(app, Method::DELETE, &path, admin, "k", &Value::Null).await }
        };
        assert_eq!(unmap(one.clone()).await.status, 200, "another operation is another call");
        for path in [two, format!("{one}?reason=r")] {
            assert_eq!(unmap(path).await.code(), "idempotency-mismatch");
        }
        let stale = app.request(Method::DELETE, &one).header("x-api-key", &admin).header("idempotency-key", "k");
        assert_eq!(Answer::of(stale.header("if-match", "\"9\"")).await.code(), "idempotency-mismatch");
    }

    async fn a_key_is_forgotten_after_a_day(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let admin = app.key(&[Role::Admin]).await;
        let first = make_key(&app, &admin, "k", "flows").await;
        app.clock.advance(DAY - Duration::from_secs(1));
        assert_replayed(&first, &make_key(&app, &admin, "k", "flows").await);
        app.clock.advance(Duration::from_secs(1));
        let anew = make_key(&app, &admin, "k", "something else").await;
        assert_eq!((anew.status, anew.header(REPLAYED)), (201, ""));
        assert_replayed(&anew, &make_key(&app, &admin, "k", "something else").await);
        assert_eq!(rows(&store).await.len(), 1);
        app.clock.advance(DAY + Duration::from_secs(1));
        let keep = Retention { events_days: 1, jobs_days: 1, sync_runs_days: 1, exceptions_days: 1, crm_notices_days: 1 };
        let tx = store.begin().await.unwrap();
        retention::sweep(&tx, &app.context, &keep).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(rows(&store).await, []);
    }

    async fn what_came_to_nothing_may_be_tried_again_with_the_same_key(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let admin = app.key(&[Role::Admin]).await;
        let reader = app.key(&[Role::Reader]).await;
        assert_eq!(make_key(&app, &admin, "k", " ").await.code(), "rule-violated");
        assert_eq!(make_key(&app, &reader, "k", "flows").await.code(), "forbidden");
        let provider = |name: &str| json!({
            "kind": "partner-center", "name": name, "partnerTenant": "contoso.com", "clientId": "c", "clientSecret": "s",
        });
        let path = "/v1/providers";
        assert_eq!(call(&app, Method::POST, path, &admin, "a", &provider("Europe")).await.status, 201);
        let taken = call(&app, Method::POST, path, &admin, "b", &provider("Europe")).await;
        assert_eq!((taken.status, taken.code()), (409, "conflict"), "a write that the database refused");
        assert_eq!(rows(&store).await.len(), 1, "only the success is kept");
        assert_eq!(make_key(&app, &admin, "k", "flows").await.status, 201);
        assert_eq!(call(&app, Method::POST, path, &admin, "b", &provider("America")).await.status, 201);
        let nowhere = call(&app, Method::POST, "/v1/nowhere", &admin, "k", &Value::Null).await;
        assert_eq!(nowhere.status, 404);
    }

    async fn a_call_that_changes_nothing_is_answered_and_repeated_too(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let key = app.key(&[Role::Admin]).await;
        let id = app.provider_accounts(&["Contoso"]).await.remove(0);
        app.crm.put(account(1, "Contoso Ltd"));
        app.crm.put(account(2, "Contoso Holding"));
        let path = format!("/v1/provider-accounts/{id}/mapping");
        let map = |key_text: &'static str, account: u128| {
            let (app, path, key) = (&app, &path, &key);
            async move {
                let body = json!({ "accountId": Uuid::from_u128(account) });
                call(app, Method::PUT, path, key, key_text, &body).await
            }
        };
        let mut events = store.signals().subscribe();
        let mapped = map("a", 1).await;
        assert_eq!(mapped.status, 200, "{mapped:?}");
        assert!(events.try_recv().is_ok(), "whoever waits for changes is told");
        assert_replayed(&mapped, &map("a", 1).await);
        let same = map("b", 1).await;
        assert_eq!((same.status, same.header(REPLAYED), &same.text), (200, "", &mapped.text));
        assert_eq!(map("c", 2).await.body["accountName"], "Contoso Holding");
        assert_replayed(&same, &map("b", 1).await);
        assert_eq!(app.get(&key, &path).await.body["accountName"], "Contoso Holding", "a replay maps nothing back");
        let history = audit::Entity::find().count(store.reader()).await.unwrap();
        assert_eq!(history, 3, "one key made, two mappings");

        // A job's Location, whose token is made of the hour, is the same again.
        let job = call(&app, Method::POST, "/v1/auto-match", &key, "j", &Value::Null).await;
        app.clock.advance(Duration::from_hours(1));
        assert_eq!(job.status, 202, "{job:?}");
        assert_replayed(&job, &call(&app, Method::POST, "/v1/auto-match", &key, "j", &Value::Null).await);
    }

    async fn a_key_that_cannot_be_kept_is_refused_before_anything_is_done(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let admin = app.key(&[Role::Admin]).await;
        for bad in ["", "two words", "k\u{e9}", &"x".repeat(256)] {
            let refused = make_key(&app, &admin, bad, "flows").await;
            assert_eq!((refused.status, refused.code()), (400, "invalid-request"), "{bad:?}");
        }
        let twice = app.request(Method::POST, "/v1/api-keys").header("x-api-key", &admin)
            .header("idempotency-key", "a").header("idempotency-key", "b")
            .json(&json!({ "name": "flows", "roles": ["reader"] }));
        assert_eq!(Answer::of(twice).await.code(), "invalid-request");
        assert_eq!(keys(&app).await, 1);
        assert_eq!(make_key(&app, &admin, &"x".repeat(255), "flows").await.status, 201);
        let large = json!({ "name": "x".repeat(70_000), "roles": ["reader"] });
        let large = call(&app, Method::POST, "/v1/api-keys", &admin, "k", &large).await;
        assert_eq!(large.code(), "payload-too-large");
        // Reading changes nothing: the header says nothing there.
        assert_eq!(call(&app, Method::GET, "/v1/providers", &admin, "", &Value::Null).await.status, 200);
    }
}
