//! What an answer that is no success means: the class decides what happens next, the text what a person does.

use provider_bridge::domain::ports::provider::FailureKind::{
    self, Configuration, CustomerLeft, NotFound, Permission, Rejected,
};
use provider_bridge::domain::ports::provider::{ProviderClient, ProviderError};
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use super::stand::{SECRET, Stand, refusal};

async fn refused(answer: ResponseTemplate) -> ProviderError {
    let stand = Stand::start().await;
    stand.answering(answer).await;
    let error = stand.client.list_customers(None).await.unwrap_err();
    let shown = format!("{error} {error:?} {:?}", stand.client);
    assert!(
        !shown.contains(SECRET) && !shown.contains("e30."),
        "{shown}"
    );
    error
}

#[actix_web::test]
async fn each_code_has_its_class_and_its_remedy() {
    let cases: [(u16, &str, FailureKind, &str); 13] = [
        (403, "20002", CustomerLeft, "no relationship"),
        (403, "900329", Configuration, "give user consent"),
        (403, "2032", Permission, "App management"),
        (403, "900150", Permission, "App management"),
        (403, "1002", Permission, "indirect resellers"),
        (403, "900309", Permission, "Conditional Access"),
        (403, "900124", Permission, "agreement is not signed"),
        (403, "13605", Rejected, "customer agreement"),
        (404, "60003", NotFound, "no such record"),
        (400, "2055", Rejected, "read it again"),
        (409, "900278", Rejected, "repeat it later"),
        (403, "424242", Permission, "lacks the right"),
        (400, "424242", Rejected, "refused the request"),
    ];
    for (status, code, kind, remedy) in cases {
        let error = refused(refusal(status, json!(code), "as described")).await;
        assert_eq!(error.kind, kind, "{code}");
        assert_eq!(error.code.as_deref(), Some(code));
        for part in [remedy, "as described", code] {
            assert!(error.message.contains(part), "{part} is missing in {error}");
        }
    }
}

#[actix_web::test]
async fn the_code_and_the_text_are_found_wherever_they_stand() {
    for body in [
        json!({"code": "20002", "description": "gone"}),
        json!({"code": 20002, "message": "gone"}),
        json!({"Code": 20002, "Description": "gone", "Data": null}),
        json!({"statusCode": 20002, "message": "gone"}),
        json!({"error": {"code": "20002", "message": "gone"}}),
    ] {
        let error = refused(ResponseTemplate::new(403).set_body_json(&body)).await;
        assert_eq!(error.kind, CustomerLeft, "{body}");
        assert!(
            error.message.ends_with("(HTTP 403, code 20002: gone)"),
            "{error}"
        );
    }
}

#[actix_web::test]
async fn a_body_that_is_no_error_body_leaves_it_to_the_status() {
    let page = "<html><body>Forbidden by the gateway</body></html>";
    for answer in [
        ResponseTemplate::new(403),
        ResponseTemplate::new(403).set_body_raw(page, "text/html"),
        ResponseTemplate::new(403).set_body_json(json!([1, 2])),
        ResponseTemplate::new(403).set_body_json(json!({"code": null, "description": {}})),
    ] {
        let error = refused(answer).await;
        assert_eq!((error.kind, error.code.as_deref()), (Permission, None));
        assert!(error.message.ends_with("(HTTP 403)"), "{error}");
    }
}

#[actix_web::test]
async fn a_redirect_is_a_wrong_address_and_is_not_followed() {
    let away =
        ResponseTemplate::new(307).insert_header("location", "https://elsewhere.test/v1/customers");
    let error = refused(away).await;
    assert_eq!(error.kind, Configuration);
    assert!(error.message.contains("correct the address"), "{error}");
}

#[actix_web::test]
async fn a_long_or_broken_text_is_shortened_to_one_line() {
    let text = format!("first\r\nsecond\u{1b}[31m{}", "x".repeat(2000));
    let body: Value = json!({"code": "c".repeat(500), "description": text});
    let error = refused(ResponseTemplate::new(400).set_body_json(body)).await;
    assert!(
        error.message.len() < 400 && !error.message.contains(char::is_control),
        "{error}"
    );
    assert_eq!(error.code.unwrap().len(), 40);
}

#[actix_web::test]
async fn a_message_reads_as_one_sentence_of_what_why_and_what_next() {
    let error = refused(refusal(
        403,
        json!("900150"),
        "The supplied role does not have the rights.",
    ))
    .await;
    insta::assert_snapshot!(error.message, @"Partner Center would not list its customers (page 1): the application lacks the role; register it under App management in Partner Center, or give it the role (HTTP 403, code 900150: The supplied role does not have the rights.)");
}
