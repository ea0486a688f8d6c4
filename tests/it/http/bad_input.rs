//! Whatever a caller sends, it gets a problem that says what is wrong, never a 5xx.

use provider_bridge::domain::caller::Role;
use reqwest::Method;
use serde_json::json;

use crate::support::app::{Answer, Settings, TestApp};

const NOWHERE: &str = "0197a1b2-0000-7000-8000-00000000ffff";

fn assert_problem(answer: &Answer, status: u16, code: &str, says: &str) {
    assert_eq!((answer.status, answer.code()), (status, code), "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.body["status"], status);
    assert_eq!(answer.body["requestId"], answer.header("x-request-id"));
    let detail = answer.body["detail"].as_str().unwrap();
    assert!(detail.contains(says), "{detail:?} does not say {says:?}");
}

crate::on_both_engines! {
    async fn what_is_not_there_is_404_and_what_is_no_id_is_400(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let key = app.key(&[Role::Admin]).await;
        for path in ["providers", "provider-accounts", "jobs"] {
            let unknown = app.get(&key, &format!("/v1/{path}/{NOWHERE}")).await;
            assert_problem(&unknown, 404, "not-found", NOWHERE);
            for bad in ["x", "0197a1b2-0000-7000-8000", "%00", "..%2F..%2Fetc", "%F0%9F%92%A9", "'%20OR%201=1--"] {
                let answer = app.get(&key, &format!("/v1/{path}/{bad}")).await;
                assert_problem(&answer, 400, "invalid-request", "UUID");
            }
        }
        let long = app.get(&key, &format!("/v1/jobs/{}", "9".repeat(5000))).await;
        assert_problem(&long, 400, "invalid-request", "UUID");
        assert!(long.text.len() < 1000);
    }

    async fn bodies_that_cannot_be_read_say_where(store: TestStore) {
        let settings = Settings { max_body_bytes: 2000, ..Settings::default() };
        let app = TestApp::start_with(store.clone(), settings).await;
        let key = app.key(&[Role::Admin]).await;
        let post = |body: String, kind: &'static str| {
            let request = app.request(Method::POST, "/v1/api-keys").header("x-api-key", &key);
            Answer::of(request.header("content-type", kind).body(body))
        };
        let json = "application/json";
        for (body, says) in [
            ("", "is empty"),
            ("{", "ends too early at line 1, column 1"),
            ("nonsense", "not valid JSON"),
            (r#"["k", ["reader"]]"#, "a JSON object with named fields, not an array"),
            ("null", "not null"),
            (r#"{"name": 3, "roles": []}"#, "`name` must be a string, not that number"),
            (r#"{"roles": ["reader"]}"#, "lacks the field `name`"),
            (r#"{"name": "k", "roles": "reader"}"#, "`roles` must be an array, not a string"),
            (r#"{"name": "k", "roles": [{}]}"#, "`roles[0]` must be a string, not an object"),
            (r#"{"name": "k", "roles": ["reader"], "extra": 1}"#, "no field `extra`; its fields are: name, roles"),
            (r#"{"name": "k", "name": "k", "roles": []}"#, "`name` is given twice"),
            (r#"{"name": "k", "roles": ["king"]}"#, "king"),
            ("{\"name\": \"\u{0}\"}", "not valid JSON"),
        ] {
            assert_problem(&post(body.to_owned(), json).await, 400, "invalid-request", says);
        }
        let nested = "[".repeat(1500);
        assert_problem(&post(nested, json).await, 400, "invalid-request", "not valid JSON");
        for (body, says) in [
            (r#"{"name": "k", "roles": []}"#, "role"),
            (r#"{"name": "k", "roles": ["service"]}"#, "service"),
            (r#"{"name": "  ", "roles": ["reader"]}"#, "1 to 100"),
        ] {
            assert_problem(&post(body.to_owned(), json).await, 422, "rule-violated", says);
        }
        let form = post("name=k".to_owned(), "application/x-www-form-urlencoded").await;
        assert_problem(&form, 415, "unsupported-media-type", "application/json");
        let large = post("x".repeat(2001), json).await;
        assert_problem(&large, 413, "payload-too-large", "2000 bytes");
    }

    async fn paging_takes_only_numbers_and_its_own_cursors(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let key = app.key(&[Role::Reader]).await;
        for top in ["0", "-1", "x", "1.5", "99999999999999999999"] {
            let answer = app.get(&key, &format!("/v1/provider-accounts?$top={top}")).await;
            assert_eq!((answer.status, answer.code()), (400, "invalid-request"), "{top}");
        }
        assert_eq!(app.get(&key, "/v1/provider-accounts?$top=4000000000").await.status, 200);
        for cursor in ["", "x", "a.b.c", &"x".repeat(6000)] {
            let answer = app.get(&key, &format!("/v1/provider-accounts?$skiptoken={cursor}")).await;
            assert_problem(&answer, 400, "invalid-request", "$skiptoken");
        }
        let word = app.get(&key, "/v1/provider-accounts?state=lost").await;
        assert_problem(&word, 400, "invalid-request", "unmapped, mapped, excluded");
        let id = app.get(&key, "/v1/provider-accounts?provider=x").await;
        assert_problem(&id, 400, "invalid-request", "`provider` must be a UUID");
        let top = app.get(&key, "/v1/sync-runs?$top=few").await;
        assert_problem(&top, 400, "invalid-request", "`$top` must be a whole number");
    }

    async fn a_query_that_an_operation_does_not_have_is_refused_with_what_there_is(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let key = app.key(&[Role::Reader]).await;
        let misspelt = app.get(&key, "/v1/provider-accounts?providerId=x").await;
        assert_problem(&misspelt, 400, "invalid-request", "`providerId` here; there are: state, provider, search");
        let none = app.get(&key, "/v1/providers?$top=1").await;
        assert_problem(&none, 400, "invalid-request", "this operation has none");
        let twice = app.get(&key, "/v1/accounts?search=a&search=b").await;
        assert_problem(&twice, 400, "invalid-request", "`search` is given twice");
        for nothing in ["/v1/accounts", "/v1/accounts?search=", "/v1/accounts?search=%20"] {
            assert_problem(&app.get(&key, nothing).await, 400, "invalid-request", "`search`");
        }
        for path in ["accounts", "provider-accounts"] {
            let longest = app.get(&key, &format!("/v1/{path}?search={}", "x".repeat(200))).await;
            assert_eq!(longest.status, 200);
            let long = app.get(&key, &format!("/v1/{path}?search={}", "x".repeat(201))).await;
            assert_problem(&long, 400, "invalid-request", "at most 200 characters");
        }
    }

    async fn keys_twice_and_headers_that_are_no_text_are_refused(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let key = app.key(&[Role::Admin]).await;
        let twice = app.request(Method::GET, "/v1/providers").header("x-api-key", &key).header("x-api-key", &key);
        assert_problem(&Answer::of(twice).await, 400, "invalid-request", "one credential");
        let bytes = app.request(Method::GET, "/v1/providers").header("x-api-key", &b"\xff\xfe"[..]);
        assert_problem(&Answer::of(bytes).await, 401, "unauthenticated", "not valid");
        let stale = app
            .request(Method::PATCH, &format!("/v1/providers/{NOWHERE}"))
            .header("x-api-key", &key)
            .header("if-match", "three")
            .json(&json!({}));
        assert_problem(&Answer::of(stale).await, 400, "invalid-request", "If-Match");
    }

    async fn other_paths_are_404_and_other_methods_405(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let key = app.key(&[Role::Admin]).await;
        assert_problem(&app.get(&key, "/v1/nothing").await, 404, "not-found", "/docs");
        let answer = Answer::of(app.request(Method::GET, "/nothing")).await;
        assert_problem(&answer, 404, "not-found", "/docs");
        let answer = app.send(Method::DELETE, &key, "/v1/providers", &json!({})).await;
        assert_problem(&answer, 405, "method-not-allowed", "GET, HEAD, POST");
        assert_eq!(answer.header("allow"), "GET, HEAD, POST");
        let answer = Answer::of(app.request(Method::POST, "/health/live")).await;
        assert_problem(&answer, 405, "method-not-allowed", "GET");
    }
}
