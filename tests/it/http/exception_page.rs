//! The page of exceptions over many subscriptions (D6): the rail counts them, and the page takes no longer for hundreds of
//! thousands than for a few.
//!
//! A measurement: `EXCEPTIONS=200000 cargo nextest run --test it --no-capture -E 'test(http::exception_page)'` makes as many
//! subscriptions, each with an exception, and prints medians and maxima of what a browser waits for, on each engine. Without
//! the variable it is a test over a few.

use std::time::{Duration, Instant};

use provider_bridge::domain::caller::Role;
use provider_bridge::domain::ids::{ProductSubscriptionId, ProviderAccountId, ProviderId};
use provider_bridge::domain::provider_account::{ExternalId, ListedCustomer};
use provider_bridge::domain::subscription::{HeldFor, Subscription};
use provider_bridge::store::Engine;
use provider_bridge::store::provider_accounts::sync as customers;
use provider_bridge::store::subscriptions::sync;
use sea_orm::ConnectionTrait;

use super::exception_counts::plan;
use crate::support::app::TestApp;
use crate::support::fake_provider::{costing, listed};
use crate::support::pages::{Person, between};

/// Requests of each kind that are measured.
const TIMES: usize = 20;
/// What a page may take (issue 5).
const ENOUGH: Duration = Duration::from_millis(100);

/// Customers with three subscriptions each; every second subscription has no unit either.
async fn fill(app: &TestApp, many: usize) {
    app.provider_accounts(&["First"]).await;
    let provider: ProviderId = app
        .flows
        .list_providers(&TestApp::operator())
        .await
        .unwrap()[0]
        .id;
    let names: Vec<_> = (0..many.div_ceil(3))
        .map(|nth| format!("Customer {nth}"))
        .collect();
    let mut made: Vec<ProviderAccountId> = Vec::new();
    for names in names.chunks(5000) {
        let listed = names.iter().map(|name| ListedCustomer {
            external_id: ExternalId::parse(name).unwrap(),
            name: name.clone(),
            tenant_id: None,
            default_domain: None,
            relationship: "reseller".to_owned(),
        });
        let tx = app.flows.store.begin().await.unwrap();
        let inserted = customers::insert(&tx, &app.context, provider, listed.collect()).await;
        made.extend(inserted.unwrap().iter().map(|account| account.id));
        tx.commit().await.unwrap();
    }
    let now = app.context.now();
    let subscription = |nth: usize| {
        let mut listed = costing(listed(&format!("s-{nth}"), "5"), "3", "EUR");
        listed.unit = listed.unit.filter(|_| nth.is_multiple_of(2));
        Subscription {
            id: ProductSubscriptionId::new(app.context.new_uuid()),
            provider_id: provider,
            provider_account_id: made[nth / 3],
            listed,
            account_id: None,
            contract_id: None,
            held_for: Some(HeldFor::Mapping),
            selling_price: None,
            first_seen_at: now,
            gone_since: None,
            updated_at: now,
            version: 1,
        }
    };
    for first in (0..many).step_by(5000) {
        let some = (first..many.min(first + 5000)).map(subscription);
        let tx = app.flows.store.begin().await.unwrap();
        sync::write(&tx, some.collect()).await.unwrap();
        tx.commit().await.unwrap();
    }
    app.flows.judge_everything().await.unwrap();
}

/// The median and the longest of what a path takes.
async fn measured(person: &Person<'_>, path: &str) -> (Duration, Duration) {
    let mut took = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        let began = Instant::now();
        let answer = person.get(path).await;
        took.push(began.elapsed());
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
    }
    took.sort_unstable();
    (took[TIMES / 2], took[TIMES - 1])
}

/// The count in the rail.
fn in_rail(page: &str) -> &str {
    let link = between(page, "<a href=\"/exceptions\"", "</a>").unwrap();
    between(link, "<span class=\"number muted\">", "</span>").unwrap()
}

crate::on_both_engines! {
    async fn the_page_and_the_rail_are_as_fast_for_many_as_for_a_few(store: TestStore) {
        let asked: Option<usize> = std::env::var("EXCEPTIONS").ok().map(|many| many.parse().unwrap());
        let many = asked.unwrap_or(300);
        let app = TestApp::start(store.clone()).await;
        fill(&app, many).await;
        if store.engine() == Engine::Postgres {
            store.reader().execute_unprepared("VACUUM ANALYZE").await.unwrap();
        }
        let person = Person::with(&app, Role::Admin).await;
        let first = person.get("/exceptions").await.text;
        let open = many + many / 2;
        assert_eq!(in_rail(&first), open.to_string());
        assert_eq!(in_rail(&person.get("/jobs").await.text), open.to_string(), "on every page");
        let next = first.split("<a ").find(|link| link.contains(">Next page<")).unwrap();
        let next = between(next, "href=\"", "\"").unwrap().replace("&#38;", "&");
        let mut slow = Vec::new();
        // When an age begins in the very hour in which all were raised, counting reads the most.
        for (when, later) in [("just raised", 0), ("a day old", 86_400)] {
            app.clock.advance(Duration::from_secs(later));
            let person = Person::with(&app, Role::Admin).await;
            for path in ["/exceptions", "/exceptions?kind=subscription-without-unit", "/exceptions?care=nobody", "/exceptions?care=all", &next, "/jobs"] {
                let (median, longest) = measured(&person, path).await;
                println!("{:?}, {many} subscriptions, {open} exceptions, {when}: median {median:?}, longest {longest:?}: {path}", store.engine());
                if median > ENOUGH {
                    slow.push((when, path.to_owned(), median));
                }
            }
        }
        assert!(slow.is_empty(), "{slow:?}");
        // PostgreSQL reads a small table whole.
        if store.engine() == Engine::Sqlite {
            for (sql, index) in [
                ("SELECT mapping_state, COUNT(mapping_state) FROM provider_account GROUP BY mapping_state", "COVERING INDEX provider_account_"),
                ("SELECT COUNT(*) FROM (SELECT * FROM provider_account WHERE missing_since IS NOT NULL)", "INDEX provider_account_missing"),
                ("SELECT SUM(change) FROM exception_tally", "COVERING INDEX exception_tally_counted"),
            ] {
                let plan = plan(&store, sql).await;
                assert!(plan.contains(index), "{sql}: {plan}");
            }
        }
    }
}
