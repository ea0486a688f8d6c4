//! Verify Connectivity: every step is live, and the first that fails is named with its remedy (A3).

use provider_bridge::domain::context::Clock;
use provider_bridge::domain::ports::provider::ProviderClient;
use provider_bridge::domain::verify::VerifyReport;
use provider_bridge::providers::partner_center::PartnerCenterConnection;
use secrecy::SecretString;
use serde_json::json;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::stand::{SECRET, Stand, TENANT, Tokens, ok, page, refusal};

fn steps(report: &VerifyReport) -> Vec<(&str, bool)> {
    report
        .steps
        .iter()
        .map(|step| (step.name.as_str(), step.passed))
        .collect()
}

fn failed(report: &VerifyReport) -> (&str, &str) {
    assert!(!report.passed);
    let (last, earlier) = report.steps.split_last().unwrap();
    assert!(
        !last.passed && earlier.iter().all(|step| step.passed),
        "{report:?}"
    );
    assert!(!format!("{report:?}").contains(SECRET));
    (&last.name, &last.detail)
}

async fn claiming(claims: serde_json::Value) -> VerifyReport {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(Tokens::claiming(claims))
        .mount(&server)
        .await;
    let stand = Stand::without_sign_in(server, |settings, _| {
        settings.scope = "https://pc.test/.default".to_owned();
    });
    stand.answering(ok(page(&[1], None))).await;
    stand.client.verify().await
}

#[actix_web::test]
async fn all_steps_pass_when_all_is_well() {
    let stand = Stand::start().await;
    stand.answering(ok(page(&[7], Some("A")))).await;
    let report = stand.client.verify().await;
    assert!(report.passed, "{report:?}");
    assert_eq!(
        steps(&report),
        [
            ("settings present", true),
            ("token issued", true),
            ("right tenant", true),
            ("right audience", true),
            ("role", true),
            ("a real read", true)
        ]
    );
    assert!(report.steps[5].detail.contains("Customer 7"));
    assert_eq!(stand.asked().await[0].url.query(), Some("size=1"));
}

#[actix_web::test]
async fn a_kept_token_does_not_hide_a_credential_that_no_longer_works() {
    let stand = Stand::start().await;
    stand.answering(ok(page(&[7], None))).await;
    for signed_in in 1..=3 {
        assert!(stand.client.verify().await.passed);
        stand.client.list_customers(None).await.unwrap();
        assert_eq!(stand.signed_in().await, signed_in);
    }
}

#[actix_web::test]
async fn a_missing_setting_is_named_and_nothing_is_called() {
    type Change = fn(&mut PartnerCenterConnection);
    let changes: [(&str, Change); 3] = [
        ("partner tenant", |connection| connection.tenant.clear()),
        ("client id", |connection| {
            connection.client_id = " ".to_owned()
        }),
        ("client secret", |connection| {
            connection.client_secret = SecretString::default()
        }),
    ];
    for (missing, change) in changes {
        let stand = Stand::with(|_, connection| change(connection)).await;
        let report = stand.client.verify().await;
        let (step, detail) = failed(&report);
        assert_eq!(step, "settings present");
        assert!(detail.contains(missing), "{detail}");
        assert_eq!(stand.signed_in().await, 0);
    }
}

#[actix_web::test]
async fn a_token_that_is_not_issued_says_why() {
    let server = MockServer::start().await;
    let expired = json!({"error": "invalid_client", "error_codes": [7000222]});
    let answer = ResponseTemplate::new(401).set_body_json(expired);
    Mock::given(method("POST"))
        .respond_with(answer)
        .mount(&server)
        .await;
    let stand = Stand::without_sign_in(server, |_, _| ());
    let report = stand.client.verify().await;
    let (step, detail) = failed(&report);
    assert_eq!(step, "token issued");
    assert!(detail.contains("has expired"), "{detail}");
}

#[actix_web::test]
async fn a_token_of_another_tenant_or_for_another_audience_is_noticed() {
    let report = claiming(json!({"tid": "other-tenant", "aud": "https://pc.test"})).await;
    let (step, detail) = failed(&report);
    assert_eq!(step, "right tenant");
    assert!(
        detail.contains("other-tenant") && detail.contains(TENANT),
        "{detail}"
    );

    let report = claiming(json!({"tid": TENANT, "aud": "https://graph.test"})).await;
    let (step, detail) = failed(&report);
    assert_eq!(step, "right audience");
    assert!(detail.contains("https://graph.test"), "{detail}");
}

#[actix_web::test]
async fn the_audience_is_taken_as_address_and_as_application_id_and_silence_is_no_fault() {
    for claims in [
        json!({"tid": TENANT.to_uppercase(), "aud": "https://PC.test/"}),
        json!({"tid": TENANT, "aud": "fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd"}),
        json!({"tid": TENANT, "aud": ["https://pc.test"]}),
        json!({"sub": "nothing else"}),
        json!("no claims at all"),
    ] {
        let report = claiming(claims.clone()).await;
        assert!(report.passed, "{claims}: {report:?}");
    }
}

#[actix_web::test]
async fn a_missing_right_is_the_role_and_anything_else_is_the_read() {
    for (answer, step, remedy) in [
        (
            refusal(403, json!("900150"), "no rights"),
            "role",
            "App management",
        ),
        (
            refusal(403, json!("900329"), "not supported"),
            "a real read",
            "user consent",
        ),
        (
            refusal(401, json!("900421"), "no"),
            "a real read",
            "multi-factor",
        ),
        (
            ResponseTemplate::new(200).set_body_json(json!({"hello": 1})),
            "a real read",
            "no list of customers",
        ),
    ] {
        let stand = Stand::start().await;
        stand.answering(answer).await;
        let report = stand.client.verify().await;
        let (failed_step, detail) = failed(&report);
        assert_eq!(failed_step, step);
        assert!(
            detail.contains(remedy) && detail.contains("MS-RequestId"),
            "{detail}"
        );
    }
}

#[actix_web::test]
async fn nobody_is_kept_waiting_for_a_test() {
    let stand = Stand::start().await;
    stand
        .answering(refusal(429, json!("429"), "slow down").insert_header("retry-after", "60"))
        .await;
    let began = stand.clock.now();
    let report = stand.client.verify().await;
    let (step, detail) = failed(&report);
    assert_eq!(step, "a real read");
    assert!(detail.contains("too often"), "{detail}");
    assert_eq!(stand.clock.now(), began);
}
