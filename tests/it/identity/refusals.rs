//! Consent that is refused: at once, with the reason and what to do, and with nothing half done.

use std::time::Duration;

use provider_bridge::domain::consent::Trouble;
use provider_bridge::identity::consent::{CallbackParameters, ConsentRefusal, Reason, Step};
use provider_bridge::net::app_token::AppCredential;
use provider_bridge::net::client::{ClientSettings, HttpClient};
use provider_bridge::net::user_grant::UserGrants;
use provider_bridge::simulator::{
    DOCUMENTED, Fault, FaultKind, PARTNER_CENTER_CLIENT_ID, PEOPLE, Upstream,
};
use provider_bridge::store::{Engine, secrets};
use serde_json::json;

use super::browser::{Answered, Stand, admin, follow};
use crate::support::http::loopback_settings;
use crate::support::stores::TestStore;

const ADA: &str = "admin@partner.example";

async fn stand() -> (Stand, TestStore) {
    let store = TestStore::create(Engine::Sqlite).await;
    let stand = Stand::new(&store).await;
    stand.admin_consent(ADA).await.unwrap();
    (stand, store)
}

/// Refused for this reason, shown on the provider's page, and nothing is kept of it.
async fn refused(stand: &Stand, answered: Answered, reason: Reason) -> ConsentRefusal {
    let refusal = answered.unwrap_err();
    assert_eq!(refusal.reason, reason, "{refusal}");
    let consent = stand.consent().await;
    assert_eq!(consent.user, None);
    assert_eq!(consent.pending, None);
    assert_eq!(stand.refresh_token().await, None);
    assert_eq!(stand.secret(secrets::PENDING_REFRESH_TOKEN).await, None);
    let shown = consent.failure.unwrap();
    assert_eq!(
        (shown.text.as_str(), shown.trouble),
        (refusal.text.as_str(), refusal.trouble)
    );
    refusal
}

#[actix_web::test]
async fn people_who_will_not_do_are_told_why() {
    let (stand, _store) = stand().await;
    let answered = stand.user_consent("no-mfa@partner.example").await;
    let refusal = refused(&stand, answered, Reason::NoSecondFactor).await;
    assert!(refusal.text.contains("multi-factor"), "{refusal}");
    let answered = stand.user_consent("no-role@partner.example").await;
    let refusal = refused(&stand, answered, Reason::NoRights).await;
    assert_eq!(refusal.trouble, Trouble::Operator);
    let answered = stand.user_consent("decline").await;
    let refusal = refused(&stand, answered, Reason::Refused).await;
    assert!(refusal.text.contains("declined"), "{refusal}");
    let declined = stand.admin_consent("decline").await.unwrap_err();
    assert!(
        declined.text.contains("declined"),
        "error beside admin_consent=True: {declined}"
    );
    let unable = stand
        .admin_consent("no-role@partner.example")
        .await
        .unwrap_err();
    assert!(
        unable.text.contains("administrator has to consent"),
        "{unable}"
    );
}

#[actix_web::test]
async fn the_signed_tenant_counts_and_no_parameter() {
    let (stand, _store) = stand().await;
    stand.admin_consent("admin@customer.example").await.unwrap();
    let answered = stand.user_consent("admin@customer.example").await;
    let refusal = refused(&stand, answered, Reason::WrongTenant).await;
    assert!(refusal.text.contains(PEOPLE[3].tenant), "{refusal}");
    assert!(refusal.text.contains(PEOPLE[0].tenant), "{refusal}");
}

