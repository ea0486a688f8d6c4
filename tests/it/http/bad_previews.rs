//! What can be wrong with a sync from a contract, each with its reason in the answer and in the report, and what was good kept
//! (D2, D3): other currencies, half an answer, customers that leave, subscriptions that vanish, accounts that lose their mapping.
//! What is refused outright, a foreign id, a closed contract, an unmapped account, is in `subscriptions`.

use provider_bridge::domain::caller::Role;
use provider_bridge::domain::ports::provider::SubscriptionListing;
use reqwest::Method;
use serde_json::{Value, json};

use super::subscriptions::{Desk, texts};
use crate::support::app::Answer;
use crate::support::fake_provider::{costing, listed};
use crate::support::pages::Person;
use crate::support::stores::TestStore;

/// The lines of the report that a decision led to.
async fn report(desk: &Desk, done: &Answer) -> Vec<Value> {
    let run = done.body["run"]["syncRunId"].as_str().unwrap();
    let path = format!("/v1/subscription-sync-runs/{run}/report");
    desk.get(&path).await.body["value"]
        .as_array()
        .unwrap()
        .clone()
}

fn message_of(lines: &[Value], kind: &str, external_id: Option<&str>) -> String {
    let of = |line: &&Value| {
        line["kind"] == kind && line.get("externalId").and_then(Value::as_str) == external_id
    };
    let line = lines.iter().find(of);
    let line = line.unwrap_or_else(|| panic!("no {kind} line about {external_id:?}: {lines:?}"));
    line["message"].as_str().unwrap_or_default().to_owned()
}

/// Customers C1 and C2, both mapped to the account of one contract, with one subscription each; and its preview.
async fn of_two_customers(store: &TestStore) -> (Desk, Answer) {
    let desk = Desk::of(store, &["C1", "C2"]).await;
    desk.map(0, 1).await;
    desk.map(1, 1).await;
    let contract = desk.contract(1, "Cloud", json!({})).await;
    desk.provider.set("C1", vec![listed("s-1", "5")]);
    desk.provider.set("C2", vec![listed("t-1", "4")]);
    let preview = desk.preview(&contract).await;
    (desk, preview)
}

