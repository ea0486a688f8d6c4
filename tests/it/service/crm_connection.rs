//! The connection to Dynamics 365 (A5): its page, and Verify Connectivity that names the first step that fails.

use provider_bridge::app::build::App;
use provider_bridge::app::clock::system_context;
use provider_bridge::app::open::operator;
use provider_bridge::domain::caller::Role;
use provider_bridge::simulator::{DATAVERSE_CLIENT_ID, Fault, FaultKind, Upstream};
use provider_bridge::store::Engine;
use reqwest::{Client, Method};
use secrecy::ExposeSecret;
use serde_json::Value;

use super::scene::{Scene, simulator};

const HOST: &str = "127.0.0.1:8080";
const FORM: &str = "application/x-www-form-urlencoded";

/// What Verify Connectivity says, through the API and on the page.
async fn verify(scene: &Scene) -> (Value, String) {
    let app = App::build(scene.config(), system_context()).await.unwrap();
    let roles = |roles: &[Role]| roles.iter().copied().collect();
    let (_, key) = app
        .keys
        .create(&operator(), "k", roles(&[Role::Admin]))
        .await
        .unwrap();
    let link = app
        .sessions
        .create_link(&operator(), "Ada", roles(&[Role::Admin]))
        .await
        .unwrap();
    let running = app.start(false).await.unwrap();
    #[expect(clippy::disallowed_methods, reason = "a test calls its own server")]
    let client = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let base = running.base_url();
    let request = |method, path: &str| {
        client
            .request(method, format!("{base}{path}"))
            .header("host", HOST)
    };
    let answer = request(Method::POST, "/v1/crm/verify-connectivity")
        .header("x-api-key", key.expose_secret());
    let report = answer.send().await.unwrap().json().await.unwrap();

    let form = |path: &str, body: String| {
        request(Method::POST, path)
            .header("content-type", FORM)
            .body(body)
    };
    let entered = form("/sign-in", format!("link={}", link.expose_secret()))
        .send()
        .await
        .unwrap();
    let cookie = entered.headers()["set-cookie"]
        .to_str()
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let shown = request(Method::GET, "/crm")
        .header("cookie", &cookie)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(shown.contains("Application users"), "{shown}");
    let (_, after) = shown.split_once("name=\"csrf\" value=\"").unwrap();
    let csrf = after.split('"').next().unwrap();
    let verified = form("/crm/verify", format!("csrf={csrf}"))
        .header("cookie", &cookie)
        .send()
        .await
        .unwrap();
    let page = verified.text().await.unwrap();
    running.stop().await;
    (report, page)
}

fn failed(report: &Value) -> &str {
    assert_eq!(report["passed"], false, "{report}");
    let last = report["steps"].as_array().unwrap().last().unwrap();
    assert_eq!(last["passed"], false);
    last["name"].as_str().unwrap()
}

#[actix_web::test]
async fn the_first_step_that_fails_is_named() {
    let simulator = simulator(5).await;
    let scene = Scene::new(Engine::Sqlite, &simulator).await;
    let (report, page) = verify(&scene).await;
    assert_eq!(report["passed"], true, "{report}");
    assert!(
        page.contains(DATAVERSE_CLIENT_ID) && !page.contains("failed-step"),
        "{page}"
    );

    let mut scene = Scene::new(Engine::Sqlite, &simulator).await;
    let wrong = "PROVIDER_BRIDGE__DATAVERSE__CLIENT_SECRET".to_owned();
    scene.settings.insert(wrong, "another".to_owned());
    let (report, page) = verify(&scene).await;
    assert_eq!(failed(&report), "token issued");
    assert!(
        page.contains("The first step that failed: token issued."),
        "{page}"
    );

    // The token is taken, the application user is not.
    let scene = Scene::new(Engine::Sqlite, &simulator).await;
    let fault = Fault::new(Upstream::Dataverse, FaultKind::RevokedToken);
    simulator.faults().add(fault, chrono::DateTime::UNIX_EPOCH);
    let (report, _) = verify(&scene).await;
    assert_eq!(failed(&report), "application user known");
    simulator.faults().clear();

    let scene = Scene::new(Engine::Sqlite, &simulator).await;
    let fault =
        Fault::new(Upstream::Dataverse, FaultKind::ServerError { status: 503 }).on("list-contacts");
    simulator.faults().add(fault, chrono::DateTime::UNIX_EPOCH);
    let (report, _) = verify(&scene).await;
    assert_eq!(failed(&report), "contacts readable");
    simulator.faults().clear();

    let mut scene = Scene::new(Engine::Sqlite, &simulator).await;
    scene.settings.remove("PROVIDER_BRIDGE__DATAVERSE__ORG_URL");
    let (report, page) = verify(&scene).await;
    assert_eq!(failed(&report), "settings present");
    assert!(page.contains("No environment is connected"), "{page}");
}
