//! What the pages say of the connections: how a provider fares, its client secret replaced, and the verification of the CRM.

use chrono::TimeDelta;
use provider_bridge::app::clock::system_context;
use provider_bridge::app::open::operator;
use provider_bridge::domain::caller::Role;
use provider_bridge::simulator::{self, Fault, FaultKind, Upstream};
use provider_bridge::store::entities::audit;
use sea_orm::EntityTrait;
use thirtyfour::prelude::*;

use crate::chromium::Browser;
use crate::pages::{Service, press, submit, text, wait_for};

const WRONG_SECRET: &str = "canary~a-secret-that-entra-does-not-know";

fn fault(service: &Service, upstream: Upstream, kind: FaultKind, operation: Option<&str>) {
    let mut fault = Fault::new(upstream, kind);
    fault.operation = operation.map(str::to_owned);
    let now = service.running.flows.context.now();
    service.simulator.faults().add(fault, now);
}

async fn replace_secret(browser: &Browser, secret: &str, days: i64) {
    press(browser, "#replace-secret summary").await;
    let field = wait_for(browser, By::Id("client-secret")).await.unwrap();
    field.send_keys(secret).await.unwrap();
    let day = (system_context().now() + TimeDelta::days(days)).format("%Y-%m-%d");
    let set = format!("document.getElementById('expires').value = '{day}'");
    browser.page.execute(set, vec![]).await.unwrap();
    submit(browser, "#replace-secret button").await;
}

#[actix_web::test]
async fn the_provider_page_says_how_the_provider_fares() {
    let service = Service::start().await;
    let browser = Browser::open().await.unwrap();
    service.sign_in(&browser, Role::Admin).await;
    let page = format!("/providers/{}", service.provider);
    service.open(&browser, &page).await;
    assert_eq!(text(&browser, "#health").await, "✓ Nothing is the matter.");
    assert_eq!(text(&browser, "#last-sync").await, "just now");
    assert!(
        text(&browser, "#client-secret-expiry")
            .await
            .contains("nobody said")
    );
    browser.assert_fit_for_everyone("healthy").await.unwrap();

    fault(
        &service,
        Upstream::PartnerCenter,
        FaultKind::ServerError { status: 400 },
        None,
    );
    let by = operator();
    let asked = service.running.flows.request_sync(&by, service.provider);
    asked.await.unwrap();
    service.work().await;
    replace_secret(&browser, simulator::PARTNER_CENTER_CLIENT_SECRET, 10).await;
    wait_for(&browser, By::Css("[role=status]")).await.unwrap();
    let health = text(&browser, "#health").await;
    assert!(
        health.contains("! The last sync did not come to its end."),
        "{health}"
    );
    assert!(
        health.contains("! The client secret expires soon."),
        "{health}"
    );
    assert_eq!(
        text(&browser, "#client-secret-expiry").await,
        "expires in 10 days"
    );
    let error = text(&browser, "#last-error").await;
    assert!(error.starts_with("just now ("), "{error}");
    browser.assert_fit_for_everyone("unwell").await.unwrap();
    browser.close().await.unwrap();
    service.stop().await;
}

#[actix_web::test]
async fn an_administrator_replaces_the_client_secret_and_nothing_shows_it() {
    let service = Service::start().await;
    let browser = Browser::open().await.unwrap();
    service.sign_in(&browser, Role::Admin).await;
    let page = format!("/providers/{}", service.provider);
    service.open(&browser, &page).await;

    replace_secret(&browser, WRONG_SECRET, -3).await;
    let problem = text(&browser, "#problem").await;
    assert!(
        problem.contains("The day on which the client secret expires is over"),
        "{problem}"
    );
    browser
        .assert_fit_for_everyone("secret-refused")
        .await
        .unwrap();
    submit(&browser, "#verify").await;
    assert!(
        text(&browser, "#report").await.contains("✓ token issued"),
        "nothing was kept"
    );

    replace_secret(&browser, WRONG_SECRET, 300).await;
    let done = text(&browser, "[role=status]").await;
    assert!(done.contains("The client secret was replaced"), "{done}");
    assert!(!browser.page.source().await.unwrap().contains(WRONG_SECRET));
    submit(&browser, "#verify").await;
    let report = text(&browser, "#report").await;
    assert!(report.contains("! token issued"), "{report}");
    assert!(!browser.page.source().await.unwrap().contains(WRONG_SECRET));

    replace_secret(&browser, simulator::PARTNER_CENTER_CLIENT_SECRET, 300).await;
    wait_for(&browser, By::Css("[role=status]")).await.unwrap();
    submit(&browser, "#verify").await;
    assert!(text(&browser, "#report").await.contains("✓ token issued"));

    let subject = format!("provider/{}", service.provider);
    let trail = audit::Entity::find().all(service.running.flows.store.reader());
    let trail = trail.await.unwrap();
    let why = Some("the client secret was replaced");
    let replaced: Vec<_> = trail
        .iter()
        .filter(|entry| entry.subject == subject && entry.reason.as_deref() == why)
        .collect();
    assert_eq!(replaced.len(), 2, "{trail:?}");
    assert!(replaced.iter().all(|entry| entry.actor_name == "Jo Doe"));
    assert!(!format!("{trail:?}").contains(WRONG_SECRET));

    // Who may not configure is not offered it, and gets nowhere by force.
    let reader = Browser::open().await.unwrap();
    service.sign_in(&reader, Role::Reader).await;
    service.open(&reader, &page).await;
    wait_for(&reader, By::Id("health")).await.unwrap();
    assert!(reader.page.find(By::Id("replace-secret")).await.is_err());
    reader.close().await.unwrap();
    browser.close().await.unwrap();
    service.stop().await;
}

#[actix_web::test]
async fn the_connection_to_the_crm_is_verified_step_by_step() {
    let service = Service::start().await;
    let browser = Browser::open().await.unwrap();
    service.sign_in(&browser, Role::Provisioning).await;
    service.open(&browser, "/crm").await;
    assert_eq!(
        text(&browser, "#org-url").await.trim_end_matches('/'),
        service.simulator.base_url()
    );
    assert_eq!(
        text(&browser, "#application").await,
        simulator::DATAVERSE_CLIENT_ID
    );
    submit(&browser, "#verify").await;
    let report = text(&browser, "#report").await;
    assert!(
        report.contains("✓ changes of contacts readable"),
        "{report}"
    );
    assert!(
        report.contains(&simulator::APPLICATION_USER_ID.to_string()),
        "{report}"
    );
    assert!(!report.contains("! "), "{report}");
    browser
        .assert_fit_for_everyone("crm-verified")
        .await
        .unwrap();

    fault(
        &service,
        Upstream::Dataverse,
        FaultKind::ServerError { status: 403 },
        Some("list-contacts"),
    );
    submit(&browser, "#verify").await;
    assert_eq!(
        text(&browser, "#failed-step").await,
        "The first step that failed: contacts readable."
    );
    let report = text(&browser, "#report").await;
    assert!(report.contains("✓ accounts readable"), "{report}");
    assert!(report.contains("! contacts readable"), "{report}");
    assert!(
        !report.contains("changes of"),
        "it stops at the first: {report}"
    );
    browser
        .assert_fit_for_everyone("crm-refused")
        .await
        .unwrap();
    browser.close().await.unwrap();
    service.stop().await;
}
