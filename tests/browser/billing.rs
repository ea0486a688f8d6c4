//! The pages of billing as people use them: exceptions, a contract from preview to report, jobs and schedules; and what a
//! reader gets of them.

use provider_bridge::app::open::operator;
use provider_bridge::domain::billing_contract::{BillingContract, BillingPolicy, Frequency};
use provider_bridge::domain::caller::Role;
use provider_bridge::domain::mapping::MappingState;
use provider_bridge::domain::money::Currency;
use provider_bridge::domain::setting::AutoMatchMode;
use provider_bridge::domain::subscription::Subscription;
use provider_bridge::flows::billing_contracts::{ContractChange, NewContract};
use provider_bridge::flows::subscriptions::reading::Filter as SubscriptionFilter;
use provider_bridge::simulator::{Change, SubscriptionChange};
use provider_bridge::store::provider_accounts::Filter;
use serde_json::json;
use thirtyfour::prelude::*;

use crate::chromium::Browser;
use crate::pages::{Service, press, submit, text, wait_for};

async fn count(browser: &Browser, selector: &str) -> usize {
    let found = browser.page.find_all(By::Css(selector)).await;
    found.unwrap().len()
}

async fn follow(browser: &Browser, words: &str) {
    let link = wait_for(browser, By::PartialLinkText(words)).await.unwrap();
    link.click().await.unwrap();
}

/// Reads every subscription of the provider, so that those without a contract are exceptions.
async fn sync(service: &Service) {
    let by = operator();
    let flows = &service.running.flows;
    let asked = flows.request_subscription_sync(&by, service.provider);
    asked.await.unwrap();
    service.work().await;
}

/// A contract of a mapped account whose customer has several subscriptions.
async fn contract(service: &Service) -> (BillingContract, Vec<Subscription>) {
    let (flows, by) = (&service.running.flows, operator());
    let mapped = Filter {
        state: Some(MappingState::Mapped),
        ..Filter::default()
    };
    let customers = flows.list_provider_accounts(&by, &mapped, None, 100).await;
    for customer in customers.unwrap().accounts {
        let filter = SubscriptionFilter {
            provider_account: Some(customer.id),
            ..SubscriptionFilter::default()
        };
        let (held, _) = flows
            .list_subscriptions(&by, &filter, None, 9)
            .await
            .unwrap();
        if held.len() < 2 {
            continue;
        }
        let new = NewContract {
            account_id: customer.mapping.account_id().unwrap(),
            name: "Cloud services".to_owned(),
            frequency: Frequency::Monthly,
            policy: BillingPolicy::Advance,
            currency: held[0]
                .listed
                .currency
                .unwrap_or_else(|| Currency::parse("EUR").unwrap()),
            start_date: "2026-01-01".parse().unwrap(),
            more: ContractChange {
                is_default: Some(false),
                ..ContractChange::default()
            },
        };
        let made = flows.create_billing_contract(&by, new).await.unwrap();
        return (made, held);
    }
    panic!("no mapped customer has several subscriptions")
}

/// Somebody changes a quantity in the provider's portal.
async fn change_quantity(service: &Service, of: &Subscription, quantity: u32) {
    let (flows, by) = (&service.running.flows, operator());
    let customer = flows
        .get_provider_account(&by, of.provider_account_id)
        .await;
    let change = SubscriptionChange {
        customer: customer.unwrap().external_id,
        subscription: Some(of.listed.external_id.to_string()),
        fields: json!({ "quantity": quantity }).as_object().cloned(),
    };
    let world = service.simulator.world();
    world.change(Change::ChangeSubscription(change)).unwrap();
}

/// Opens the form of the first exception, and gives a reason.
async fn give_reason(browser: &Browser, reason: &str) {
    press(browser, "#exceptions > li summary").await;
    let field = wait_for(browser, By::Css("#exceptions > li input[name=reason]"));
    field.await.unwrap().send_keys(reason).await.unwrap();
}

