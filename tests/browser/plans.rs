//! A plan of auto-match in the hands of a person: made, applied in part, applied whole, undone.

use provider_bridge::app::open::operator;
use provider_bridge::domain::caller::Role;
use provider_bridge::domain::setting::AutoMatchMode;
use thirtyfour::prelude::*;

use crate::chromium::Browser;
use crate::pages::{Service, press, submit, text};

async fn mapped(service: &Service) -> u64 {
    let by = operator();
    let counts = service.running.flows.count_provider_accounts(&by, None);
    counts.await.unwrap().mapped
}

/// The number after a word on a button.
fn number(text: &str) -> u64 {
    text.split(' ').next_back().unwrap().parse().unwrap()
}

#[actix_web::test]
async fn a_person_makes_a_plan_applies_one_mapping_then_all_and_undoes_it() {
    let service = Service::matching(AutoMatchMode::Off).await;
    let browser = Browser::open().await.unwrap();
    service.sign_in(&browser, Role::Provisioning).await;
    service.open(&browser, "/match-plans").await;
    assert!(
        text(&browser, "main")
            .await
            .contains("There is no plan yet.")
    );
    browser.assert_fit_for_everyone("no-plan").await.unwrap();
    submit(&browser, "main button.primary").await;
    service.work().await;
    service.open(&browser, "/match-plans").await;
    browser.assert_fit_for_everyone("plans").await.unwrap();
    press(&browser, ".choices a").await;

    let all = text(&browser, "main button.primary").await;
    assert!(all.starts_with("Apply all "), "{all}");
    let all = number(&all);
    assert!(all > 3, "{all} to map");
    let shown = browser
        .page
        .find_all(By::Css(".choices > li"))
        .await
        .unwrap();
    assert_eq!(shown.len() as u64, all);
    assert!(
        !text(&browser, ".choices .reasons").await.is_empty(),
        "each says why"
    );
    assert_eq!(mapped(&service).await, 0, "a plan maps nothing");
    browser.assert_fit_for_everyone("plan").await.unwrap();

    submit(&browser, ".choices > li button").await;
    service.work().await;
    assert_eq!(mapped(&service).await, 1);
    browser.page.refresh().await.unwrap();
    let left = text(&browser, "main button.primary").await;
    assert_eq!(number(&left), all - 1);

    submit(&browser, "main button.primary").await;
    service.work().await;
    assert_eq!(mapped(&service).await, all);
    browser.page.refresh().await.unwrap();
    let undo = text(&browser, "#undo").await;
    assert_eq!(undo, format!("Undo {all}"));
    assert!(
        browser
            .page
            .find(By::Css("main button.primary"))
            .await
            .is_err()
    );
    browser
        .assert_fit_for_everyone("plan-applied")
        .await
        .unwrap();

    submit(&browser, "#undo").await;
    service.work().await;
    assert_eq!(mapped(&service).await, 0);
    browser.page.refresh().await.unwrap();
    assert!(
        text(&browser, "main")
            .await
            .contains(&format!("{all} undone"))
    );
    assert!(browser.page.find(By::Id("undo")).await.is_err());
    browser.close().await.unwrap();
    service.stop().await;
}
