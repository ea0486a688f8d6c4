//! After any history of syncs, mappings and contracts: the change log of every subscription adds up to its quantity, and the
//! open exceptions are those that judging everything anew finds (E1, D6).

use std::time::Duration;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use provider_bridge::domain::exception::ExceptionKind;
use provider_bridge::domain::ids::ProductSubscriptionId;
use provider_bridge::store::{exceptions, license_changes, subscriptions};
use serde_json::json;

use super::subscriptions::Desk;
use crate::support::fake_provider::{costing, listed};

/// One thing that happens.
#[derive(Debug, Clone)]
enum Step {
    /// A customer has these licences from now on; none of it with 0.
    Provider(usize, Vec<u32>, bool),
    Sync,
    Map(usize, u128),
    Contract(u128, bool),
    /// So many hours pass, and the regular look is taken.
    Watch(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let quantities = proptest::collection::vec(0_u32..6, 3);
    let step = prop_oneof![
        4 => (0_usize..2, quantities, any::<bool>()).prop_map(|(c, q, cost)| Step::Provider(c, q, cost)),
        4 => Just(Step::Sync),
        2 => (0_usize..2, 1_u128..3).prop_map(|(c, a)| Step::Map(c, a)),
        1 => (1_u128..3, any::<bool>()).prop_map(|(a, list)| Step::Contract(a, list)),
        1 => (1_u64..60).prop_map(Step::Watch),
    ];
    proptest::collection::vec(step, 6..18)
}

async fn happens(desk: &Desk, nth: usize, step: &Step) {
    match step {
        Step::Provider(customer, quantities, cost) => {
            let held = quantities
                .iter()
                .enumerate()
                .filter(|(_, quantity)| **quantity > 0);
            let held = held.map(|(at, quantity)| {
                let found = listed(&format!("s-{customer}-{at}"), &format!("{quantity}.5"));
                if *cost {
                    costing(found, &format!("{quantity}.25"), "EUR")
                } else {
                    found
                }
            });
            desk.provider.set(["C1", "C2"][*customer], held.collect());
        }
        Step::Sync => {
            let job = desk.sync().await;
            assert_eq!(job["state"], "succeeded", "{job}");
        }
        Step::Watch(hours) => {
            desk.app.clock.advance(Duration::from_secs(3600 * hours));
            desk.watch().await;
        }
        Step::Map(customer, account) => desk.map(*customer, *account).await,
        Step::Contract(account, list) => {
            let mut more = json!({ "goLiveDate": "2026-04-01" });
            if *list {
                more["defaultPriceList"] = json!("Standard");
            }
            desk.contract(*account, &format!("Cloud {nth}"), more).await;
        }
    }
}

async fn open(desk: &Desk) -> Vec<(String, String)> {
    let mut open = Vec::new();
    for kind in provider_bridge::domain::exception::ExceptionKind::ALL {
        let subjects = exceptions::open_subjects(desk.app.flows.store.reader(), *kind)
            .await
            .unwrap();
        open.extend(
            subjects
                .into_iter()
                .map(|subject| (kind.name().to_owned(), subject)),
        );
    }
    open.sort();
    open
}

async fn holds(desk: &Desk, history: &[Step]) {
    let reader = desk.app.flows.store.reader();
    let filter = subscriptions::Filter::default();
    let (all, _) = subscriptions::list(reader, &filter, None, 500)
        .await
        .unwrap();
    let ids: Vec<ProductSubscriptionId> = all.iter().map(|it| it.id).collect();
    let sums = license_changes::sums(reader, &ids).await.unwrap();
    for subscription in &all {
        assert_eq!(
            sums.get(&subscription.id),
            Some(&subscription.listed.quantity),
            "after {history:?}"
        );
        assert_eq!(
            subscription.contract_id.is_none(),
            subscription.held_for.is_some(),
            "after {history:?}"
        );
    }
    let before = open(desk).await;
    let counts = desk.get("/v1/exception-counts").await.body["value"].clone();
    let counted = counts.as_array().unwrap().iter().flat_map(|of| {
        let many = usize::try_from(of["open"].as_u64().unwrap()).unwrap();
        std::iter::repeat_n(of["kind"].as_str().unwrap().to_owned(), many)
    });
    let kinds: Vec<_> = before.iter().map(|(kind, _)| kind.clone()).collect();
    assert_eq!(counted.collect::<Vec<_>>(), kinds, "after {history:?}");
    desk.app.flows.judge_everything().await.unwrap();
    let after = open(desk).await;
    let made = |of: &[(String, String)], by_time: bool| -> Vec<_> {
        let kinds = [
            ExceptionKind::StaleSync,
            ExceptionKind::LicenseChangeOverdue,
        ];
        let of = of
            .iter()
            .filter(|(kind, _)| kinds.iter().any(|it| it.name() == kind) == by_time);
        of.cloned().collect()
    };
    assert_eq!(
        made(&after, false),
        made(&before, false),
        "after {history:?}"
    );
    // Time may have made some since the last look; none may be open whose fact is mended.
    let (stale, still) = (made(&before, true), made(&after, true));
    assert!(
        stale.iter().all(|it| still.contains(it)),
        "{stale:?} and {still:?} after {history:?}"
    );
    desk.watch().await;
    assert_eq!(open(desk).await, after, "after {history:?}");
}

crate::on_both_engines! {
    async fn the_change_log_adds_up_and_the_exceptions_are_true_after_any_history(store: TestStore) {
        let mut runner = TestRunner::deterministic();
        let desk = Desk::of(&store, &["C1", "C2"]).await;
        let (mut nth, mut seen) = (0, 0);
        for _ in 0..4 {
            let history = steps().new_tree(&mut runner).unwrap().current();
            for step in &history {
                nth += 1;
                happens(&desk, nth, step).await;
            }
            holds(&desk, &history).await;
            seen += open(&desk).await.len();
        }
        assert!(seen > 0, "a history without any exception shows nothing");
    }
}
