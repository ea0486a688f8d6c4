//! A Billing Contract as a person makes, changes and closes one: the search for its account with and without scripts, the form
//! and what it refuses, the confirmation.

use provider_bridge::app::open::operator;
use provider_bridge::domain::caller::Role;
use provider_bridge::domain::mapping::MappingState;
use provider_bridge::flows::billing_contracts::ContractChange;
use provider_bridge::store::provider_accounts::Filter;
use thirtyfour::prelude::*;

use crate::chromium::Browser;
use crate::pages::{Service, submit, text, wait_for};

async fn write(browser: &Browser, field: &str, what: &str) {
    let found = wait_for(browser, By::Css(format!("#contract #{field}")));
    let found = found.await.unwrap();
    found.clear().await.unwrap();
    found.send_keys(what).await.unwrap();
}

/// Days are set as a date picker sets them; what a keyboard would have to type depends on the browser's language.
async fn choose_day(browser: &Browser, field: &str, day: &str) {
    let script = format!("document.getElementById('{field}').value = '{day}'");
    browser.page.execute(script, vec![]).await.unwrap();
}

/// The name of an Account that a customer is mapped to.
async fn mapped_account(service: &Service) -> String {
    let (flows, by) = (&service.running.flows, operator());
    let mapped = Filter {
        state: Some(MappingState::Mapped),
        ..Filter::default()
    };
    let customers = flows.list_provider_accounts(&by, &mapped, None, 1).await;
    let id = customers.unwrap().accounts[0].mapping.account_id().unwrap();
    flows.get_account(&by, id).await.unwrap().name.clone()
}

/// Types into the search; the results follow by themselves.
async fn find_account(service: &Service, browser: &Browser, account: &str) {
    service.open(browser, "/billing-contracts").await;
    submit(browser, "#new").await;
    browser
        .assert_fit_for_everyone("contract-account")
        .await
        .unwrap();
    let search = wait_for(browser, By::Css("input[type=search]")).await;
    search.unwrap().send_keys(account).await.unwrap();
    wait_for(browser, By::Css("#accounts > li")).await.unwrap();
    browser
        .assert_fit_for_everyone("contract-accounts-found")
        .await
        .unwrap();
    submit(browser, "#accounts > li a.button").await;
}

async fn fill_in_with_a_mistake(browser: &Browser) {
    write(browser, "name", "Cloud services").await;
    write(browser, "currency", "CHF").await;
    choose_day(browser, "start_date", "2026-01-15").await;
    choose_day(browser, "end_date", "2025-12-31").await;
    write(browser, "products", "CFQ7").await;
    browser
        .assert_fit_for_everyone("contract-new")
        .await
        .unwrap();
    submit(browser, "#save").await;
    let said = text(browser, "#end_date-mistake").await;
    assert!(said.contains("“Last day” (2025-12-31)"), "{said}");
    let kept = wait_for(browser, By::Id("products")).await.unwrap();
    assert_eq!(kept.value().await.unwrap().unwrap().trim(), "CFQ7");
    browser
        .assert_fit_for_everyone("contract-refused")
        .await
        .unwrap();
}

/// Somebody else changes it while the form is open.
async fn change_beside_another(service: &Service, browser: &Browser) {
    submit(browser, "#edit").await;
    let at = browser.page.current_url().await.unwrap();
    let id = at.path().split('/').nth(2).unwrap().parse().unwrap();
    let other = ContractChange {
        terms: Some(Some("Net 10".to_owned())),
        ..ContractChange::default()
    };
    let flows = &service.running.flows;
    flows
        .change_billing_contract(&operator(), id, other)
        .await
        .unwrap();
    write(browser, "terms", "Net 30").await;
    submit(browser, "#save").await;
    assert!(text(browser, "#terms-stored").await.ends_with("Net 10"));
    browser
        .assert_fit_for_everyone("contract-stale")
        .await
        .unwrap();
    submit(browser, "#save").await;
    assert!(text(browser, "[role=status]").await.contains("is changed"));
    let known = flows.get_billing_contract(&operator(), id).await.unwrap();
    assert_eq!(known.terms.terms.as_deref(), Some("Net 30"));
}

#[actix_web::test]
async fn a_contract_is_made_changed_and_closed() {
    let service = Service::start().await;
    let account = mapped_account(&service).await;
    let browser = Browser::open().await.unwrap();
    service.sign_in(&browser, Role::Billing).await;
    find_account(&service, &browser, &account).await;
    assert!(text(&browser, "#account").await.starts_with(&account));
    fill_in_with_a_mistake(&browser).await;
    choose_day(&browser, "end_date", "").await;
    submit(&browser, "#save").await;
    assert!(text(&browser, "[role=status]").await.contains("is made"));
    change_beside_another(&service, &browser).await;

    submit(&browser, "#close").await;
    browser
        .assert_fit_for_everyone("contract-close")
        .await
        .unwrap();
    let reason = wait_for(&browser, By::Id("reason")).await.unwrap();
    reason.send_keys("moved away").await.unwrap();
    submit(&browser, "#close button.primary").await;
    let closed = By::XPath("//*[contains(., 'moved away')][@class='warn']");
    wait_for(&browser, closed).await.unwrap();
    browser
        .assert_fit_for_everyone("contract-closed")
        .await
        .unwrap();
    browser.close().await.unwrap();
    service.stop().await;
}
