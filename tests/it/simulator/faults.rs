//! Faults: each goes wrong as it says, as often as it says, and not a request longer.

use std::time::Duration;

use provider_bridge::simulator::{
    Fault, FaultKind, LinkForm, RetryAfter, ThrottleBody, TokenPlace, Upstream,
};
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Got, Stand};

const LIST: &str = "/v1/customers?size=20";
const NEXT: &str = "/v1/customers?size=20&seekOperation=Next";

fn provider(kind: FaultKind) -> Fault {
    Fault::new(Upstream::PartnerCenter, kind)
}

fn crm(kind: FaultKind) -> Fault {
    Fault::new(Upstream::Dataverse, kind)
}

async fn list(stand: &Stand) -> Got {
    stand.provider(LIST, &[]).await
}

async fn next(stand: &Stand, page: &Value) -> Got {
    let token = page["continuationToken"].as_str().unwrap();
    stand
        .provider(NEXT, &[("MS-ContinuationToken", token)])
        .await
}

/// The first page with a fault of Partner Center on.
async fn spoiled(stand: &Stand, kind: FaultKind) -> Got {
    stand.add(provider(kind).times(1));
    list(stand).await
}

#[tokio::test]
async fn a_fault_hits_as_many_requests_as_it_says_from_the_one_it_names() {
    let stand = Stand::new().await;
    stand.add(
        provider(FaultKind::ServerError { status: 503 })
            .from(2)
            .times(2)
            .on("list-customers"),
    );
    let mut statuses = Vec::new();
    for _ in 0..4 {
        stand.crm("WhoAmI", &[]).await;
        stand
            .provider("/v1/customers/00000000-0000-0000-0000-000000000001", &[])
            .await;
        statuses.push(list(&stand).await.status.as_u16());
    }
    assert_eq!(statuses, [200, 503, 503, 200]);
}

#[tokio::test]
async fn faults_are_switched_over_http_too_and_end_with_their_time() {
    let stand = Stand::new().await;
    let fault = json!({ "upstream": "partner-center", "kind": "server-error", "status": 500, "forSeconds": 30 });
    let added = stand.control(Method::POST, "faults", Some(fault)).await;
    assert_eq!(
        (added.status.as_u16(), &added.json()["id"]),
        (201, &json!(1))
    );
    assert_eq!(list(&stand).await.status, 500);
    let shown = stand.control(Method::GET, "faults", None).await.json();
    assert_eq!(
        (&shown[0]["kind"], &shown[0]["hit"]),
        (&json!("server-error"), &json!(1))
    );
    stand.clock.advance(Duration::from_secs(30));
    assert_eq!(list(&stand).await.status, 200);

    let fault = json!({ "upstream": "dataverse", "kind": "error-page", "status": 502 });
    stand.control(Method::POST, "faults", Some(fault)).await;
    let page = stand.crm("WhoAmI", &[]).await;
    assert_eq!(
        (page.status.as_u16(), page.header("content-type")),
        (502, Some("text/html"))
    );
    assert_eq!(
        stand.control(Method::DELETE, "faults/2", None).await.status,
        204
    );
    assert_eq!(stand.crm("WhoAmI", &[]).await.status, 200);
    assert_eq!(
        stand.control(Method::DELETE, "faults/2", None).await.status,
        404
    );
    let unknown = json!({ "upstream": "dataverse", "kind": "gremlins" });
    assert_eq!(
        stand
            .control(Method::POST, "faults", Some(unknown))
            .await
            .status,
        400
    );
    assert_eq!(
        stand.control(Method::DELETE, "faults", None).await.status,
        204
    );
}

#[tokio::test]
async fn too_many_requests_come_in_every_form() {
    let stand = Stand::new().await;
    for (body, retry_after, expected) in [
        (ThrottleBody::Gateway, RetryAfter::Seconds, Some("57")),
        (
            ThrottleBody::Api,
            RetryAfter::Date,
            Some("Mon, 01 Jun 2026 12:00:57 GMT"),
        ),
        (ThrottleBody::Gateway, RetryAfter::Absent, None),
    ] {
        let refused = spoiled(
            &stand,
            FaultKind::TooManyRequests {
                body,
                retry_after,
                seconds: 57,
            },
        )
        .await;
        assert_eq!(
            (refused.status.as_u16(), refused.header("retry-after")),
            (429, expected)
        );
        let is_gateway = refused.json().get("statusCode").is_some();
        assert_eq!(is_gateway, body == ThrottleBody::Gateway);
    }
    for (body, code) in [
        (ThrottleBody::Api, "0x80072322"),
        (ThrottleBody::ExecutionTime, "0x80072321"),
        (ThrottleBody::Concurrency, "0x80072326"),
    ] {
        let storm = FaultKind::TooManyRequests {
            body,
            retry_after: RetryAfter::Seconds,
            seconds: 3,
        };
        stand.add(crm(storm).times(1));
        let refused = stand.crm("accounts", &[]).await;
        assert_eq!(refused.status, 429);
        assert_eq!(
            (refused.code().as_str(), refused.header("retry-after")),
            (code, Some("3"))
        );
    }
}

