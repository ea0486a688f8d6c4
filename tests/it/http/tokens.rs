//! Bearer tokens of users and applications: who they are, what they may, and what becomes of it while keys change, clocks
//! run and the issuer is away.

use std::time::Duration;

use provider_bridge::domain::caller::Role;
use provider_bridge::store::Engine;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::{Answer, PUBLIC_URL, Settings, TestApp};
use crate::support::issuer::{Issuer, SERVICE_PRINCIPAL, SigningKey, TENANT, USER, with};
use crate::support::stores::TestStore;

const SCOPE: &str = "access_as_user";

async fn app_with(issuer: &Issuer, store: &TestStore) -> TestApp {
    let settings = Settings {
        bearer: Some(issuer.as_entra()),
        ..Settings::default()
    };
    TestApp::start_with((**store).clone(), settings).await
}

async fn get(app: &TestApp, token: &str, path: &str) -> Answer {
    Answer::of(app.request(Method::GET, path).bearer_auth(token)).await
}

async fn providers(app: &TestApp, token: &str) -> u16 {
    get(app, token, "/v1/providers").await.status
}

crate::on_both_engines! {
    async fn users_and_applications_of_both_formats_are_let_in_and_known_again(store: TestStore) {
        let issuer = Issuer::start().await;
        let app = app_with(&issuer, &store).await;
        let user = issuer.user(&["admin"], SCOPE);
        let application = issuer.app(&["provisioning"]);
        for (claims, owner) in [
            (user.clone(), format!("user:{TENANT}/{USER}")),
            (Issuer::in_v1(user), format!("user:{TENANT}/{USER}")),
            (application.clone(), format!("app:{TENANT}/{SERVICE_PRINCIPAL}")),
            (Issuer::in_v1(application), format!("app:{TENANT}/{SERVICE_PRINCIPAL}")),
        ] {
            let token = issuer.key.sign(&claims);
            assert_eq!(providers(&app, &token).await, 200, "{claims}");
            assert_eq!(app.bearer.verify(&token).await.unwrap().owner, owner);
            let known = app.bearer.standing(&owner).await.unwrap().unwrap();
            assert_eq!(known.actor().key(), owner);
        }
        let foreign = format!("user:{SERVICE_PRINCIPAL}/{USER}");
        assert!(app.bearer.standing(&foreign).await.unwrap().is_none());
    }

    async fn a_job_is_polled_for_as_long_as_the_one_who_asked_may_call(store: TestStore) {
        let issuer = Issuer::start().await;
        let app = app_with(&issuer, &store).await;
        let admin = app.key(&[Role::Admin]).await;
        let body = json!({
            "kind": "partner-center", "name": "E", "partnerTenant": "contoso.com",
            "clientId": "c", "clientSecret": "s",
        });
        let provider = app.send(Method::POST, &admin, "/v1/providers", &body).await;
        let id = provider.body["providerId"].as_str().unwrap();
        let path = format!("/v1/providers/{id}/sync-provider-accounts");
        let token = issuer.key.sign(&issuer.app(&["provisioning"]));
        let asked = Answer::of(app.request(Method::POST, &path).bearer_auth(&token)).await;
        assert_eq!(asked.status, 202, "{asked:?}");
        let location = asked.header("location").strip_prefix(PUBLIC_URL).unwrap().to_owned();
        assert_eq!(Answer::of(app.request(Method::GET, &location)).await.status, 202);
        // Another deployment of the same store, which takes no tokens any more.
        let closed = TestApp::start((*store).clone()).await;
        assert_eq!(Answer::of(closed.request(Method::GET, &location)).await.status, 401);
        assert_eq!(providers(&closed, &token).await, 401);
    }
}

async fn on_sqlite() -> (Issuer, TestApp, TestStore) {
    let store = TestStore::create(Engine::Sqlite).await;
    let issuer = Issuer::start().await;
    let app = app_with(&issuer, &store).await;
    (issuer, app, store)
}

