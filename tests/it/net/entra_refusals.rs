//! Why no token was granted, and what the reader is told to do: a secret to renew, a consent to give, or time to wait.

use std::time::Duration;

use provider_bridge::domain::ports::provider::FailureKind::{
    self, Configuration, Consent, Permission, Protocol, Throttled, Transient,
};
use provider_bridge::net::app_token::TokenError;
use serde_json::{Value, json};
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::app_token::{SECRET, tokens};

async fn refused_with(answer: ResponseTemplate) -> TokenError {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(answer)
        .mount(&server)
        .await;
    let error = tokens(&server).0.token().await.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains(SECRET), "{shown}");
    error
}

async fn refused(status: u16, body: Value) -> TokenError {
    refused_with(ResponseTemplate::new(status).set_body_json(body)).await
}

/// Error, sub-error, number, class, and a word of the remedy.
const REFUSALS: [(&str, Option<&str>, u32, FailureKind, &str); 14] = [
    (
        "invalid_client",
        None,
        7_000_215,
        Configuration,
        "enter the secret's value",
    ),
    (
        "invalid_client",
        None,
        7_000_222,
        Configuration,
        "make a new one",
    ),
    (
        "unauthorized_client",
        None,
        700_016,
        Configuration,
        "check the tenant",
    ),
    (
        "invalid_request",
        None,
        90_002,
        Configuration,
        "check tenant and cloud",
    ),
    (
        "invalid_resource",
        None,
        500_011,
        Configuration,
        "check that it is the tenant",
    ),
    (
        "invalid_grant",
        Some("consent_required"),
        65_001,
        Consent,
        "give admin consent",
    ),
    (
        "invalid_grant",
        Some("basic_action"),
        50_076,
        Consent,
        "sign in again",
    ),
    ("invalid_grant", None, 700_082, Consent, "sign in again"),
    (
        "access_denied",
        None,
        53_003,
        Permission,
        "Conditional Access",
    ),
    ("invalid_grant", None, 50_196, Throttled, "wait"),
    (
        "temporarily_unavailable",
        None,
        90_033,
        Transient,
        "passing fault",
    ),
    // Numbers nobody has heard of: the class decides.
    (
        "invalid_client",
        None,
        7_999_999,
        Configuration,
        "check client id and secret",
    ),
    (
        "invalid_grant",
        Some("consent_required"),
        99_999,
        Consent,
        "admin consent",
    ),
    ("something_new", None, 99_999, Protocol, "unknown kind"),
];

#[actix_web::test]
async fn each_refusal_is_classed_by_who_can_mend_it() {
    for (error, suberror, code, kind, remedy) in REFUSALS {
        let body = json!({
            "error": error, "suberror": suberror, "error_codes": [code], "error_description": "as told",
            "correlation_id": "corr-1", "trace_id": "trace-1", "timestamp": "2026-06-01 12:00:00Z",
        });
        let got = refused(400, body).await;
        assert_eq!(got.kind, kind, "{code}: {got}");
        assert_eq!(got.code.as_deref(), Some(format!("AADSTS{code}").as_str()));
        assert_eq!(got.correlation_id.as_deref(), Some("corr-1"));
        let told = got.to_string();
        for part in [remedy, "https://pc.test/.default", "tenant-1", "app-1"] {
            assert!(told.contains(part), "{part} is missing in {told}");
        }
    }
}

#[actix_web::test]
async fn a_refusal_with_nothing_but_its_class_is_enough() {
    let error = refused(401, json!({"error": "invalid_client"})).await;
    assert_eq!(
        (error.kind, error.code.as_deref()),
        (Configuration, Some("invalid_client"))
    );
    insta::assert_snapshot!(
        error.message.replace("127.0.0.1", "login"),
        @"no token for `https://pc.test/.default` from login/tenant-1/oauth2/v2.0/token for application `app-1`: the application's credential was refused; check client id and secret (invalid_client)"
    );
}

#[actix_web::test]
async fn throttling_and_faults_are_told_from_refusals_whatever_their_body() {
    for (status, kind) in [
        (429, Throttled),
        (500, Transient),
        (502, Transient),
        (503, Transient),
    ] {
        let page = ResponseTemplate::new(status)
            .insert_header("retry-after", "Mon, 01 Jun 2026 12:00:30 GMT")
            .set_body_raw("<html>busy</html>", "text/html");
        let error = refused_with(page).await;
        assert_eq!(error.kind, kind, "{status}");
        assert_eq!(error.retry_after, Some(Duration::from_secs(30)));
    }
}

#[actix_web::test]
async fn what_is_no_token_and_no_refusal_is_not_taken_for_either() {
    let leak = "canary-token";
    for answer in [
        ResponseTemplate::new(200).set_body_raw(format!("<html>{leak}"), "text/html"),
        ResponseTemplate::new(200).set_body_json(json!({"token": leak})),
        ResponseTemplate::new(200).set_body_json(json!({"access_token": [leak]})),
        ResponseTemplate::new(200),
        ResponseTemplate::new(400).set_body_raw(leak, "text/plain"),
        ResponseTemplate::new(302).insert_header("location", "https://elsewhere.test/"),
    ] {
        let error = refused_with(answer).await;
        assert_eq!(error.kind, Protocol, "{error}");
        assert!(!format!("{error:?}").contains(leak), "{error:?}");
    }
}
