//! PostgreSQL that goes away and comes back: callers are told when to try again, nothing needs a restart, and no work is
//! lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use provider_bridge::app::build::App;
use provider_bridge::app::clock::system_context;
use provider_bridge::app::open::operator;
use provider_bridge::config::Config;
use provider_bridge::domain::caller::Role;
use provider_bridge::domain::job::JobState;
use provider_bridge::store::{DatabaseSettings, Engine, Store};
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::outcome::Outcome;
use super::scene::{Receiver, Scene, hours_later, run_until_idle, simulator};
use crate::support::app::{Answer, PAGE_HOST, TestApp};
use crate::support::cable::Cable;
use crate::support::log::Log;
use crate::support::stores::TestDatabase;

/// Longer than anything here may take, so that what does not come fails the test rather than hang it.
const AT_MOST: Duration = Duration::from_secs(60);

/// What the log says once a job has met the outage.
const NOTICED: &str = "the job's end could not be recorded; trying again";

fn assert_told(answer: &Answer) {
    assert_eq!(
        (answer.status, answer.code()),
        (503, "unavailable"),
        "{answer:?}"
    );
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.header("retry-after"), "10");
}

async fn ready(app: &TestApp) -> Answer {
    Answer::of(app.request(Method::GET, "/health/ready")).await
}

async fn change(app: &TestApp, key: &str) -> Answer {
    let request = app
        .request(Method::PATCH, "/v1/settings")
        .header("x-api-key", key)
        .header("idempotency-key", "k")
        .json(&json!({ "autoMatch": "off" }));
    Answer::of(request).await
}

#[actix_web::test]
async fn a_lost_database_is_told_and_found_again_without_a_restart() {
    let database = TestDatabase::create(Engine::Postgres).await;
    let cable = Cable::lay(&database.settings().location).await;
    let settings = DatabaseSettings {
        location: cable.location(),
        max_connections: 3,
    };
    let app = TestApp::start(Store::open(&settings).await.unwrap()).await;
    let key = app.key(&[Role::Admin]).await;
    assert_eq!(app.get(&key, "/v1/providers").await.status, 200);
    assert_eq!(ready(&app).await.status, 200);

    cable.cut().await;
    // Those that were connected learn it at once, the others wait a moment for a server.
    for _ in 0..2 {
        let page = app
            .request(Method::GET, "/")
            .header("host", PAGE_HOST)
            .header("cookie", "__Host-provider-bridge=x");
        let (unready, read, written, page) = futures_util::join!(
            ready(&app),
            app.get(&key, "/v1/providers"),
            change(&app, &key),
            Answer::of(page)
        );
        for answer in [&unready, &read, &written] {
            assert_told(answer);
        }
        assert_eq!(page.status, 503);
    }
    let live = Answer::of(app.request(Method::GET, "/health/live")).await;
    assert_eq!(live.status, 200);
    cable.mend().await;
    assert_eq!(ready(&app).await.status, 200);
    assert_eq!(app.get(&key, "/v1/providers").await.status, 200);
    let changed = change(&app, &key).await;
    assert_eq!(
        (changed.status, changed.header("idempotency-replayed")),
        (200, "")
    );
    assert_eq!(
        change(&app, &key).await.header("idempotency-replayed"),
        "true"
    );
}

#[actix_web::test]
async fn connections_that_the_server_ended_cost_at_most_one_call_each() {
    let database = TestDatabase::create(Engine::Postgres).await;
    let app = TestApp::start(database.open().await).await;
    let key = app.key(&[Role::Admin]).await;
    let administrator = database.open().await;
    for _ in 0..3 {
        let many = (0..6).map(|_| app.get(&key, "/v1/providers"));
        for answer in futures_util::future::join_all(many).await {
            assert_eq!(answer.status, 200);
        }
        let end = "select pg_terminate_backend(pid) from pg_stat_activity \
                   where datname = current_database() and pid <> pg_backend_pid()";
        let pool = administrator.reader().get_postgres_connection_pool();
        sqlx::query(end).execute(pool).await.unwrap();
        let mut refused = 0;
        loop {
            let answer = app.get(&key, "/v1/providers").await;
            if answer.status == 200 {
                break;
            }
            assert_told(&answer);
            refused += 1;
            assert!(refused <= 6, "there are six connections");
        }
    }
}

async fn scene_at(cable: &Cable, simulator: &provider_bridge::simulator::Running) -> Scene {
    let mut scene = Scene::new(Engine::Postgres, simulator).await;
    let provider_bridge::store::DatabaseLocation::Postgres(url) = cable.location() else {
        panic!("a cable leads to PostgreSQL")
    };
    let key = "PROVIDER_BRIDGE__DATABASE__URL".to_owned();
    scene.settings.insert(key, url.expose_secret().to_owned());
    scene
}

