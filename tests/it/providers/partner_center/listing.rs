//! How a listing goes on and how it ends: by every sign that was seen in production, and never by a wrong one.

use provider_bridge::domain::ports::provider::{FailureKind, PageToken, ProviderClient};
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::stand::{CUSTOMERS, Stand, header, names, ok, page, refusal};

fn with_link(mut body: Value, uri: &str, headers: Value) -> Value {
    body["links"]["next"] = json!({"uri": uri, "method": "GET", "headers": headers});
    body
}

fn token_header(token: &str) -> Value {
    json!([{"key": "X-Other", "value": "no"}, {"key": "ms-continuationtoken", "value": token}])
}

#[actix_web::test]
async fn the_token_in_the_body_leads_through_all_pages() {
    let stand = Stand::with(|settings, _| settings.page_size = 2).await;
    stand
        .listing(vec![
            (None, ok(page(&[1, 2], Some("A==")))),
            (Some("A=="), ok(page(&[3, 4], Some("B==")))),
            (Some("B=="), ok(page(&[5], None))),
        ])
        .await;
    let (pages, end) = stand.list().await;
    end.unwrap();
    assert_eq!(
        names(&pages),
        [
            "Customer 1",
            "Customer 2",
            "Customer 3",
            "Customer 4",
            "Customer 5"
        ]
    );

    let asked = stand.asked().await;
    let queries: Vec<_> = asked
        .iter()
        .map(|request| request.url.query().unwrap())
        .collect();
    assert_eq!(
        queries,
        [
            "size=2",
            "size=2&seekOperation=Next",
            "size=2&seekOperation=Next"
        ]
    );
    for request in &asked {
        assert_eq!(request.url.path(), CUSTOMERS);
        assert_eq!(
            header(request, "accept").as_deref(),
            Some("application/json")
        );
        assert_eq!(
            header(request, "ms-contract-version").as_deref(),
            Some("v1")
        );
        assert!(
            header(request, "authorization")
                .unwrap()
                .starts_with("Bearer e30.")
        );
    }
    assert_eq!(stand.signed_in().await, 1);
}

#[actix_web::test]
async fn the_token_in_the_link_serves_as_well_and_the_link_is_never_followed() {
    let stranger = MockServer::start().await;
    Mock::given(method("GET"))
        .respond_with(ok(page(&[9], None)))
        .expect(0)
        .mount(&stranger)
        .await;
    let absolute = format!(
        "{}/v1/customers?size=500&seekOperation=Next",
        stranger.uri()
    );
    for uri in [
        "/customers?size=500&seekOperation=Next",
        "/v1/customers?size=500&seekOperation=Next",
        "/v1//v1/customers?size=500&seekOperation=Next",
        "/customers?size=500?seekOperation=Next",
        "//elsewhere.test/v1/customers",
        absolute.as_str(),
    ] {
        let stand = Stand::start().await;
        let first = with_link(page(&[1], None), uri, token_header("A=="));
        stand
            .listing(vec![(None, ok(first)), (Some("A=="), ok(page(&[2], None)))])
            .await;
        let (pages, end) = stand.list().await;
        end.unwrap();
        assert_eq!(names(&pages), ["Customer 1", "Customer 2"], "{uri}");
        assert!(
            stand
                .asked()
                .await
                .iter()
                .all(|request| request.url.path() == CUSTOMERS)
        );
    }
}

#[actix_web::test]
async fn an_empty_page_in_the_middle_is_not_the_end() {
    let stand = Stand::start().await;
    stand
        .listing(vec![
            (None, ok(page(&[1], Some("A")))),
            (Some("A"), ok(page(&[], Some("B")))),
            (Some("B"), ok(page(&[2], None))),
        ])
        .await;
    let (pages, end) = stand.list().await;
    end.unwrap();
    assert_eq!(names(&pages), ["Customer 1", "Customer 2"]);
    assert!(pages[1].customers.is_empty());
}

#[actix_web::test]
async fn code_2000_ends_a_listing_after_a_good_page_as_text_and_as_number() {
    for code in [json!(2000), json!("2000")] {
        let stand = Stand::start().await;
        let end = refusal(400, code, "No more records");
        stand
            .listing(vec![(None, ok(page(&[1], Some("A")))), (Some("A"), end)])
            .await;
        let (pages, end) = stand.list().await;
        end.unwrap();
        assert_eq!(names(&pages), ["Customer 1"]);
        assert_eq!(stand.asked().await.len(), 2);
    }
}

#[actix_web::test]
async fn code_2000_in_place_of_the_first_page_is_an_error() {
    let stand = Stand::start().await;
    stand
        .listing(vec![(None, refusal(400, json!(2000), "No more records"))])
        .await;
    let (pages, end) = stand.list().await;
    assert!(pages.is_empty());
    assert_eq!(end.unwrap_err().kind, FailureKind::Rejected);
}

#[actix_web::test]
async fn another_400_after_a_good_page_is_no_end() {
    let stand = Stand::start().await;
    let other = refusal(400, json!("2001"), "something else");
    stand
        .listing(vec![(None, ok(page(&[1], Some("A")))), (Some("A"), other)])
        .await;
    let (pages, end) = stand.list().await;
    assert_eq!(pages.len(), 1);
    assert_eq!(end.unwrap_err().code.as_deref(), Some("2001"));
}