#[actix_web::test]
async fn a_state_is_good_once_soon_and_in_its_own_browser() {
    let (stand, _store) = stand().await;
    let answer = stand.round_trip(Step::User, ADA).await;
    let other = stand.context.new_uuid();
    let stolen = stand.consents.user_callback(&admin(), other, &answer).await;
    let (shown_at, refusal) = stolen.unwrap_err();
    assert_eq!((shown_at, refusal.reason), (None, Reason::ForeignState));
    let as_admin = stand
        .consents
        .admin_callback(&admin(), stand.session, &answer)
        .await;
    assert_eq!(
        as_admin.unwrap_err().1.reason,
        Reason::ForeignState,
        "of the other step"
    );
    let made_up = CallbackParameters {
        state: "made-up".to_owned(),
        ..answer.clone()
    };
    assert_eq!(
        stand.hand_in(&made_up).await.unwrap_err().reason,
        Reason::UnknownState
    );
    assert!(
        stand.hand_in(&answer).await.is_ok(),
        "the thief did not use it up"
    );
    assert_eq!(
        stand.hand_in(&answer).await.unwrap_err().reason,
        Reason::Replayed
    );

    let late = stand.round_trip(Step::User, ADA).await;
    stand.clock.advance(Duration::from_secs(600));
    assert_eq!(
        stand.hand_in(&late).await.unwrap_err().reason,
        Reason::Expired
    );
}

#[actix_web::test]
async fn a_code_of_somebody_else_is_worth_nothing_here() {
    let (stand, _store) = stand().await;
    let attacker = stand.context.new_uuid();
    let begun = stand
        .consents
        .begin(&admin(), attacker, stand.provider, Step::User)
        .await
        .unwrap();
    let theirs = follow(&begun, ADA).await;
    let ours = stand.round_trip(Step::User, ADA).await;
    let injected = CallbackParameters {
        code: theirs.code.clone(),
        ..ours
    };
    let answered = stand.hand_in(&injected).await;
    refused(&stand, answered, Reason::Refused).await;
    let empty = CallbackParameters {
        code: None,
        ..stand.round_trip(Step::User, ADA).await
    };
    let answered = stand.hand_in(&empty).await;
    refused(&stand, answered, Reason::BadAnswer).await;
}

#[actix_web::test]
async fn an_identity_that_does_not_hold_in_every_part_is_not_believed() {
    let (stand, _store) = stand().await;
    let now = stand.context.now().timestamp();
    let cases = [
        ("nonce", json!("of another sign-in")),
        ("nonce", json!(null)),
        ("aud", json!("0c000000-0000-4000-8000-00000000000c")),
        ("aud", json!([PARTNER_CENTER_CLIENT_ID, "another"])),
        ("iss", json!("https://login.example/v2.0")),
        ("exp", json!(now - 61)),
        ("exp", json!(null)),
        ("tid", json!(PEOPLE[3].tenant)),
        ("tid", json!(null)),
        ("signature", json!("spoilt")),
    ];
    for (claim, value) in cases {
        let answer = stand.round_trip(Step::User, ADA).await;
        stand.fault(FaultKind::IdTokenClaim {
            claim: claim.to_owned(),
            value: value.clone(),
        });
        let answered = stand.hand_in(&answer).await;
        stand.simulator.faults().clear();
        assert!(answered.is_err(), "{claim} {value}");
        refused(&stand, answered, Reason::BadIdentity).await;
    }
    assert!(stand.user_consent(ADA).await.is_ok(), "and whole it is");
}

#[actix_web::test]
async fn a_token_endpoint_that_talks_nonsense_leaves_nothing_half_done() {
    let (stand, _store) = stand().await;
    let cases = [
        (
            FaultKind::ErrorPage { status: 200 },
            Reason::BadAnswer,
            Trouble::Operator,
        ),
        (
            FaultKind::ErrorPage { status: 502 },
            Reason::NotReachable,
            Trouble::Transient,
        ),
        (
            FaultKind::ServerError { status: 503 },
            Reason::NotReachable,
            Trouble::Transient,
        ),
        (
            FaultKind::TornBody,
            Reason::NotReachable,
            Trouble::Transient,
        ),
        (
            FaultKind::TruncatedJson,
            Reason::BadAnswer,
            Trouble::Operator,
        ),
    ];
    for (fault, reason, trouble) in cases {
        let answer = stand.round_trip(Step::User, ADA).await;
        stand.fault(fault.clone());
        let answered = stand.hand_in(&answer).await;
        stand.simulator.faults().clear();
        let refusal = refused(&stand, answered, reason).await;
        assert_eq!(refusal.trouble, trouble, "{fault:?}");
    }
}

