//! Entra's pages and a user's tokens, as a browser and a client find them.

use std::time::Duration;

use provider_bridge::simulator::{
    Fault, FaultKind, PARTNER_CENTER_CLIENT_ID, PARTNER_CENTER_CLIENT_SECRET,
    PARTNER_CENTER_RESOURCE, PARTNER_TENANT_ID, PEOPLE, Upstream,
};
use reqwest::{Method, Url};
use serde_json::Value;

use super::client::{Got, Stand, got};

const REDIRECT: &str = "https://bridge.test/callback";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// SHA-256 of the verifier (RFC 7636, appendix B).
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// What stands in the redirect.
fn parameter(got: &Got, name: &str) -> Option<String> {
    let target: Url = got.header("location").unwrap().parse().unwrap();
    assert!(target.as_str().starts_with(REDIRECT));
    target
        .query_pairs()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

async fn page(stand: &Stand, path: &str, parameters: &[(&str, &str)]) -> Got {
    let base = format!("{}/{path}", stand.running.base_url());
    let mut url = Url::parse(&base).unwrap();
    url.query_pairs_mut()
        .append_pair("client_id", PARTNER_CENTER_CLIENT_ID)
        .append_pair("redirect_uri", REDIRECT)
        .append_pair("state", "s1")
        .extend_pairs(parameters);
    got(stand.http.get(url)).await
}

async fn consent(stand: &Stand, as_whom: &str) -> Got {
    let scope = format!("{PARTNER_CENTER_RESOURCE}/.default");
    let parameters = [("scope", scope.as_str()), ("simulated_account", as_whom)];
    page(stand, "organizations/v2.0/adminconsent", &parameters).await
}

async fn sign_in(stand: &Stand, as_whom: &str) -> Got {
    let scope = format!("{PARTNER_CENTER_RESOURCE}/user_impersonation openid offline_access");
    let parameters = [
        ("response_type", "code"),
        ("scope", &scope),
        ("nonce", "n1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("simulated_account", as_whom),
    ];
    page(stand, "organizations/oauth2/v2.0/authorize", &parameters).await
}

async fn redeem(stand: &Stand, tenant: &str, code: &str, verifier: &str) -> Got {
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", PARTNER_CENTER_CLIENT_ID),
        ("client_secret", PARTNER_CENTER_CLIENT_SECRET),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", verifier),
    ];
    stand
        .form(&format!("/{tenant}/oauth2/v2.0/token"), &form)
        .await
}

async fn refresh(stand: &Stand, token: &str) -> Got {
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", PARTNER_CENTER_CLIENT_ID),
        ("client_secret", PARTNER_CENTER_CLIENT_SECRET),
        ("refresh_token", token),
    ];
    stand
        .form(&format!("/{PARTNER_TENANT_ID}/oauth2/v2.0/token"), &form)
        .await
}

/// Consents and signs in.
async fn tokens_of(stand: &Stand, whom: &str) -> Value {
    consent(stand, PEOPLE[0].upn).await;
    let back = sign_in(stand, whom).await;
    let code = parameter(&back, "code").unwrap();
    redeem(stand, "organizations", &code, VERIFIER).await.json()
}

fn code_of(refused: &Got) -> u64 {
    refused.json()["error_codes"][0].as_u64().unwrap()
}

#[tokio::test]
async fn people_are_shown_to_choose_from_and_both_consents_lead_back() {
    let stand = Stand::new().await;
    let shown = sign_in(&stand, "").await;
    for person in &PEOPLE {
        assert!(shown.text.contains(person.name), "{}", shown.text);
    }
    let early = sign_in(&stand, PEOPLE[0].upn).await;
    assert_eq!(parameter(&early, "error").unwrap(), "consent_required");
    let declined = consent(&stand, "decline").await;
    assert_eq!(parameter(&declined, "error").unwrap(), "access_denied");
    assert_eq!(
        parameter(&declined, "admin_consent").unwrap(),
        "True",
        "on failure too"
    );
    let given = consent(&stand, PEOPLE[0].upn).await;
    assert_eq!(parameter(&given, "tenant").unwrap(), PARTNER_TENANT_ID);
    let back = sign_in(&stand, PEOPLE[0].upn).await;
    assert_eq!(parameter(&back, "state").unwrap(), "s1");
    assert!(parameter(&back, "code").is_some());
}