crate::on_both_engines! {
    async fn another_currency_never_comes_into_the_contract_and_the_rest_does(store: TestStore) {
        let desk = Desk::of(&store, &["C1"]).await;
        desk.map(0, 1).await;
        let contract = desk.contract(1, "Cloud", json!({})).await;
        desk.provider.set("C1", vec![
            costing(listed("s-1", "5"), "3", "EUR"), costing(listed("s-2", "2"), "4", "CHF"), costing(listed("s-3", "1"), "5", "USD"),
        ]);
        let dollars = desk.contract(1, "Cloud US", json!({ "currency": "USD" })).await;
        let preview = desk.preview(&contract).await;
        let items = &preview.body["items"];
        assert_eq!((&items[0]["attaches"], &items[1]["attaches"]), (&json!(true), &json!(false)), "{preview:?}");
        let note = items[1]["note"].as_str().unwrap();
        assert!(note.contains("costs CHF") && note.contains("is in EUR"), "{note}");
        assert_eq!(items[0].get("note"), None);
        let done = desk.proceed(&preview, json!({})).await;
        assert_eq!((done.status, &done.body["applied"], &done.body["run"]["held"]), (200, &json!(3), &json!(1)), "{done:?}");
        let kept = desk.subscriptions().await;
        let seats = texts(&json!(kept), "billingContractId");
        assert_eq!(seats, [contract.clone(), String::new(), dollars], "{kept:?}");
        let held = message_of(&report(&desk, &done).await, "held", Some("s-2"));
        assert!(held.contains("no default billing contract in its currency"), "{held}");

        // Once there, the currency of the contract stays.
        let path = format!("/v1/billing-contracts/{contract}");
        let refused = desk.app.send(Method::PATCH, &desk.key, &path, &json!({ "currency": "CHF" })).await;
        assert_eq!((refused.status, refused.code()), (422, "rule-violated"), "{refused:?}");
        assert!(refused.body["detail"].as_str().unwrap().starts_with("`currency` stays EUR"), "{refused:?}");
    }

    async fn half_an_answer_says_so_takes_nothing_for_gone_and_keeps_what_came(store: TestStore) {
        let desk = Desk::of(&store, &["C1"]).await;
        desk.map(0, 1).await;
        let contract = desk.contract(1, "Cloud", json!({})).await;
        desk.provider.set("C1", vec![listed("s-1", "5"), listed("s-2", "3")]);
        desk.sync().await;
        let half = SubscriptionListing { subscriptions: vec![listed("s-1", "6")], unreadable: Vec::new(), complete: false };
        desk.provider.answer("C1", Ok(half));
        let preview = desk.preview(&contract).await;
        assert_eq!(texts(&preview.body["items"], "kind"), ["changed"], "{preview:?}");
        let why = preview.body["failures"][0]["message"].as_str().unwrap();
        assert!(why.contains("more subscriptions than it sent"), "{why}");
        let done = desk.proceed(&preview, json!({})).await;
        assert_eq!((done.status, &done.body["applied"], &done.body["run"]["gone"]), (200, &json!(1), &json!(0)), "{done:?}");
        let lines = report(&desk, &done).await;
        assert!(message_of(&lines, "failed", None).contains("none is taken for gone"), "{lines:?}");
        assert!(lines.iter().any(|line| line["field"] == "quantity" && line["new"] == "6"), "{lines:?}");
        let kept = desk.subscriptions().await;
        let quantities: Vec<_> = kept.iter().map(|it| it["quantity"].as_f64()).collect();
        assert_eq!(quantities, [Some(6.0), Some(3.0)]);
        assert!(kept.iter().all(|it| it.get("goneSince").is_none()), "{kept:?}");
    }

    async fn what_changes_or_vanishes_after_the_preview_is_in_answer_and_report(store: TestStore) {
        let (desk, contract, done) = Desk::overtaken(&store).await;
        assert_eq!((done.status, &done.body["run"]["outcome"]), (200, &json!("incomplete")), "{done:?}");
        let reasons = texts(&done.body["changedSince"], "reason");
        assert!(reasons[1].contains("the provider has it no more"), "{reasons:?}");
        let lines = report(&desk, &done).await;
        let changed = message_of(&lines, "failed", Some("s-1"));
        assert!(changed.contains("Product s-1 changed after the preview"), "{changed}");
        let vanished = message_of(&lines, "failed", Some("s-2"));
        assert!(vanished.contains("has Product s-2 no more"), "{vanished}");
        assert!(message_of(&lines, "failed", None).contains("20002"), "{lines:?}");
        assert_eq!(texts(&json!(desk.subscriptions().await), "externalId"), ["s-3"], "what was good is kept");

        // The same on the page: who left is named with the provider's words before anybody proceeds.
        let person = Person::with(&desk.app, Role::Admin).await;
        let made = person.post(&format!("/billing-contracts/{contract}/preview"), &[]).await;
        let page = person.get(made.header("location")).await.text;
        assert!(page.contains("! C2</span>: No relationship any more (20002)."), "{page}");
    }

    async fn a_customer_that_is_mapped_elsewhere_while_it_is_read_comes_into_no_contract_of_before(store: TestStore) {
        let (desk, preview) = of_two_customers(&store).await;
        let gate = desk.provider.gate();
        let (done, ()) = tokio::join!(desk.proceed(&preview, json!({})), gate.during_the_call(desk.map(0, 2)));
        assert_eq!((done.status, &done.body["applied"], &done.body["run"]["outcome"]), (200, &json!(1), &json!("incomplete")), "{done:?}");
        assert_eq!(texts(&done.body["unread"], "externalId"), ["s-1"], "{done:?}");
        assert_eq!(texts(&json!(desk.subscriptions().await), "externalId"), ["t-1"]);
        let lines = report(&desk, &done).await;
        let why = message_of(&lines, "failed", None);
        assert!(why.contains("C1 is no longer mapped to the account of the billing contract"), "{lines:?}");
    }

    async fn a_customer_that_loses_its_mapping_before_it_is_read_is_in_the_report(store: TestStore) {
        let (desk, preview) = of_two_customers(&store).await;
        desk.map(1, 2).await;
        let done = desk.proceed(&preview, json!({})).await;
        assert_eq!((&done.body["applied"], texts(&done.body["unread"], "externalId")), (&json!(1), vec!["t-1".to_owned()]), "{done:?}");
        let why = message_of(&report(&desk, &done).await, "failed", None);
        assert!(why.contains("C2 is no longer mapped to the account of the billing contract"), "{why}");
    }

    async fn a_contract_that_is_closed_while_customers_are_read_takes_nothing(store: TestStore) {
        let desk = Desk::of(&store, &["C1"]).await;
        desk.map(0, 1).await;
        let contract = desk.contract(1, "Cloud", json!({})).await;
        desk.provider.set("C1", vec![listed("s-1", "5")]);
        let preview = desk.preview(&contract).await;
        let gate = desk.provider.gate();
        let close = async {
            let path = format!("/v1/billing-contracts/{contract}/closing");
            assert_eq!(desk.post(&path, json!({ "reason": "moved" })).await.status, 200);
        };
        let (refused, ()) = tokio::join!(desk.proceed(&preview, json!({})), gate.during_the_call(close));
        assert_eq!((refused.status, refused.code()), (409, "conflict"), "{refused:?}");
        assert!(refused.body["detail"].as_str().unwrap().contains("was closed on"), "{refused:?}");
        assert!(desk.subscriptions().await.is_empty());
    }

    async fn an_account_that_loses_its_mapping_after_the_preview_is_named(store: TestStore) {
        let desk = Desk::of(&store, &["C1"]).await;
        desk.map(0, 1).await;
        let contract = desk.contract(1, "Cloud", json!({})).await;
        desk.provider.set("C1", vec![listed("s-1", "5")]);
        let preview = desk.preview(&contract).await;
        let path = format!("/v1/provider-accounts/{}/mapping", desk.customers[0]);
        let unmapped = desk.app.send(Method::DELETE, &desk.key, &path, &json!({})).await;
        assert_eq!(unmapped.status, 200, "{unmapped:?}");
        let refused = desk.proceed(&preview, json!({})).await;
        assert_eq!((refused.status, refused.code()), (422, "rule-violated"), "{refused:?}");
        assert!(refused.body["detail"].as_str().unwrap().contains("mapped to account Contoso Ltd"), "{refused:?}");
        let person = Person::with(&desk.app, Role::Admin).await;
        let page = person.post(&format!("/billing-contracts/{contract}/preview"), &[]).await;
        assert!(page.status == 422 && page.text.contains("No provider account that may be synced is mapped"), "{page:?}");
    }
}