/// The first exception: without a reason nobody is helped, with one it is shown who cares.
async fn take_care(browser: &Browser) {
    press(browser, "#exceptions > li summary").await;
    submit(browser, "#exceptions > li button[value=acknowledge]").await;
    let refused = text(browser, "[role=alert]").await;
    assert!(refused.contains("Say why"), "{refused}");
    give_reason(browser, "asked <sales> to map it").await;
    let fit = browser.assert_fit_for_everyone("exception-open");
    fit.await.unwrap();
    submit(browser, "#exceptions > li button[value=acknowledge]").await;
    let done = text(browser, "[role=status]").await;
    assert!(done.contains("You take care of it"), "{done}");
    let first = text(browser, "#exceptions > li .what").await;
    assert!(
        first.contains("Jo Doe takes care of it: asked <sales> to map it"),
        "{first}"
    );
}

/// The first exception goes off the list, and is among all of its kind.
async fn put_off(browser: &Browser) {
    let form = wait_for(browser, By::Css("#exceptions > li form")).await;
    let action = form.unwrap().attr("action").await.unwrap().unwrap();
    let same = format!("#exceptions form[action='{action}']");
    give_reason(browser, "next week").await;
    submit(browser, "#exceptions > li button[value=snooze]").await;
    let done = text(browser, "[role=status]").await;
    assert!(done.contains("It is put off"), "{done}");
    assert_eq!(count(browser, &same).await, 0);
    // The rail has an "All" of its own.
    press(browser, ".chip[href*='care=all']").await;
    let all = ".chip[aria-current][href*='care=all'][href*='kind=']";
    wait_for(browser, By::Css(all)).await.unwrap();
    assert_eq!(count(browser, &same).await, 1, "the kind is kept");
    assert!(text(browser, "#exceptions").await.contains("put off until"));
}

#[actix_web::test]
async fn exceptions_are_counted_filtered_and_cared_for() {
    let service = Service::start().await;
    let browser = Browser::open().await.unwrap();
    service.sign_in(&browser, Role::Provisioning).await;
    sync(&service).await;
    service.open(&browser, "/exceptions").await;
    let kinds = text(&browser, "#kinds").await;
    assert!(kinds.contains("Subscription without customer"), "{kinds}");
    assert!(count(&browser, "#kinds tbody tr").await > 1);
    browser.assert_fit_for_everyone("exceptions").await.unwrap();

    follow(&browser, "Subscription without customer").await;
    wait_for(&browser, By::Id("every-kind")).await.unwrap();
    assert!(count(&browser, "#exceptions > li").await > 1);
    let first = text(&browser, "#exceptions > li .what").await;
    assert!(
        first.starts_with("Subscription without customer"),
        "{first}"
    );
    assert!(
        first.contains("To mend it: Map the provider account"),
        "{first}"
    );

    take_care(&browser).await;
    put_off(&browser).await;

    // The link leads to where it is mended, and to why.
    follow(&browser, "Go there").await;
    let checks = text(&browser, "#checks").await;
    assert!(checks.contains("✓ ") && checks.contains("! "), "{checks}");
    browser
        .assert_fit_for_everyone("subscription")
        .await
        .unwrap();
    browser.close().await.unwrap();
    service.stop().await;
}

#[actix_web::test]
async fn without_an_exception_the_page_says_what_to_expect() {
    let service = Service::matching(AutoMatchMode::Off).await;
    let browser = Browser::open().await.unwrap();
    service.sign_in(&browser, Role::Reader).await;
    service.open(&browser, "/exceptions").await;
    let empty = text(&browser, ".empty").await;
    assert!(
        empty.starts_with("Nothing stands in the way of the next invoice"),
        "{empty}"
    );
    assert_eq!(count(&browser, "#kinds").await, 0);
    browser
        .assert_fit_for_everyone("no-exceptions")
        .await
        .unwrap();
    for (path, says) in [
        ("/billing-contracts", "There is no open billing contract"),
        (
            "/subscription-sync-runs",
            "No subscriptions were synced yet",
        ),
    ] {
        service.open(&browser, path).await;
        assert!(text(&browser, ".empty").await.contains(says));
    }
    browser.close().await.unwrap();
    service.stop().await;
}