#[actix_web::test]
async fn a_job_that_loses_the_database_is_tried_again_and_ends_as_if_nothing_had_happened() {
    let simulator = simulator(60).await;
    let undisturbed = {
        let receiver = Receiver::start();
        let scene = Scene::new(Engine::Sqlite, &simulator).await;
        scene.begin(&receiver).await;
        let app = scene.app(hours_later(1)).await;
        run_until_idle(&app).await;
        Outcome::of(&app).await
    };
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    for (round, commit) in [2, 6].into_iter().enumerate() {
        let database = TestDatabase::create(Engine::Postgres).await;
        let cable = Cable::lay(&database.settings().location).await;
        let scene = scene_at(&cable, &simulator).await;
        let receiver = Receiver::start();
        scene.begin(&receiver).await;
        let (commits, scissors) = (Arc::new(AtomicU32::new(0)), cable.scissors());
        let app = App::build_on(scene.config(), hours_later(1), |store| {
            store.observed(Arc::new(move || {
                if commits.fetch_add(1, Ordering::SeqCst) + 1 == commit {
                    scissors.send_replace(false);
                }
            }))
        });
        let app = app.await.unwrap();
        let mend = async {
            while log.text().matches(NOTICED).count() <= round {
                tokio::task::yield_now().await;
            }
            cable.mend().await;
        };
        let both = async { futures_util::join!(app.runner.run_due(), mend) };
        tokio::time::timeout(AT_MOST, both)
            .await
            .expect("the job notices the outage");
        let jobs = app.flows.list_jobs(&operator(), 50).await.unwrap();
        let told: Vec<_> = jobs.iter().filter(|job| job.error.is_some()).collect();
        for job in &told {
            assert_eq!(job.error.as_deref(), Some("the database is not available"));
            assert!(
                matches!(job.state, JobState::Retry | JobState::Succeeded),
                "{job:?}"
            );
        }
        assert!(
            !told.is_empty(),
            "cut after commit {commit}, and no job noticed: {jobs:?}"
        );
        drop(app);
        let app = scene.app(hours_later(3)).await;
        run_until_idle(&app).await;
        assert_eq!(
            Outcome::of(&app).await,
            undisturbed,
            "cut after commit {commit}"
        );
        Outcome::all_arrived(&app, &receiver.arrived).await;
    }
}

/// With its loops running and a clock that really runs: after an outage it takes up work by itself.
#[actix_web::test]
async fn the_loops_outlive_an_outage() {
    let simulator = simulator(20).await;
    let database = TestDatabase::create(Engine::Postgres).await;
    let cable = Cable::lay(&database.settings().location).await;
    let mut scene = scene_at(&cable, &simulator).await;
    let bind = "PROVIDER_BRIDGE__SERVER__BIND".to_owned();
    scene.settings.insert(bind, "127.0.0.1:0".to_owned());
    let config: Config = scene.config();
    let receiver = Receiver::start();
    let provider = scene.begin(&receiver).await;
    let app = App::build(config, system_context()).await.unwrap();
    let roles = [Role::Admin].into_iter().collect();
    let (_, key) = app
        .keys
        .create(&operator(), "operator", roles)
        .await
        .unwrap();
    let running = app.start(true).await.unwrap();
    let base = running.base_url();
    #[expect(
        clippy::disallowed_methods,
        reason = "a test calls its own server, not the outside world"
    )]
    let client = reqwest::Client::new();
    let call = async |method: Method, path: &str| {
        let request = client.request(method, format!("{base}{path}"));
        Answer::of(request.header("x-api-key", key.expose_secret())).await
    };
    let until = async |path: &str, wanted: fn(&Answer) -> bool| {
        let asking = async {
            loop {
                let answer = call(Method::GET, path).await;
                if wanted(&answer) {
                    return answer;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(AT_MOST, asking).await.expect(path)
    };
    cable.cut().await;
    until("/health/ready", |answer| answer.status == 503).await;
    cable.mend().await;
    until("/health/ready", |answer| answer.status == 200).await;
    let sync = format!("/v1/providers/{provider}/sync-provider-accounts");
    let asked = call(Method::POST, &sync).await;
    assert_eq!(asked.status, 202, "{asked:?}");
    let job = format!("/v1/jobs/{}", asked.body["jobId"].as_str().unwrap());
    let done = until(&job, |answer| answer.body["finished"] == Value::Bool(true)).await;
    assert_eq!(done.body["state"], "succeeded", "{done:?}");
    running.stop().await;
}