#[actix_web::test]
async fn a_listing_that_runs_in_a_circle_is_noticed() {
    let stand = Stand::start().await;
    stand
        .listing(vec![
            (None, ok(page(&[1], Some("A")))),
            (Some("A"), ok(page(&[2], Some("B")))),
            (Some("B"), ok(page(&[3], Some("C")))),
            (Some("C"), ok(page(&[4], Some("B")))),
        ])
        .await;
    let (pages, end) = stand.list().await;
    let error = end.unwrap_err();
    assert_eq!(error.kind, FailureKind::Protocol);
    assert!(error.message.contains("leads back"), "{error}");
    assert!(pages.len() < 10, "{}", pages.len());
}

#[actix_web::test]
async fn the_same_token_again_is_noticed_at_once() {
    let stand = Stand::start().await;
    stand
        .listing(vec![
            (None, ok(page(&[1], Some("A")))),
            (Some("A"), ok(page(&[2], Some("A")))),
        ])
        .await;
    let (pages, end) = stand.list().await;
    assert_eq!(pages.len(), 1);
    assert!(end.unwrap_err().message.contains("leads back"));
}

#[actix_web::test]
async fn a_page_that_cannot_be_used_is_an_error_and_never_the_end() {
    let unusable = [
        ok(json!({})),
        ok(json!({"items": null, "totalCount": 0})),
        ok(json!({"items": {"0": 1}})),
        ok(json!([])),
        ok(json!("items")),
        ResponseTemplate::new(200),
        ResponseTemplate::new(200).set_body_raw("<html>Please sign in</html>", "text/html"),
        ResponseTemplate::new(200).set_body_raw(r#"{"items":[{"id":"#, "application/json"),
        ok(with_link(page(&[1], None), "/customers?x", json!([]))),
        ok(with_link(
            page(&[1], Some("  ")),
            "/customers?x",
            json!(null),
        )),
        ok(page(&[1], Some("line\nbreak"))),
    ];
    for (at, answer) in unusable.into_iter().enumerate() {
        let stand = Stand::start().await;
        stand
            .listing(vec![(None, ok(page(&[1], Some("A")))), (Some("A"), answer)])
            .await;
        let (pages, end) = stand.list().await;
        assert_eq!(pages.len(), 1, "{at}");
        let error = end.unwrap_err();
        assert_eq!(error.kind, FailureKind::Protocol, "{at}: {error}");
        assert!(error.message.contains("(page 2), but"), "{at}: {error}");
        assert!(error.correlation_id.is_some(), "{at}");
    }
}

#[actix_web::test]
async fn a_page_that_is_whole_the_second_time_is_taken() {
    for spoilt in ["<html>One moment</html>", r#"{"items":[{"id":"#] {
        let spoilt = ResponseTemplate::new(200).set_body_raw(spoilt, "application/json");
        let stand = Stand::start().await;
        let answers = vec![spoilt, ok(page(&[1], None))];
        stand.answering_in_turn(path(CUSTOMERS), answers).await;
        let (pages, end) = stand.list().await;
        end.unwrap();
        assert_eq!(names(&pages), ["Customer 1"]);
        assert_eq!(stand.asked().await.len(), 2);
    }
}

#[actix_web::test]
async fn a_later_page_that_fails_is_an_error_of_its_kind() {
    for (answer, kind, tries) in [
        (
            refusal(404, json!("1000"), "not found"),
            FailureKind::NotFound,
            1,
        ),
        (ResponseTemplate::new(500), FailureKind::Transient, 5),
        (ResponseTemplate::new(204), FailureKind::Transient, 5),
        (
            refusal(403, json!("900329"), "no"),
            FailureKind::Configuration,
            1,
        ),
    ] {
        let stand = Stand::start().await;
        stand
            .listing(vec![(None, ok(page(&[1], Some("A")))), (Some("A"), answer)])
            .await;
        let (pages, end) = stand.list().await;
        assert_eq!(pages.len(), 1);
        assert_eq!(end.unwrap_err().kind, kind);
        assert_eq!(stand.asked().await.len(), 1 + tries);
    }
}

#[actix_web::test]
async fn the_version_is_asked_for_once_however_the_base_is_written() {
    for base in ["/v1", "/v1/", "/"] {
        let stand = Stand::with(|settings, _| settings.base_url.set_path(base)).await;
        Mock::given(path(CUSTOMERS))
            .respond_with(ok(page(&[1], None)))
            .mount(&stand.server)
            .await;
        let (pages, end) = stand.list().await;
        end.unwrap();
        assert_eq!(names(&pages), ["Customer 1"]);
    }
}

#[actix_web::test]
async fn a_page_token_of_somebody_else_is_refused_without_a_call() {
    let stand = Stand::start().await;
    for token in ["", "A", "x y z", "1 2", "1 2 line\nbreak"] {
        let token = PageToken(token.to_owned());
        let error = stand.client.list_customers(Some(&token)).await.unwrap_err();
        assert!(error.message.contains("begin the listing anew"), "{error}");
    }
    assert!(stand.asked().await.is_empty());
}