/// From the list to one contract, whose automation is changed.
async fn find_and_automate(service: &Service, browser: &Browser, contract: &BillingContract) {
    service.open(browser, "/billing-contracts").await;
    browser.assert_fit_for_everyone("contracts").await.unwrap();
    follow(browser, &contract.account_name).await;
    let heading = format!("Billing contracts of {}", contract.account_name);
    wait_for(browser, By::XPath(format!("//h1[.=\"{heading}\"]")))
        .await
        .unwrap();
    follow(browser, "Cloud services").await;
    wait_for(browser, By::Id("automation")).await.unwrap();
    press(browser, "#automation input[name=charge]").await;
    submit(browser, "#automation button").await;
    assert!(
        text(browser, "[role=status]")
            .await
            .contains("automation is kept")
    );
    let kept = wait_for(browser, By::Css("#automation input[name=charge]"))
        .await
        .unwrap();
    assert!(kept.is_selected().await.unwrap());
}

/// What was held is offered; one is left out.
async fn take_over_all_but_one(browser: &Browser, held: &[Subscription]) {
    submit(browser, "#preview").await;
    wait_for(browser, By::Id("attached")).await.unwrap();
    assert_eq!(count(browser, "#attached input[name=id]").await, held.len());
    browser.assert_fit_for_everyone("preview").await.unwrap();
    press(browser, "#attached li:first-child input[name=id]").await;
    submit(browser, "#proceed button.primary").await;
    let applied = text(browser, "#applied").await;
    assert!(
        applied.starts_with(&format!("{} subscription", held.len() - 1)),
        "{applied}"
    );
    browser.assert_fit_for_everyone("proceeded").await.unwrap();
    follow(browser, "See the report").await;
    let lines = text(browser, "#lines").await;
    assert!(lines.contains("✓ attached"), "{lines}");
}

/// A quantity is changed in the portal: the preview shows the field. It changes again before anybody proceeds, and back.
async fn preview_a_change(
    service: &Service,
    browser: &Browser,
    contract: &BillingContract,
    changed: &Subscription,
) {
    change_quantity(service, changed, 4321).await;
    service
        .open(browser, &format!("/billing-contracts/{}", contract.id))
        .await;
    browser.assert_fit_for_everyone("contract").await.unwrap();
    submit(browser, "#preview").await;
    let said = text(browser, "#changed").await;
    let quantity = changed.listed.quantity;
    assert!(
        said.contains(&format!("quantity: {quantity} → 4321")),
        "{said}"
    );
    browser
        .assert_fit_for_everyone("preview-changed")
        .await
        .unwrap();
    let preview = browser.page.current_url().await.unwrap();
    change_quantity(service, changed, 5432).await;
    for box_of in browser
        .page
        .find_all(By::Css("#proceed input[name=id]"))
        .await
        .unwrap()
    {
        let id = box_of.attr("value").await.unwrap().unwrap();
        if id != changed.listed.external_id.to_string() {
            box_of.click().await.unwrap();
        }
    }
    submit(browser, "#proceed button.primary").await;
    let problem = text(browser, "#problem").await;
    assert!(problem.contains("make a new preview"), "{problem}");
    change_quantity(service, changed, 4321).await;
    browser.page.goto(preview.as_str()).await.unwrap();
}