#[actix_web::test]
async fn every_documented_refusal_of_the_pages_is_classed_and_explained() {
    let (stand, _store) = stand().await;
    for (code, error) in DOCUMENTED {
        let error = error.to_owned();
        stand.fault(FaultKind::SignInError { error, code });
        let answered = stand.user_consent(ADA).await;
        let admin = stand.admin_consent(ADA).await;
        stand.simulator.faults().clear();
        assert!(admin.is_err(), "AADSTS{code}");
        let refusal = answered.unwrap_err();
        assert!(refusal.text.contains(&format!("AADSTS{code}")), "{refusal}");
        assert_eq!(refusal.trouble, class_of(code), "AADSTS{code}: {refusal}");
    }
}

/// The last column of the table of Microsoft's codes.
pub fn class_of(code: u32) -> Trouble {
    match code {
        65_001
        | 65_004
        | 90_094
        | 90_095
        | 90_099
        | 50_072..=50_079
        | 70_043
        | 700_082
        | 70_008
        | 50_173
        | 70_000
        | 700_005
        | 54_005
        | 501_481 => Trouble::ReConsent,
        50_196 | 90_033 | 90_006 | 50_033 | 90_024 => Trouble::Transient,
        _ => Trouble::Operator,
    }
}

#[actix_web::test]
async fn a_token_endpoint_that_hangs_is_left_in_time_and_leaves_nothing_half_done() {
    let store = TestStore::create(Engine::Sqlite).await;
    let impatient = ClientSettings {
        timeout: Duration::from_millis(300),
        ..loopback_settings()
    };
    let stand = Stand::with_client(&store, HttpClient::new(&impatient).unwrap()).await;
    stand.admin_consent(ADA).await.unwrap();
    let hangs = Fault::new(Upstream::Entra, FaultKind::TimeOut).on("token");
    stand.simulator.faults().add(hangs, stand.context.now());
    let answered = stand.user_consent(ADA).await;
    let refusal = refused(&stand, answered, Reason::NotReachable).await;
    assert_eq!(refusal.trouble, Trouble::Transient);
    stand.simulator.faults().clear();
    assert!(stand.user_consent(ADA).await.is_ok());
}

#[actix_web::test]
async fn a_life_that_is_no_number_is_taken_for_the_shortest_and_nothing_breaks() {
    use wiremock::matchers::{method, path_regex};
    use wiremock::{Mock, MockServer, ResponseTemplate};
    let entra = MockServer::start().await;
    for (life, fits) in [
        (json!("3599"), true),
        (json!("soon"), true),
        (json!(null), true),
        (json!([1]), true),
    ] {
        entra.reset().await;
        let body = json!({ "token_type": "Bearer", "access_token": "a", "expires_in": life });
        Mock::given(method("POST"))
            .and(path_regex("/token$"))
            .respond_with(ResponseTemplate::new(200).set_body_json(body))
            .mount(&entra)
            .await;
        let (context, _clock) = crate::support::context::context();
        let grants = UserGrants::new(crate::support::http::loopback_client(), context);
        let credential = AppCredential {
            token_url: format!("{}/t/token", entra.uri()).parse().unwrap(),
            client_id: "c".to_owned(),
            client_secret: "s".to_owned().into(),
            scope: "x".to_owned(),
        };
        let granted = grants.refresh(&credential, &"r".to_owned().into()).await;
        let life = granted.map(|grant| grant.life);
        assert_eq!(life.is_ok(), fits, "{life:?}");
        assert!(life.unwrap() <= Duration::from_secs(3600));
    }
}
