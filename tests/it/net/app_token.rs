//! Application tokens: fetched once, kept as long as they are good, and never shown.

use std::sync::Arc;
use std::time::Duration;

use provider_bridge::domain::ports::provider::FailureKind;
use provider_bridge::net::app_token::{AppCredential, AppTokens};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use wiremock::matchers::{body_string_contains, header, method, path};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use crate::support::context::{ManualClock, context};
use crate::support::http::loopback_client;

pub const SECRET: &str = "s3cr3t~value+with/odd=signs";

/// A keeper of tokens from `server`, and its clock.
pub fn tokens(server: &MockServer) -> (AppTokens, Arc<ManualClock>) {
    let (context, clock) = context();
    let credential = AppCredential {
        token_url: format!("{}/tenant-1/oauth2/v2.0/token", server.uri())
            .parse()
            .unwrap(),
        client_id: "app-1".to_owned(),
        client_secret: SecretString::from(SECRET),
        scope: "https://pc.test/.default".to_owned(),
    };
    (
        AppTokens::new(loopback_client(), context, credential),
        clock,
    )
}

/// Grants numbered tokens: `token-1`, `token-2`, …
struct Numbered(std::sync::atomic::AtomicUsize, Value);

impl Respond for Numbered {
    fn respond(&self, _: &Request) -> ResponseTemplate {
        let number = self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1;
        let mut body = self.1.clone();
        body["access_token"] = json!(format!("token-{number}"));
        ResponseTemplate::new(200).set_body_json(body)
    }
}

async fn granting(rest: Value) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(Numbered(Default::default(), rest))
        .mount(&server)
        .await;
    server
}

async fn fetched(server: &MockServer) -> usize {
    server.received_requests().await.unwrap().len()
}

async fn text(tokens: &AppTokens) -> String {
    tokens.token().await.unwrap().expose_secret().to_owned()
}

#[actix_web::test]
async fn the_request_is_a_client_credentials_grant_with_the_secret_in_the_body() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/tenant-1/oauth2/v2.0/token"))
        .and(header("content-type", "application/x-www-form-urlencoded"))
        .and(body_string_contains("grant_type=client_credentials"))
        .and(body_string_contains("client_id=app-1"))
        .and(body_string_contains(
            "client_secret=s3cr3t%7Evalue%2Bwith%2Fodd%3Dsigns",
        ))
        .and(body_string_contains(
            "scope=https%3A%2F%2Fpc.test%2F.default",
        ))
        .respond_with(ResponseTemplate::new(200).set_body_json(
            json!({"token_type": "Bearer", "expires_in": 3599, "access_token": "token"}),
        ))
        .expect(1)
        .mount(&server)
        .await;
    assert_eq!(text(&tokens(&server).0).await, "token");
    let requests = server.received_requests().await.unwrap();
    assert!(!requests[0].headers.contains_key("authorization"));
}

#[actix_web::test]
async fn a_token_is_kept_until_shortly_before_it_expires() {
    // The older endpoint writes its numbers as strings.
    for expires_in in [json!(3600), json!("3600")] {
        let server = granting(json!({"token_type": "Bearer", "expires_in": expires_in})).await;
        let (tokens, clock) = tokens(&server);
        assert_eq!(text(&tokens).await, "token-1");
        clock.advance(Duration::from_secs(3299));
        assert_eq!(text(&tokens).await, "token-1");
        clock.advance(Duration::from_secs(1));
        assert_eq!(text(&tokens).await, "token-2");
    }
}

#[actix_web::test]
async fn a_short_life_keeps_a_shorter_margin_and_no_life_given_is_a_cautious_guess() {
    for (rest, good_for) in [
        (json!({"expires_in": 100}), 80),
        (json!({}), 480),
        (json!({"expires_in": null}), 480),
        (json!({"expires_in": "soon"}), 480),
        (json!({"expires_in": {}}), 480),
    ] {
        let server = granting(rest.clone()).await;
        let (tokens, clock) = tokens(&server);
        assert_eq!(text(&tokens).await, "token-1");
        clock.advance(Duration::from_secs(good_for - 1));
        assert_eq!(text(&tokens).await, "token-1", "{rest}");
        clock.advance(Duration::from_secs(1));
        assert_eq!(text(&tokens).await, "token-2", "{rest}");
    }
}

#[actix_web::test]
async fn many_who_need_a_token_at_once_cause_one_fetch() {
    let server = granting(json!({"expires_in": 3600})).await;
    let (tokens, _clock) = tokens(&server);
    let all = futures_util::future::join_all((0..50).map(|_| text(&tokens))).await;
    assert!(all.iter().all(|token| token == "token-1"));
    assert_eq!(fetched(&server).await, 1);
}

#[actix_web::test]
async fn many_whose_token_was_refused_cause_one_refresh() {
    let server = granting(json!({"expires_in": 3600})).await;
    let (tokens, _clock) = tokens(&server);
    let refused = tokens.token().await.unwrap();
    let all = (0..50).map(|_| async {
        tokens.forget(&refused).await;
        text(&tokens).await
    });
    let all = futures_util::future::join_all(all).await;
    assert!(all.iter().all(|token| token == "token-2"), "{all:?}");
    assert_eq!(fetched(&server).await, 2);
    assert_eq!(tokens.renew().await.unwrap().expose_secret(), "token-3");
    assert_eq!(text(&tokens).await, "token-3");
}

#[actix_web::test]
async fn those_who_waited_for_a_failing_fetch_share_its_error_and_the_next_tries_again() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(503).insert_header("retry-after", "7"))
        .mount(&server)
        .await;
    let (tokens, _clock) = tokens(&server);
    let all = futures_util::future::join_all((0..20).map(|_| tokens.token())).await;
    for outcome in all {
        let error = outcome.unwrap_err();
        assert_eq!(error.kind, FailureKind::Transient);
        assert_eq!(error.retry_after, Some(Duration::from_secs(7)));
    }
    assert_eq!(fetched(&server).await, 1);
    tokens.token().await.unwrap_err();
    assert_eq!(fetched(&server).await, 2);
}

#[actix_web::test]
async fn the_keeper_shows_no_secret() {
    let server = granting(json!({"expires_in": 3600})).await;
    let (tokens, _clock) = tokens(&server);
    text(&tokens).await;
    let shown = format!("{tokens:?}");
    assert!(
        !shown.contains(SECRET) && !shown.contains("token-1"),
        "{shown}"
    );
}