/// The report tells the field, who, and how; as CSV too.
async fn read_the_report(browser: &Browser, changed: &Subscription) {
    let quantity = changed.listed.quantity;
    follow(browser, "See the report").await;
    let lines = text(browser, "#lines").await;
    for told in ["quantity", "4321", &quantity.to_string()] {
        assert!(lines.contains(told), "{told} in {lines}");
    }
    let run = text(browser, "#run").await;
    assert!(run.contains("by hand, by Jo Doe"), "{run}");
    browser.assert_fit_for_everyone("report").await.unwrap();
    let csv = "return fetch(document.getElementById('csv').href).then(answer => answer.text())";
    let csv = browser.page.execute(csv, vec![]).await.unwrap();
    let csv = csv.json().as_str().unwrap().to_owned();
    assert!(
        csv.starts_with("at,source,by,") && csv.contains(",quantity,"),
        "{csv}"
    );
    follow(browser, "Sync reports").await;
    assert!(count(browser, "#runs tbody tr").await >= 3);
    browser.assert_fit_for_everyone("reports").await.unwrap();
}

#[actix_web::test]
async fn a_contract_is_synced_from_preview_to_report() {
    let service = Service::start().await;
    sync(&service).await;
    let (contract, held) = contract(&service).await;
    let browser = Browser::open().await.unwrap();
    service.sign_in(&browser, Role::Admin).await;
    find_and_automate(&service, &browser, &contract).await;
    take_over_all_but_one(&browser, &held).await;
    let changed = held.last().unwrap();
    preview_a_change(&service, &browser, &contract, changed).await;
    submit(&browser, "#proceed button.primary").await;
    read_the_report(&browser, changed).await;
    browser.close().await.unwrap();
    service.stop().await;
}

#[actix_web::test]
async fn jobs_are_cancelled_and_asked_for_again_and_schedules_turned() {
    let service = Service::start().await;
    let (flows, by) = (&service.running.flows, operator());
    service.sync_subscriptions_nightly().await;
    flows
        .request_subscription_sync(&by, service.provider)
        .await
        .unwrap();
    let browser = Browser::open().await.unwrap();
    service.sign_in(&browser, Role::Admin).await;
    service.open(&browser, "/jobs").await;
    let waiting = text(&browser, "#jobs > li .what").await;
    assert!(
        waiting.contains("Sync subscriptions of Partner Center ○ waiting"),
        "{waiting}"
    );
    browser.assert_fit_for_everyone("jobs").await.unwrap();
    submit(&browser, "#jobs .cancel").await;
    wait_for(
        &browser,
        By::XPath("//*[@id='jobs']/li[1][contains(., '– cancelled')]"),
    )
    .await
    .unwrap();
    submit(&browser, "#jobs > li:first-child button").await;
    wait_for(
        &browser,
        By::XPath("//*[@id='jobs']/li[1][contains(., '○ waiting')]"),
    )
    .await
    .unwrap();
    service.work().await;
    // The page notices by itself.
    wait_for(
        &browser,
        By::XPath("//*[@id='jobs']/li[1][contains(., '✓ succeeded')]"),
    )
    .await
    .unwrap();

    let schedules = text(&browser, "#schedules").await;
    assert!(schedules.contains("0 3 * * * Europe/Zurich"), "{schedules}");
    submit(&browser, "#schedules .turn").await;
    wait_for(
        &browser,
        By::XPath("//*[@id='schedules']/li[contains(., '– off')]"),
    )
    .await
    .unwrap();
    let known = flows.list_schedules(&by).await.unwrap();
    let known = known.iter().filter(|it| it.work.provider_id().is_some());
    assert!(known.clone().count() == 1 && known.clone().all(|it| !it.enabled));
    browser.close().await.unwrap();

    // A reader sees all of it, and no button.
    let reader = Browser::open().await.unwrap();
    service.sign_in(&reader, Role::Reader).await;
    let (contract, _) = contract(&service).await;
    for path in [
        "/jobs".to_owned(),
        "/exceptions".to_owned(),
        format!("/billing-contracts/{}", contract.id),
    ] {
        service.open(&reader, &path).await;
        wait_for(&reader, By::Css("main h1")).await.unwrap();
        assert_eq!(count(&reader, "main form").await, 0, "{path}");
    }
    reader.close().await.unwrap();
    service.stop().await;
}
