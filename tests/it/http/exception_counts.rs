//! Counting exceptions (D6): right to the second whatever was opened and closed, and as fast for hundreds of thousands as for a
//! few. `EXCEPTIONS=200000` in the environment measures it with that many, and says how long the counts and a page took.

use std::time::{Duration, Instant};

use provider_bridge::domain::exception::{ExceptionKind, NewException};
use provider_bridge::store::exceptions::care::{self, Filter};
use provider_bridge::store::exceptions::tally;
use provider_bridge::store::{Engine, Store, exceptions};
use sea_orm::{ConnectionTrait, Statement};

use crate::support::context::context;

const KINDS: [ExceptionKind; 3] = [
    ExceptionKind::SubscriptionWithoutPrice,
    ExceptionKind::SubscriptionWithoutUnit,
    ExceptionKind::SubscriptionLostMargin,
];

/// Counted row by row: of each kind all, and those younger than a day, a week and 30 days.
async fn counted(
    store: &Store,
    now: chrono::DateTime<chrono::Utc>,
) -> Vec<(ExceptionKind, [i64; 4])> {
    let filter = Filter {
        with_snoozed: true,
        ..Filter::default()
    };
    let all = care::list(store.reader(), &filter, now, None, 1_000_000)
        .await
        .unwrap();
    let mut kinds: Vec<_> = KINDS.to_vec();
    kinds.sort_by_key(|kind| kind.name());
    let of = |kind: ExceptionKind| {
        [i64::MAX / 1_000_000_000, 1, 7, 30].map(|days| {
            let young = all.iter().filter(|it| {
                it.kind == kind && (now - it.opened_at).num_seconds() < days.saturating_mul(86_400)
            });
            i64::try_from(young.count()).unwrap()
        })
    };
    kinds
        .into_iter()
        .map(|kind| (kind, of(kind)))
        .filter(|(_, counts)| counts[0] > 0)
        .collect()
}

async fn tallied(
    store: &Store,
    now: chrono::DateTime<chrono::Utc>,
) -> Vec<(ExceptionKind, [i64; 4])> {
    let counts = tally::counts(store.reader(), now).await.unwrap();
    let of = |it: tally::KindCount| {
        (
            it.kind,
            [it.open, it.within_day, it.within_week, it.within_month],
        )
    };
    counts.into_iter().map(of).collect()
}

/// How the engine reads it.
pub async fn plan(store: &Store, sql: &str) -> String {
    let connection = store.reader();
    let explain = match store.engine() {
        Engine::Sqlite => "EXPLAIN QUERY PLAN",
        Engine::Postgres => "EXPLAIN",
    };
    let statement = Statement::from_string(
        connection.get_database_backend(),
        format!("{explain} {sql}"),
    );
    let rows = connection.query_all_raw(statement).await.unwrap();
    let column = match store.engine() {
        Engine::Sqlite => "detail",
        Engine::Postgres => "QUERY PLAN",
    };
    let lines = rows
        .iter()
        .map(|row| row.try_get::<String>("", column).unwrap());
    lines.collect::<Vec<_>>().join("\n")
}

crate::on_both_engines! {
    async fn counts_are_right_to_the_second_and_fast_for_any_number(store: TestStore) {
        let many: usize = std::env::var("EXCEPTIONS").map_or(3000, |many| many.parse().unwrap());
        let (context, clock) = context();
        let subjects: Vec<String> = (0..many).map(|nth| format!("subscription/{nth}")).collect();
        // Within the hour that an age begins in, on its edges, and far from them.
        let waits = [1, 86_400, 3599, 1, 86_400 * 5, 1800, 1799, 2, 86_400 * 23, 3600, 5, 86_399];
        let size = many / waits.len();
        for (nth, seconds) in waits.into_iter().enumerate() {
            let some = &subjects[nth * size..(nth + 1) * size];
            for (kind, some) in KINDS.into_iter().zip(some.chunks(size / 3)) {
                let wanted = some.iter().map(|subject| NewException { kind, subject: subject.clone(), detail: "wrong".to_owned(), import_of: None });
                let tx = store.begin().await.unwrap();
                exceptions::settle(&tx, &context, &[kind], some, wanted.collect()).await.unwrap();
                tx.commit().await.unwrap();
            }
            clock.advance(Duration::from_secs(seconds));
        }
        for kind in KINDS {
            for subject in subjects.iter().step_by(many / 40) {
                let tx = store.begin().await.unwrap();
                exceptions::close(&tx, &context, kind, subject).await.unwrap();
                exceptions::close(&tx, &context, kind, subject).await.unwrap();
                tx.commit().await.unwrap();
            }
        }
        for folded in [false, true] {
            if folded {
                let tx = store.begin().await.unwrap();
                tally::fold(&tx, &context).await.unwrap();
                tx.commit().await.unwrap();
            }
            for _ in 0..3 {
                assert_eq!(tallied(&store, context.now()).await, counted(&store, context.now()).await, "folded: {folded}");
                clock.advance(Duration::from_secs(86_400 / 2 - 1));
            }
        }
        for _ in 0..3 {
            let began = Instant::now();
            tally::counts(store.reader(), context.now()).await.unwrap();
            let counts = began.elapsed();
            let began = Instant::now();
            care::list(store.reader(), &Filter::default(), context.now(), None, 100).await.unwrap();
            println!("{:?}: {many} exceptions: counts {counts:?}, a page {:?}", store.engine(), began.elapsed());
        }

        let connection = store.reader();
        if store.engine() == Engine::Postgres {
            connection.execute_unprepared("ANALYZE exception").await.unwrap();
        }
        for (sql, index) in [
            ("SELECT * FROM exception WHERE closed_at IS NULL ORDER BY opened_at, id LIMIT 100", "exception_"),
            ("SELECT * FROM exception WHERE closed_at IS NULL AND kind = 'subscription-without-unit' ORDER BY opened_at, id LIMIT 100", "exception_by_kind"),
            ("SELECT kind, COUNT(kind) FROM exception WHERE closed_at IS NULL AND kind IN ('subscription-without-unit', 'subscription-lost-margin') AND opened_at > '2026-01-01 00:10:00 +00:00' AND opened_at < '2026-01-01 01:00:00 +00:00' GROUP BY kind", "COVERING INDEX exception_counted"),
            ("SELECT * FROM exception WHERE closed_at IS NULL AND acknowledged_at IS NOT NULL ORDER BY opened_at, id LIMIT 100", "exception_cared_for"),
        ] {
            let plan = plan(&store, sql).await;
            // PostgreSQL weighs indexes that would do by what is in the table.
            let index = if store.engine() == Engine::Sqlite { index } else { "exception_" };
            assert!(plan.contains(index) && !plan.contains("Sort Key: opened_at") && !plan.contains("TEMP B-TREE"), "{sql}: {plan}");
        }
    }
}
