//! Killed anywhere and started again, the service goes on: nothing lost, nothing doubled.
//!
//! The victim is this test program itself, started again with an environment variable that says after which commit to
//! abort. Its clock begins an hour after the last victim's, so that leases of the dead have lapsed.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use provider_bridge::app::build::App;
use provider_bridge::config::Config;
use provider_bridge::store::Engine;

use super::outcome::Outcome;
use super::scene::{Receiver, Scene, hours_later, run_until_idle, simulator};

const CUSTOMERS: usize = 40;
/// The victim aborts right after this commit; 0 lets it live.
const ABORT_AFTER: &str = "VICTIM_ABORT_AFTER";
/// Hours by which the victim's clock is ahead.
const HOURS: &str = "VICTIM_HOURS";

fn number(variable: &str) -> Option<u32> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Not a test of its own: the process that is killed.
#[actix_web::test]
#[ignore = "started by the tests of this file, with the environment of a scene"]
async fn victim() {
    let abort_after = number(ABORT_AFTER).expect("only the tests of this file start the victim");
    let config = Config::load(None).unwrap();
    let commits = Arc::new(AtomicU32::new(0));
    let context = hours_later(number(HOURS).unwrap());
    let app = App::build_on(config, context, |store| {
        store.observed(Arc::new(move || {
            if commits.fetch_add(1, Ordering::SeqCst) + 1 == abort_after {
                std::process::abort();
            }
        }))
    });
    run_until_idle(&app.await.unwrap()).await;
}

/// After which commits victims are killed: a few, or with `KILL_POINTS=50` each of the first fifty; the last one lives.
fn points() -> Vec<u32> {
    match number("KILL_POINTS") {
        None => vec![1, 2, 4, 7, 11, 16, 24, 40, 80, 1000],
        Some(all) => (1..=all).chain([1000]).collect(),
    }
}

/// Runs a victim to its end. Says whether it was killed.
async fn run_victim(scene: &Scene, abort_after: u32, hours: u32) -> bool {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([
            "--exact",
            "service::killed::victim",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .envs(&scene.settings)
        .env(ABORT_AFTER, abort_after.to_string())
        .env(HOURS, hours.to_string());
    let output = actix_web::web::block(move || command.output())
        .await
        .unwrap()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let killed = std::os::unix::process::ExitStatusExt::signal(&output.status).is_some();
    assert!(
        killed || output.status.success(),
        "the victim failed: {text}"
    );
    killed
}

async fn killed_after_any_commit_it_ends_as_if_nothing_had_happened(engine: Engine) {
    let simulator = simulator(CUSTOMERS).await;
    let receiver = Receiver::start();
    let scene = Scene::new(engine, &simulator).await;
    scene.begin(&receiver).await;
    let app = scene.app(hours_later(1)).await;
    run_until_idle(&app).await;
    let undisturbed = Outcome::of(&app).await;
    drop(app);

    let mut survived = false;
    for abort_after in points() {
        let receiver = Receiver::start();
        let scene = Scene::new(engine, &simulator).await;
        scene.begin(&receiver).await;
        let killed = run_victim(&scene, abort_after, 1).await;
        assert!(!run_victim(&scene, 0, 2).await);
        let app = scene.app(hours_later(3)).await;
        assert_eq!(
            Outcome::of(&app).await,
            undisturbed,
            "killed after commit {abort_after}"
        );
        let twice = Outcome::all_arrived(&app, &receiver.arrived).await;
        assert!(
            killed || twice == 0,
            "{twice} events arrived twice though nobody was killed"
        );
        survived |= !killed;
    }
    assert!(
        survived,
        "the last victim should have lived: raise the numbers, so that every commit is covered"
    );
}

#[actix_web::test]
async fn killed_after_any_commit_on_sqlite() {
    killed_after_any_commit_it_ends_as_if_nothing_had_happened(Engine::Sqlite).await;
}

#[actix_web::test]
async fn killed_after_any_commit_on_postgres() {
    killed_after_any_commit_it_ends_as_if_nothing_had_happened(Engine::Postgres).await;
}