#[tokio::test]
async fn a_listing_ends_with_an_error_or_begins_with_one() {
    let stand = Stand::new().await;
    stand.add(provider(FaultKind::EndOfListError));
    let mut page = list(&stand).await.json();
    for _ in 0..2 {
        page = next(&stand, &page).await.json();
    }
    assert_eq!(page["items"].as_array().unwrap().len(), 20);
    let end = next(&stand, &page).await;
    assert_eq!((end.status.as_u16(), end.code().as_str()), (400, "2000"));
    stand.running.faults().clear();

    let start = spoiled(&stand, FaultKind::EndOfListErrorAtStart).await;
    assert_eq!(
        (start.status.as_u16(), start.code().as_str()),
        (400, "2000")
    );
}

#[tokio::test]
async fn a_page_fails_repeats_its_token_or_is_empty() {
    let stand = Stand::new().await;
    let first = list(&stand).await.json();

    stand.add(
        provider(FaultKind::PageFails {
            page: 2,
            status: 404,
        })
        .times(1),
    );
    assert_eq!(list(&stand).await.status, 200);
    assert_eq!(next(&stand, &first).await.status, 404);

    stand.add(provider(FaultKind::RepeatedToken).times(1));
    let repeated = next(&stand, &first).await.json();
    assert_eq!(repeated["continuationToken"], first["continuationToken"]);

    stand.running.faults().clear();
    stand.add(provider(FaultKind::EmptyPage { page: 2 }));
    let empty = next(&stand, &first).await.json();
    assert_eq!(empty["items"], json!([]));
    let third = next(&stand, &empty).await.json();
    stand.running.faults().clear();
    assert_eq!(third["items"], next(&stand, &first).await.json()["items"]);
}