#[actix_web::test]
async fn a_scope_named_like_a_role_caps_the_users_roles() {
    let (issuer, app, _store) = on_sqlite().await;
    let roles_under = async |roles: &[&str], scp: &str| {
        let token = issuer.key.sign(&issuer.user(roles, scp));
        let verified = app.bearer.verify(&token).await;
        verified.map(|verified| {
            verified
                .principal
                .roles()
                .iter()
                .copied()
                .collect::<Vec<_>>()
        })
    };
    assert_eq!(
        roles_under(&["admin"], "reader").await.unwrap(),
        [Role::Reader]
    );
    assert_eq!(
        roles_under(&["reader"], "admin").await.unwrap(),
        [Role::Reader]
    );
    let both = roles_under(&["admin", "reader"], "reader access_as_user").await;
    assert_eq!(both.unwrap(), [Role::Reader, Role::Admin]);
    assert_eq!(
        roles_under(&["admin", "unheard-of"], SCOPE).await.unwrap(),
        [Role::Admin]
    );
    assert!(
        roles_under(&["service"], SCOPE).await.is_err(),
        "nobody acts as the service"
    );
    assert!(roles_under(&["admin"], "openid profile").await.is_err());
}

#[actix_web::test]
async fn one_call_carries_one_credential_and_an_empty_header_is_none() {
    let (issuer, app, _store) = on_sqlite().await;
    let key = app.key(&[Role::Reader]).await;
    let token = issuer.key.sign(&issuer.user(&["reader"], SCOPE));
    let bearer = format!("Bearer {token}");
    let call = async |headers: &[(&str, &str)]| {
        let mut request = app.request(Method::GET, "/v1/providers");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = Answer::of(request).await;
        (answer.status, answer.code().to_owned())
    };
    let (twice, once) = ((400, "invalid-request".to_owned()), (200, String::new()));
    let none = (401, "unauthenticated".to_owned());
    assert_eq!(
        call(&[("x-api-key", &key), ("authorization", &bearer)]).await,
        twice
    );
    assert_eq!(
        call(&[("x-api-key", "wrong"), ("authorization", &bearer)]).await,
        twice
    );
    assert_eq!(
        call(&[("authorization", &bearer), ("authorization", &bearer)]).await,
        twice
    );
    assert_eq!(
        call(&[("x-api-key", &key), ("x-api-key", &key)]).await,
        twice
    );
    assert_eq!(
        call(&[("x-api-key", ""), ("authorization", &bearer)]).await,
        once
    );
    assert_eq!(
        call(&[("x-api-key", &key), ("authorization", "")]).await,
        once
    );
    assert_eq!(
        call(&[("authorization", &format!("bearer  {token}"))]).await,
        once
    );
    assert_eq!(
        call(&[("x-api-key", ""), ("authorization", " ")]).await,
        none
    );
    for odd in ["Basic YTpi", "Bearer", "Bearer a.b", &token] {
        assert_eq!(call(&[("authorization", odd)]).await, none, "{odd}");
    }
}

#[actix_web::test]
async fn a_remembered_token_ends_with_its_own_time() {
    let (issuer, app, _store) = on_sqlite().await;
    let claims = issuer.user(&["reader"], SCOPE);
    let soon = with(
        claims.clone(),
        &[("exp", json!(claims["nbf"].as_i64().unwrap() + 30))],
    );
    let (token, brief) = (issuer.key.sign(&claims), issuer.key.sign(&soon));
    assert_eq!(providers(&app, &token).await, 200);
    app.clock.advance(Duration::from_secs(89));
    assert_eq!(providers(&app, &brief).await, 200, "within the skew");
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(providers(&app, &brief).await, 401);
    app.clock.advance(Duration::from_secs(3600));
    assert_eq!(providers(&app, &token).await, 401);
    let early = with(
        claims,
        &[
            ("nbf", json!(1_780_315_200 + 4000)),
            ("exp", json!(1_780_315_200 + 9000)),
        ],
    );
    assert_eq!(
        providers(&app, &issuer.key.sign(&early)).await,
        401,
        "not valid yet"
    );
}

#[actix_web::test]
async fn a_new_key_is_found_at_once_and_the_old_one_goes_later() {
    let (issuer, app, _store) = on_sqlite().await;
    let claims = with(
        issuer.user(&["reader"], SCOPE),
        &[("exp", json!(1_780_315_200 + 90_000))],
    );
    let old = issuer.key.sign(&claims);
    assert_eq!(providers(&app, &old).await, 200);
    let next = SigningKey::generate("two");
    issuer.publish(&[&next]);
    app.clock.advance(Duration::from_secs(400));
    let new = next.sign(&claims);
    assert_eq!(providers(&app, &new).await, 200);
    assert_eq!(issuer.key_requests(), 2);
    assert_eq!(
        providers(&app, &old).await,
        200,
        "a token of the key before is still about"
    );
    app.clock.advance(Duration::from_secs(2 * 3600));
    assert_eq!(providers(&app, &old).await, 401);
    assert_eq!(providers(&app, &new).await, 200);
}