#[tokio::test]
async fn a_code_is_good_once_where_it_was_asked_for_and_for_who_can_prove_it() {
    let stand = Stand::new().await;
    consent(&stand, PEOPLE[0].upn).await;
    let code = parameter(&sign_in(&stand, PEOPLE[0].upn).await, "code").unwrap();
    let attempts = [
        (PARTNER_TENANT_ID, code.as_str(), VERIFIER, 700_005),
        ("organizations", &code, "guess", 501_481),
        ("organizations", "made-up", VERIFIER, 70_000),
    ];
    for (tenant, code, verifier, expected) in attempts {
        assert_eq!(
            code_of(&redeem(&stand, tenant, code, verifier).await),
            expected
        );
    }
    let tokens = redeem(&stand, "organizations", &code, VERIFIER).await;
    assert_eq!(tokens.status, 200, "{}", tokens.text);
    assert_eq!(
        code_of(&redeem(&stand, "organizations", &code, VERIFIER).await),
        54_005
    );
    let late = parameter(&sign_in(&stand, PEOPLE[0].upn).await, "code").unwrap();
    stand.clock.advance(Duration::from_secs(600));
    assert_eq!(
        code_of(&redeem(&stand, "organizations", &late, VERIFIER).await),
        70_008
    );
}

#[tokio::test]
async fn refresh_tokens_end_by_age_revocation_and_strict_rotation() {
    let stand = Stand::new().await;
    let tokens = tokens_of(&stand, PEOPLE[0].upn).await;
    let first = tokens["refresh_token"].as_str().unwrap().to_owned();
    let second = refresh(&stand, &first).await.json();
    let second = second["refresh_token"].as_str().unwrap().to_owned();
    assert_eq!(
        refresh(&stand, &first).await.status,
        200,
        "old ones stay valid"
    );
    stand.add(Fault::new(Upstream::Entra, FaultKind::StrictRotation));
    assert_eq!(code_of(&refresh(&stand, &first).await), 70_000);
    assert_eq!(refresh(&stand, &second).await.status, 200);
    stand.running.faults().clear();
    stand.running.revoke_sessions(&PEOPLE[0]);
    assert_eq!(code_of(&refresh(&stand, &second).await), 50_173);
    stand.clock.advance(Duration::from_secs(1));
    let again = tokens_of(&stand, PEOPLE[0].upn).await;
    let third = again["refresh_token"].as_str().unwrap();
    stand.clock.advance(Duration::from_secs(90 * 86_400));
    assert_eq!(code_of(&refresh(&stand, third).await), 700_082);
}

#[tokio::test]
async fn partner_center_knows_roles_and_second_factors_of_those_who_call() {
    let stand = Stand::new().await;
    let cases = [
        (0, 200, Some("true")),
        (1, 200, Some("false")),
        (2, 403, Some("true")),
        (3, 403, Some("true")),
    ];
    for (who, status, compliant) in cases {
        consent(&stand, PEOPLE[3].upn).await;
        let token = tokens_of(&stand, PEOPLE[who].upn).await;
        let token = token["access_token"].as_str().unwrap();
        let headers = [("validatemfa", "true")];
        let read = stand
            .send(Method::GET, "/v1/customers?size=1", &headers, token, None)
            .await;
        assert_eq!(read.status, status, "{}", PEOPLE[who].name);
        assert_eq!(read.header("ismfacompliant"), compliant);
    }
    let token = tokens_of(&stand, PEOPLE[0].upn).await;
    let token = token["access_token"].as_str().unwrap();
    let path = "/v1/customers/relationshiprequests";
    assert_eq!(
        stand.send(Method::GET, path, &[], token, None).await.status,
        200
    );
    let app_only = stand.provider(path, &[]).await;
    assert_eq!(
        (app_only.status.as_u16(), app_only.code().as_str()),
        (403, "900329")
    );
}

#[tokio::test]
async fn keys_rotate_with_the_former_shown_or_dropped() {
    let stand = Stand::new().await;
    let keys = async || {
        let url = format!("{}/common/discovery/v2.0/keys", stand.running.base_url());
        got(stand.http.get(url)).await.json()["keys"]
            .as_array()
            .unwrap()
            .len()
    };
    stand.running.rotate_keys(false).unwrap();
    assert_eq!(keys().await, 2);
    assert_eq!(
        stand.provider("/v1/customers?size=1", &[]).await.status,
        200
    );
    stand.running.rotate_keys(true).unwrap();
    assert_eq!(keys().await, 1);
}

#[tokio::test]
async fn every_documented_refusal_can_be_switched_on_for_tokens_and_for_the_pages() {
    let stand = Stand::new().await;
    for (code, error) in provider_bridge::simulator::DOCUMENTED {
        let error = error.to_owned();
        let kind = FaultKind::EntraError {
            error: error.clone(),
            code,
        };
        stand.add(Fault::new(Upstream::Entra, kind).times(1));
        assert_eq!(code_of(&refresh(&stand, "any").await), u64::from(code));
        let kind = FaultKind::SignInError {
            error: error.clone(),
            code,
        };
        stand.add(Fault::new(Upstream::Entra, kind).times(1));
        let back = sign_in(&stand, PEOPLE[0].upn).await;
        assert_eq!(parameter(&back, "error").unwrap(), error);
        let description = parameter(&back, "error_description").unwrap();
        assert!(description.starts_with(&format!("AADSTS{code}:")));
    }
}