#[tokio::test]
async fn links_and_tokens_are_written_in_the_ways_that_broke_clients() {
    let stand = Stand::new().await;
    let uri = |page: &Value| {
        page.pointer("/links/next/uri")
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let plain = list(&stand).await.json();
    assert_eq!(
        uri(&plain).unwrap(),
        "/customers?size=20&seekOperation=Next"
    );
    for (kind, expected) in [
        (
            FaultKind::NextLink {
                form: LinkForm::VersionPrefix,
            },
            "/v1/customers?size=20&seekOperation=Next",
        ),
        (
            FaultKind::NextLink {
                form: LinkForm::SecondQuestionMark,
            },
            "/customers?size=20?seekOperation=Next",
        ),
        (
            FaultKind::ForeignLink {
                origin: "https://attacker.example".to_owned(),
            },
            "https://attacker.example/v1/customers?size=20&seekOperation=Next",
        ),
    ] {
        assert_eq!(uri(&spoiled(&stand, kind).await.json()).unwrap(), expected);
    }
    let in_link = spoiled(
        &stand,
        FaultKind::TokenOnlyIn {
            place: TokenPlace::Link,
        },
    )
    .await
    .json();
    assert!(in_link.get("continuationToken").is_none() && uri(&in_link).is_some());
    let in_body = spoiled(
        &stand,
        FaultKind::TokenOnlyIn {
            place: TokenPlace::Body,
        },
    )
    .await
    .json();
    assert!(in_body.get("continuationToken").is_some() && uri(&in_body).is_none());

    stand.add(crm(FaultKind::ForeignLink {
        origin: "https://attacker.example".to_owned(),
    }));
    let page = stand
        .crm(
            "accounts?$select=name",
            &[("prefer", "odata.maxpagesize=3")],
        )
        .await
        .json();
    assert!(
        page["@odata.nextLink"]
            .as_str()
            .unwrap()
            .starts_with("https://attacker.example/api/data/")
    );
}

#[tokio::test]
async fn values_items_and_field_names_are_spoiled() {
    let stand = Stand::new().await;
    let unknown = spoiled(&stand, FaultKind::UnknownValues).await.json();
    assert_eq!(
        unknown["items"][0]["relationshipToPartner"],
        "quantum_partner"
    );
    let unreadable = spoiled(&stand, FaultKind::UnreadableItem).await.json();
    let broken = |item: &&Value| !item["id"].is_string();
    assert_eq!(
        unreadable["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(broken)
            .count(),
        1
    );
    let pascal = spoiled(&stand, FaultKind::PascalCase).await.json();
    assert!(pascal["Items"][0]["CompanyProfile"]["CompanyName"].is_string());
}

#[tokio::test]
async fn tokens_are_refused_for_each_reason_and_can_be_short_lived() {
    let mut stand = Stand::new().await;
    for (kind, code) in [
        (FaultKind::ExpiredToken, "400"),
        (FaultKind::RevokedToken, "400"),
        (FaultKind::WrongAudience, "900420"),
        (FaultKind::MultiFactorMissing, "900421"),
    ] {
        let refused = spoiled(&stand, kind).await;
        assert_eq!(
            (refused.status.as_u16(), refused.code().as_str()),
            (401, code)
        );
    }
    let entra = |kind| Fault::new(Upstream::Entra, kind).times(2);
    stand.add(entra(FaultKind::ShortLivedTokens { seconds: 10 }));
    stand.sign_in().await;
    assert_eq!(list(&stand).await.status, 200);
    stand.clock.advance(Duration::from_secs(10));
    assert_eq!(list(&stand).await.status, 401);

    let ask = || {
        stand.token(
            "7e2f9b14-c6d3-4a85-b0f7-21e8a4c6d902",
            "c0de0002-8b4c-4e9f-8c77-5d3b7e9f1a02",
            "simulated~dataverse~secret",
        )
    };
    stand.add(entra(FaultKind::NumbersAsText).times(1));
    assert_eq!(ask().await.json()["expires_in"], "3599");
    stand.add(
        entra(FaultKind::EntraError {
            error: "invalid_grant".to_owned(),
            code: 50_076,
        })
        .times(1),
    );
    let refused = ask().await;
    assert_eq!(
        (refused.status.as_u16(), &refused.json()["error_codes"]),
        (400, &json!([50_076]))
    );
}

#[tokio::test]
async fn bodies_are_torn_and_cut() {
    let stand = Stand::new().await;
    stand.add(provider(FaultKind::TornBody).times(1));
    let url = format!("{}{LIST}", stand.running.base_url());
    let torn = stand
        .http
        .get(url)
        .bearer_auth(&stand.provider_token)
        .send()
        .await
        .unwrap();
    assert_eq!(torn.status(), 200);
    torn.text().await.unwrap_err();

    let cut = spoiled(&stand, FaultKind::TruncatedJson).await;
    assert_eq!(cut.status, 200);
    serde_json::from_str::<Value>(&cut.text).unwrap_err();
}

#[tokio::test]
async fn an_answer_is_slow_by_the_simulators_clock_or_never_comes() {
    let stand = Stand::new().await;
    stand.add(
        provider(FaultKind::Slow {
            milliseconds: 5_000,
        })
        .times(1),
    );
    let slow = list(&stand);
    let waited = async {
        stand.clock.sleepers_reach(1).await;
        stand.clock.advance(Duration::from_secs(5));
    };
    let (answer, ()) = tokio::join!(slow, waited);
    assert_eq!(answer.status, 200);

    stand.add(provider(FaultKind::TimeOut).times(1));
    let url = format!("{}{LIST}", stand.running.base_url());
    let impatient = stand.http.get(url).bearer_auth(&stand.provider_token);
    let failed = impatient
        .timeout(Duration::from_millis(100))
        .send()
        .await
        .unwrap_err();
    assert!(failed.is_timeout());
    let seen = stand.running.statistics().latest();
    assert_eq!(seen.last().unwrap().status, None);
    // A request that is still being withheld does not keep the simulator from stopping.
    stand.running.stop().await;
}

#[tokio::test]
async fn a_delta_token_is_expired_on_demand() {
    let stand = Stand::new().await;
    let first = stand
        .crm(
            "accounts?$select=name",
            &[("prefer", "odata.track-changes")],
        )
        .await
        .json();
    stand.add(crm(FaultKind::DeltaTokenExpired));
    assert_eq!(stand.crm("accounts?$select=name", &[]).await.status, 200);
    let refused = stand
        .crm(first["@odata.deltaLink"].as_str().unwrap(), &[])
        .await;
    assert_eq!(refused.code(), "0x80044352");
}

#[tokio::test]
async fn over_tls_everything_is_the_same_and_nobody_else_is_trusted() {
    let stand = Stand::of(
        &provider_bridge::simulator::WorldSpec::new(30, 3),
        |options| options.tls = true,
    )
    .await;
    assert!(stand.running.base_url().starts_with("https://127.0.0.1:"));
    let page = stand
        .crm(
            "accounts?$select=name",
            &[("prefer", "odata.maxpagesize=3")],
        )
        .await;
    let next = page.json()["@odata.nextLink"].as_str().unwrap().to_owned();
    assert!(next.starts_with(&stand.running.base_url()));
    assert_eq!(stand.crm(&next, &[]).await.status, 200);
    stand.add(provider(FaultKind::TornBody).times(1));
    let url = format!("{}{LIST}", stand.running.base_url());
    let torn = stand
        .http
        .get(url)
        .bearer_auth(&stand.provider_token)
        .send()
        .await
        .unwrap();
    torn.text().await.unwrap_err();
}
