//! A refused token: renewed once where that can help, and told apart from a wrong setting and a missing second factor.

use provider_bridge::domain::ports::provider::{FailureKind, ProviderClient};
use provider_bridge::domain::provider_account::ExternalId;
use serde_json::json;
use std::time::Duration;
use wiremock::matchers::{header_regex, method};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::stand::{Stand, header, id, ok, page, refusal};

#[actix_web::test]
async fn an_expired_token_is_renewed_once_within_the_same_call() {
    let stand = Stand::start().await;
    Mock::given(method("GET"))
        .and(header_regex("authorization", r"\.n1$"))
        .respond_with(refusal(401, json!("400"), "Access denied"))
        .mount(&stand.server)
        .await;
    stand.answering(ok(page(&[1], None))).await;
    stand.client.list_customers(None).await.unwrap();
    assert_eq!(stand.signed_in().await, 2);
    let asked = stand.asked().await;
    assert_eq!(asked.len(), 2);
    assert_eq!(
        header(&asked[0], "MS-RequestId"),
        header(&asked[1], "MS-RequestId")
    );
}

#[actix_web::test]
async fn many_calls_refused_at_once_renew_the_token_once() {
    let stand = Stand::start().await;
    Mock::given(method("GET"))
        .and(header_regex("authorization", r"\.n1$"))
        .respond_with(ResponseTemplate::new(401))
        .mount(&stand.server)
        .await;
    stand.answering(ok(json!({"id": id(1)}))).await;
    let wanted = ExternalId::parse(&id(1)).unwrap();
    let calls = (0..20).map(|_| stand.client.customer_details(&wanted));
    for outcome in futures_util::future::join_all(calls).await {
        outcome.unwrap();
    }
    assert_eq!(stand.signed_in().await, 2);
}

#[actix_web::test]
async fn a_token_refused_again_after_renewal_is_given_up() {
    let stand = Stand::start().await;
    stand
        .answering(refusal(401, json!("400"), "Access denied"))
        .await;
    let error = stand.client.list_customers(None).await.unwrap_err();
    assert_eq!(error.kind, FailureKind::Consent);
    assert_eq!((stand.asked().await.len(), stand.signed_in().await), (2, 2));
}

#[actix_web::test]
async fn a_wrong_audience_and_a_missing_second_factor_are_not_tried_again() {
    for (code, kind, remedy) in [
        (json!("900420"), FailureKind::Configuration, "scope setting"),
        (json!("900421"), FailureKind::Consent, "multi-factor"),
        (json!(900421), FailureKind::Consent, "multi-factor"),
    ] {
        let stand = Stand::start().await;
        stand.answering(refusal(401, code.clone(), "refused")).await;
        let error = stand.client.list_customers(None).await.unwrap_err();
        assert_eq!(error.kind, kind, "{code}");
        assert!(error.message.contains(remedy), "{error}");
        assert_eq!((stand.asked().await.len(), stand.signed_in().await), (1, 1));
    }
}

#[actix_web::test]
async fn a_token_is_used_until_it_ages() {
    let stand = Stand::start().await;
    stand.answering(ok(page(&[1], None))).await;
    for minutes in [0, 30, 25, 5] {
        stand.clock.advance(Duration::from_secs(minutes * 60));
        stand.client.list_customers(None).await.unwrap();
    }
    assert_eq!(stand.signed_in().await, 2);
}

#[actix_web::test]
async fn a_sign_in_that_fails_is_the_error_and_partner_center_is_not_asked() {
    for (answer, kind, tries) in [
        (
            ResponseTemplate::new(401)
                .set_body_json(json!({"error": "invalid_client", "error_codes": [7000222]})),
            FailureKind::Configuration,
            1,
        ),
        (
            ResponseTemplate::new(400)
                .set_body_json(json!({"error": "invalid_grant", "error_codes": [65001]})),
            FailureKind::Consent,
            1,
        ),
        (ResponseTemplate::new(503), FailureKind::Transient, 5),
    ] {
        let server = MockServer::start().await;
        Mock::given(method("POST"))
            .respond_with(answer)
            .mount(&server)
            .await;
        let stand = Stand::without_sign_in(server, |_, _| ());
        let error = stand.client.list_customers(None).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert_eq!(
            (stand.asked().await.len(), stand.signed_in().await),
            (0, tries)
        );
    }
}
