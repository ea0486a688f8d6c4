//! Throttling and passing faults: how long is waited, what is repeated, and under which ids.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use provider_bridge::domain::context::Clock;
use provider_bridge::domain::ports::provider::{FailureKind, ProviderClient};
use provider_bridge::domain::provider_account::ExternalId;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;
use wiremock::matchers::path;

use super::stand::{CUSTOMERS, Stand, header, id, ok, one_customer, page, refusal};

fn gateway_429() -> ResponseTemplate {
    ResponseTemplate::new(429).set_body_json(
        json!({"statusCode": 429, "message": "Rate limit is exceeded. Try again in 57 seconds."}),
    )
}

/// How long a listing took by the clock when its first answer was `first`.
async fn waited(first: ResponseTemplate) -> (TimeDelta, Stand) {
    let stand = Stand::start().await;
    let began: DateTime<Utc> = stand.clock.now();
    stand
        .answering_in_turn(path(CUSTOMERS), vec![first, ok(page(&[1], None))])
        .await;
    stand.client.list_customers(None).await.unwrap();
    (stand.clock.now() - began, stand)
}

#[actix_web::test]
async fn the_wait_that_was_asked_for_is_kept_in_every_form_it_comes_in() {
    for (answer, seconds) in [
        (gateway_429().insert_header("Retry-After", "12"), 12),
        (
            refusal(429, json!("429"), "slow down")
                .insert_header("Retry-After", "Mon, 01 Jun 2026 12:00:40 GMT"),
            40,
        ),
        (gateway_429(), 57),
        (
            ResponseTemplate::new(503)
                .insert_header("Retry-After", "9")
                .set_body_raw("<h1>busy</h1>", "text/html"),
            9,
        ),
    ] {
        let (waited, _) = waited(answer).await;
        assert!(
            waited >= TimeDelta::seconds(seconds),
            "{waited} of {seconds}"
        );
        assert!(
            waited < TimeDelta::seconds(seconds + 1),
            "{waited} of {seconds}"
        );
    }
}

#[actix_web::test]
async fn without_a_word_on_how_long_the_wait_is_short() {
    for answer in [
        refusal(429, json!("429"), "slow down"),
        ResponseTemplate::new(429),
        ResponseTemplate::new(500),
        ResponseTemplate::new(502).set_body_raw("<html>Bad gateway</html>", "text/html"),
        refusal(500, json!("900192"), "try again"),
        ResponseTemplate::new(408),
    ] {
        let (waited, stand) = waited(answer).await;
        assert!(
            waited > TimeDelta::zero() && waited < TimeDelta::seconds(1),
            "{waited}"
        );
        assert_eq!(stand.asked().await.len(), 2);
    }
}

#[actix_web::test]
async fn a_repetition_keeps_its_request_id_and_every_attempt_has_a_correlation_id() {
    let stand = Stand::start().await;
    let fault = ResponseTemplate::new(500);
    stand
        .answering_in_turn(
            path(CUSTOMERS),
            vec![fault.clone(), fault, ok(page(&[1], None))],
        )
        .await;
    stand.client.list_customers(None).await.unwrap();
    stand.client.list_customers(None).await.unwrap();

    let asked = stand.asked().await;
    assert_eq!(asked.len(), 4);
    let of = |name: &'static str| {
        let ids: Vec<String> = asked
            .iter()
            .map(|request| header(request, name).unwrap())
            .collect();
        assert!(
            ids.iter().all(|id| uuid::Uuid::parse_str(id).is_ok()),
            "{ids:?}"
        );
        ids
    };
    let requests = of("MS-RequestId");
    assert_eq!(requests[0], requests[1]);
    assert_eq!(requests[0], requests[2]);
    assert_ne!(requests[0], requests[3]);
    let correlations = of("MS-CorrelationId");
    assert_eq!(correlations.iter().collect::<BTreeSet<_>>().len(), 4);
}

#[actix_web::test]
async fn a_failure_ends_after_the_tries_and_names_the_ids_for_support() {
    let stand = Stand::start().await;
    let fault = ResponseTemplate::new(500).insert_header("MS-CorrelationId", "their-correlation");
    stand.answering(fault).await;
    let error = stand.client.list_customers(None).await.unwrap_err();
    assert_eq!(error.kind, FailureKind::Transient);
    let asked = stand.asked().await;
    assert_eq!(asked.len(), 5);
    let request_id = header(&asked[4], "MS-RequestId").unwrap();
    assert_eq!(
        error.correlation_id.unwrap(),
        format!("MS-CorrelationId their-correlation, MS-RequestId {request_id}")
    );
}

#[actix_web::test]
async fn a_wait_beyond_the_total_is_left_to_the_caller() {
    let stand = Stand::start().await;
    stand
        .answering(ResponseTemplate::new(429).insert_header("Retry-After", "900"))
        .await;
    let error = stand.client.list_customers(None).await.unwrap_err();
    assert_eq!(error.kind, FailureKind::Throttled);
    assert_eq!(error.retry_after, Some(Duration::from_secs(900)));
    assert_eq!(stand.asked().await.len(), 1);
}

#[actix_web::test]
async fn one_throttled_call_holds_the_others_back() {
    let stand = Stand::start().await;
    let began = stand.clock.now();
    stand
        .answering_in_turn(
            path(CUSTOMERS),
            vec![ResponseTemplate::new(429).insert_header("Retry-After", "900")],
        )
        .await;
    stand
        .answering_in_turn(one_customer(), vec![ok(json!({"id": id(1)}))])
        .await;
    stand.client.list_customers(None).await.unwrap_err();
    let wanted = ExternalId::parse(&id(1)).unwrap();
    stand.client.customer_details(&wanted).await.unwrap();
    assert_eq!(stand.clock.now() - began, TimeDelta::seconds(900));
}

#[actix_web::test]
async fn the_quota_is_kept_by_all_calls_together_and_can_be_lifted() {
    let wanted = ExternalId::parse(&id(1)).unwrap();
    let body: Value = json!({"id": id(1)});
    for (per_minute, at_least) in [(60, 60), (0, 0)] {
        let stand = Stand::with(|settings, _| {
            settings.requests_per_minute = per_minute;
            settings.burst = 10;
        })
        .await;
        stand.answering(ok(body.clone())).await;
        let began = stand.clock.now();
        let calls = (0..61).map(|_| stand.client.customer_details(&wanted));
        for outcome in futures_util::future::join_all(calls).await {
            outcome.unwrap();
        }
        let took = stand.clock.now() - began;
        assert!(took >= TimeDelta::seconds(at_least), "{took}");
        assert_eq!(took.is_zero(), per_minute == 0);
        assert_eq!(stand.signed_in().await, 1);
    }
}