#[actix_web::test]
async fn made_up_keys_make_the_issuer_answer_rarely_and_once_for_all_who_wait() {
    let (issuer, app, _store) = on_sqlite().await;
    let stranger = SigningKey::generate("stranger");
    let claims = issuer.user(&["reader"], SCOPE);
    let tokens: Vec<_> = (0..8)
        .map(|n| stranger.sign(&with(claims.clone(), &[("uti", json!(n))])))
        .collect();
    let answers = tokens.iter().map(|token| providers(&app, token));
    assert_eq!(futures_util::future::join_all(answers).await, [401; 8]);
    assert_eq!(issuer.key_requests(), 1);
    assert_eq!(
        providers(&app, &issuer.key.sign(&claims)).await,
        200,
        "who is known is not kept waiting"
    );
    app.clock.advance(Duration::from_secs(29));
    assert_eq!(providers(&app, &tokens[0]).await, 401);
    assert_eq!(issuer.key_requests(), 1);
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(providers(&app, &tokens[0]).await, 401);
    assert_eq!(issuer.key_requests(), 2);
}

#[actix_web::test]
async fn an_issuer_that_is_away_is_survived_with_the_keys_at_hand() {
    let (issuer, app, _store) = on_sqlite().await;
    issuer.reachable(false);
    let claims = with(
        issuer.user(&["reader"], SCOPE),
        &[("exp", json!(1_780_315_200 + 200_000))],
    );
    let token = issuer.key.sign(&claims);
    let answer = get(&app, &token, "/v1/providers").await;
    assert_eq!(
        (answer.status, answer.code()),
        (503, "unavailable"),
        "nobody can tell yet"
    );
    assert_eq!(answer.header("retry-after"), "30");
    issuer.reachable(true);
    app.clock.advance(Duration::from_secs(30));
    assert_eq!(providers(&app, &token).await, 200);
    issuer.reachable(false);
    app.clock.advance(Duration::from_secs(20 * 3600));
    app.bearer.refresh_keys().await;
    assert_eq!(providers(&app, &token).await, 200);
    app.clock.advance(Duration::from_secs(5 * 3600));
    assert_eq!(
        providers(&app, &token).await,
        503,
        "a key that nobody has confirmed for a day"
    );
}

#[actix_web::test]
async fn an_independent_provider_takes_entras_place_by_settings() {
    let store = TestStore::create(Engine::Sqlite).await;
    let issuer = Issuer::start().await;
    let settings = Settings {
        bearer: Some(issuer.as_independent()),
        ..Settings::default()
    };
    let app = TestApp::start_with((*store).clone(), settings).await;
    let roles = ["provisioning", "offline_access"];
    let user = issuer.elsewhere("ada", &roles, "openid access_as_user");
    let verified = app.bearer.verify(&issuer.key.sign(&user)).await.unwrap();
    assert!(verified.owner.starts_with("user:"));
    assert_eq!(
        verified.principal.roles().iter().collect::<Vec<_>>(),
        [&Role::Provisioning]
    );
    let other = issuer.elsewhere("bob", &roles, SCOPE);
    let other = app.bearer.verify(&issuer.key.sign(&other)).await.unwrap();
    assert_ne!(
        other.owner, verified.owner,
        "an owner is issuer and subject"
    );
    assert!(app.bearer.standing(&other.owner).await.unwrap().is_some());
    let client = issuer.elsewhere("service-account-portal", &roles, "openid");
    let client = app.bearer.verify(&issuer.key.sign(&client)).await.unwrap();
    assert!(client.owner.starts_with("app:"));
    let refused: [(Value, u16); 4] = [
        (issuer.elsewhere("ada", &roles, "openid"), 403),
        (
            with(user.clone(), &[("iss", json!("https://elsewhere.example"))]),
            401,
        ),
        (with(user.clone(), &[("typ", json!("ID"))]), 401),
        (issuer.user(&["admin"], SCOPE), 401),
    ];
    for (claims, status) in refused {
        assert_eq!(
            providers(&app, &issuer.key.sign(&claims)).await,
            status,
            "{claims}"
        );
    }
}
