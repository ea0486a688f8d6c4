//! Entra's token endpoints, and what the other stand-ins make of tokens.

use std::time::Duration;

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use provider_bridge::simulator::{
    DATAVERSE_CLIENT_ID, DATAVERSE_CLIENT_SECRET, ENTRA_TENANT_ID, PARTNER_CENTER_CLIENT_ID,
    PARTNER_CENTER_CLIENT_SECRET, PARTNER_CENTER_RESOURCE, PARTNER_TENANT_ID,
};
use reqwest::Method;
use serde_json::Value;

use super::client::{Stand, got};

#[tokio::test]
async fn a_token_is_signed_with_the_published_key_and_says_whose_it_is() {
    let stand = Stand::new().await;
    let base = stand.running.base_url();
    let metadata = format!("{base}/{PARTNER_TENANT_ID}/v2.0/.well-known/openid-configuration");
    let metadata = got(stand.http.get(metadata)).await.json();
    let keys = got(stand.http.get(metadata["jwks_uri"].as_str().unwrap())).await;
    let keys: JwkSet = serde_json::from_str(&keys.text).unwrap();
    let header = jsonwebtoken::decode_header(&stand.provider_token).unwrap();
    assert_eq!(header.alg, Algorithm::RS256);
    let key = DecodingKey::from_jwk(keys.find(&header.kid.unwrap()).unwrap()).unwrap();
    let mut rules = Validation::new(Algorithm::RS256);
    rules.validate_exp = false;
    rules.set_audience(&[&base]);
    let claims = jsonwebtoken::decode::<Value>(&stand.provider_token, &key, &rules)
        .unwrap()
        .claims;
    assert_eq!(claims["tid"], PARTNER_TENANT_ID);
    assert_eq!(claims["appid"], PARTNER_CENTER_CLIENT_ID);
}

#[tokio::test]
async fn each_wrong_credential_gets_the_answer_entra_gives() {
    let stand = Stand::new().await;
    let other = "11111111-2222-4333-8444-555555555555";
    for (tenant, client, secret, status, code) in [
        (
            PARTNER_TENANT_ID,
            PARTNER_CENTER_CLIENT_ID,
            "guess",
            401,
            7_000_215,
        ),
        (
            PARTNER_TENANT_ID,
            other,
            PARTNER_CENTER_CLIENT_SECRET,
            400,
            700_016,
        ),
        (
            ENTRA_TENANT_ID,
            PARTNER_CENTER_CLIENT_ID,
            PARTNER_CENTER_CLIENT_SECRET,
            400,
            700_016,
        ),
        (
            other,
            DATAVERSE_CLIENT_ID,
            DATAVERSE_CLIENT_SECRET,
            400,
            90002,
        ),
    ] {
        let refused = stand.token(tenant, client, secret).await;
        assert_eq!(refused.status, status);
        assert_eq!(refused.json()["error_codes"][0], code);
        assert!(!refused.text.contains(PARTNER_CENTER_CLIENT_SECRET));
    }
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", DATAVERSE_CLIENT_ID),
        ("client_secret", DATAVERSE_CLIENT_SECRET),
        ("scope", "https://elsewhere.example/.default"),
    ];
    let refused = stand
        .form(&format!("/{ENTRA_TENANT_ID}/oauth2/v2.0/token"), &form)
        .await;
    assert_eq!(refused.json()["error_codes"][0], 500_011);
}

#[tokio::test]
async fn the_v1_endpoint_takes_a_resource_and_writes_numbers_as_text() {
    let stand = Stand::new().await;
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", PARTNER_CENTER_CLIENT_ID),
        ("client_secret", PARTNER_CENTER_CLIENT_SECRET),
        ("resource", PARTNER_CENTER_RESOURCE),
    ];
    let answer = stand
        .form(&format!("/{PARTNER_TENANT_ID}/oauth2/token"), &form)
        .await
        .json();
    assert_eq!(answer["expires_in"], "3599");
    assert_eq!(answer["resource"], PARTNER_CENTER_RESOURCE);
    let token = answer["access_token"].as_str().unwrap();
    let page = stand
        .send(Method::GET, "/v1/customers", &[], token, None)
        .await;
    assert_eq!(page.status, 200);
}

#[tokio::test]
async fn a_token_opens_only_its_own_door_and_only_until_it_expires() {
    let stand = Stand::new().await;
    let customers = "/v1/customers?size=1";
    let accounts = "/api/data/v9.2/accounts?$top=1";
    let get = |path, token| stand.send(Method::GET, path, &[], token, None);
    assert_eq!(get(customers, &stand.provider_token).await.status, 200);
    assert_eq!(get(accounts, &stand.crm_token).await.status, 200);

    let foreign = get(accounts, &stand.provider_token).await;
    assert_eq!(
        (foreign.status.as_u16(), foreign.code().as_str()),
        (403, "0x80072560")
    );
    assert_eq!(get(customers, &stand.crm_token).await.status, 403);
    assert_eq!(get(customers, "nonsense").await.status, 401);
    let (head, _) = stand.provider_token.rsplit_once('.').unwrap();
    let altered = format!("{head}.AAAA");
    assert_eq!(get(customers, &altered).await.status, 401);

    stand.clock.advance(Duration::from_secs(3600));
    assert_eq!(get(customers, &stand.provider_token).await.status, 401);
    assert_eq!(get(accounts, &stand.crm_token).await.status, 401);
}
