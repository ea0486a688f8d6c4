//! Lists on pages are leafed through to the end: each row is met once and none is lost, also where many are alike in what they
//! are sorted by; and a preview that is longer than a page is taken over whole.

use std::collections::BTreeMap;

use provider_bridge::domain::caller::Role;
use provider_bridge::domain::ids::SubscriptionRunId;
use provider_bridge::domain::subscription::ListedSubscription;
use provider_bridge::domain::subscription_run::{RunSource, SubscriptionCounts, SubscriptionRun};
use provider_bridge::domain::sync_run::RunOutcome;
use provider_bridge::store::subscription_runs;
use serde_json::json;

use super::subscriptions::{Desk, texts};
use crate::support::fake_provider::listed;
use crate::support::pages::{Person, between};

fn many(count: usize) -> Vec<ListedSubscription> {
    let ids = (0..count).map(|nth| format!("s-{nth:03}"));
    ids.map(|id| listed(&id, "1")).collect()
}

fn each(rows: &BTreeMap<String, usize>, times: usize) -> bool {
    rows.values().all(|met| *met == times)
}

/// Runs that began at the same instant.
async fn add_runs(desk: &Desk, count: usize) {
    let (context, store) = (&desk.app.context, &desk.app.flows.store);
    let tx = store.begin().await.unwrap();
    for _ in 0..count {
        let run = SubscriptionRun {
            id: SubscriptionRunId::new(context.new_uuid()),
            source: RunSource::Manual,
            provider_id: None,
            contract_id: None,
            job_id: None,
            preview_id: None,
            requested_by: "Ada".to_owned(),
            started_at: context.now(),
            finished_at: Some(context.now()),
            outcome: RunOutcome::Complete,
            counts: SubscriptionCounts::default(),
            note: None,
        };
        subscription_runs::keep(&tx, &run).await.unwrap();
    }
    tx.commit().await.unwrap();
}

crate::on_both_engines! {
    async fn next_page_leads_through_every_row_once(store: TestStore) {
        let desk = Desk::of(&store, &["C1"]).await;
        desk.provider.set("C1", many(230));
        desk.sync().await;
        let person = Person::with(&desk.app, Role::Admin).await;
        let every = "/exceptions?kind=subscription-without-customer";
        let (rows, pages) = person.leafed_through(every, "action=\"/exceptions/").await;
        assert_eq!((rows.len(), pages, each(&rows, 1)), (230, 5, true), "raised at one instant");

        let run = texts(&desk.get("/v1/subscription-sync-runs").await.body["value"], "syncRunId").remove(0);
        let report = format!("/subscription-sync-runs/{run}");
        let (rows, pages) = person.leafed_through(&report, "<a href=\"/subscriptions/").await;
        assert_eq!((rows.len(), pages, each(&rows, 2)), (230, 3, true), "each is new, and held");

        add_runs(&desk, 119).await;
        let (rows, pages) = person.leafed_through("/subscription-sync-runs", "<a href=\"/subscription-sync-runs/").await;
        assert_eq!((rows.len(), pages, each(&rows, 1)), (120, 3, true));

        for (account, name) in (0..120).map(|nth| (1 + nth % 2, format!("Contract {}", nth / 2))) {
            desk.contract(account, &name, json!({ "isDefault": false })).await;
        }
        let contract = "<a href=\"/billing-contracts/";
        let (rows, pages) = person.leafed_through("/billing-contracts", contract).await;
        assert_eq!((rows.len(), pages, each(&rows, 1)), (120, 3, true), "each name twice");
        let of_one = format!("/billing-contracts?account={}", super::subscriptions::account_id(2));
        let (rows, pages) = person.leafed_through(&of_one, contract).await;
        assert_eq!((rows.len(), pages, each(&rows, 1)), (60, 2, true), "the filter goes along");
    }

    async fn a_preview_that_is_longer_than_its_page_is_taken_over_in_part_or_whole(store: TestStore) {
        let desk = Desk::of(&store, &["C1"]).await;
        desk.map(0, 1).await;
        let contract = desk.contract(1, "Cloud", json!({})).await;
        desk.provider.set("C1", many(230));
        let person = Person::with(&desk.app, Role::Admin).await;
        let preview = async || {
            let made = person.post(&format!("/billing-contracts/{contract}/preview"), &[]).await;
            assert_eq!(made.status, 303, "{made:?}");
            made.header("location").to_owned()
        };
        let kept = async || desk.get("/v1/subscriptions?$top=500").await.body["value"].as_array().unwrap().len();
        let path = preview().await;
        let page = person.get(&path).await.text;
        assert!(page.contains("200 of 230 shown") && page.contains("Proceed with all 230"), "{page}");
        assert_eq!(page.matches("name=\"id\"").count(), 200);
        let some = [("id", "s-000"), ("id", "s-199"), ("what", "selected")];
        let done = person.post(&format!("{path}/proceed"), &some).await;
        assert_eq!(between(&done.text, "id=\"applied\">", "<"), Some("2 subscriptions taken over."), "{done:?}");
        assert_eq!(kept().await, 2);

        // One cannot be ticked because it is not shown: all is meant.
        let path = preview().await;
        let all = [("id", "s-001"), ("what", "all")];
        let done = person.post(&format!("{path}/proceed"), &all).await;
        assert_eq!(between(&done.text, "id=\"applied\">", "<"), Some("228 subscriptions taken over."), "{done:?}");
        assert_eq!(kept().await, 230);
    }
}
