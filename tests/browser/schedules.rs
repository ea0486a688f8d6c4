//! Schedules as an administrator keeps them, and the rail, whose counts and menu are on every page.

use provider_bridge::app::open::operator;
use provider_bridge::domain::caller::Role;
use thirtyfour::prelude::*;

use crate::chromium::{Browser, NARROW, WIDE};
use crate::pages::{Service, press, submit, text, wait_for};

async fn write(browser: &Browser, field: &str, what: &str) {
    let found = wait_for(browser, By::Css(format!("#schedule #{field}")));
    let found = found.await.unwrap();
    found.clear().await.unwrap();
    found.send_keys(what).await.unwrap();
}

/// What is no expression or zone is refused with words, and stays as it was typed.
async fn mistype(browser: &Browser) {
    for (field, wrong, right, said) in [
        ("cron", "99 3 * * *", "30 4 * * 1-5", "five fields"),
        ("time_zone", "Mars/Base", "Europe/Berlin", "no time zone"),
    ] {
        write(browser, field, wrong).await;
        submit(browser, "#save").await;
        let problem = text(browser, "#problem").await;
        assert!(
            problem.contains(wrong) && problem.contains(said),
            "{problem}"
        );
        let kept = wait_for(browser, By::Css(format!("#{field}[aria-invalid]")));
        let kept = kept.await.unwrap().value().await.unwrap();
        assert_eq!(kept.as_deref(), Some(wrong));
        browser
            .assert_fit_for_everyone("schedule-refused")
            .await
            .unwrap();
        write(browser, field, right).await;
    }
}

#[actix_web::test]
async fn a_schedule_is_changed_and_a_fixed_one_says_who_sets_it() {
    let service = Service::start().await;
    let (flows, by) = (&service.running.flows, operator());
    let kept = service.sync_subscriptions_nightly().await;
    let browser = Browser::open().await.unwrap();
    service.sign_in(&browser, Role::Admin).await;
    service.open(&browser, "/jobs").await;
    let all = text(&browser, "#schedules").await;
    assert!(
        all.contains("follows the setting dataverse.refresh"),
        "{all}"
    );
    assert!(all.contains("fixed in the program"), "{all}");
    submit(
        &browser,
        &format!("a.button[href='/schedules/{}']", kept.id),
    )
    .await;
    let runs = text(&browser, "#runs").await;
    assert!(runs.contains("03:00 CE"), "in the zone's clock: {runs}");
    mistype(&browser).await;
    submit(&browser, "#save").await;
    assert!(text(&browser, "[role=status]").await.contains("is changed"));
    let runs = text(&browser, "#runs").await;
    assert!(
        runs.contains("04:30 CE") && !runs.contains("Sunday"),
        "{runs}"
    );
    browser.assert_fit_for_everyone("schedule").await.unwrap();
    let known = flows.get_schedule(&by, kept.id).await.unwrap();
    assert_eq!(
        (known.cron.as_str(), known.time_zone.as_str(), known.enabled),
        ("30 4 * * 1-5", "Europe/Berlin", true)
    );

    // One that the program keeps has no form; it can be run now.
    let others = flows.list_schedules(&by).await.unwrap();
    let fixed = others.iter().find(|it| it.work.kind() == "sweep").unwrap();
    service
        .open(&browser, &format!("/schedules/{}", fixed.id))
        .await;
    assert!(
        text(&browser, ".facts")
            .await
            .contains("fixed in the program")
    );
    assert!(browser.page.find(By::Id("schedule")).await.is_err());
    submit(&browser, ".head button").await;
    let jobs = text(&browser, "#jobs").await;
    assert!(jobs.contains("Sweep"), "{jobs}");
    browser.close().await.unwrap();
    service.stop().await;
}

#[actix_web::test]
async fn the_rail_counts_exceptions_everywhere_and_is_a_menu_on_a_telephone() {
    let service = Service::start().await;
    let (flows, by) = (&service.running.flows, operator());
    let open = flows.count_open_exceptions(&by).await.unwrap();
    assert!(open > 0, "customers are mapped and have no contract");
    let browser = Browser::open().await.unwrap();
    service.sign_in(&browser, Role::Reader).await;
    for path in ["/", "/jobs", "/billing-contracts", "/match-plans"] {
        service.open(&browser, path).await;
        let count = text(&browser, ".rail a[href='/exceptions'] .number").await;
        assert_eq!(count, open.to_string(), "{path}");
    }
    browser.size(NARROW).await.unwrap();
    let place = wait_for(&browser, By::Css(".rail a[href='/exceptions']"));
    let place = place.await.unwrap();
    assert!(!place.is_displayed().await.unwrap(), "it is in the menu");
    press(&browser, ".rail .menu").await;
    assert!(place.is_displayed().await.unwrap());
    browser.screenshot("rail-menu-narrow-light").await.unwrap();
    assert_eq!(browser.sideways_overflow().await.unwrap(), 0);
    let barriers = browser.barriers().await.unwrap();
    assert!(barriers.is_empty(), "{barriers:?}");
    submit(&browser, ".rail a[href='/exceptions']").await;
    wait_for(&browser, By::Css("#kinds")).await.unwrap();
    browser.size(WIDE).await.unwrap();
    let place = wait_for(&browser, By::Css(".rail a[href='/exceptions']"));
    assert!(place.await.unwrap().is_displayed().await.unwrap());
    browser.close().await.unwrap();
    service.stop().await;
}
