//! Killed anywhere and started again, the service goes on: nothing lost, nothing doubled.
//!
//! The victim is this test program itself, started again with an environment variable. It aborts by itself after a chosen
//! commit, or this process kills it when a chosen request has reached the stand-ins or the receiver and is not answered
//! yet. Its clock stands an hour after the last victim's, so that leases of the dead have lapsed.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::FutureExt;
use futures_util::future::{Either, join, select};

use provider_bridge::app::build::App;
use provider_bridge::config::Config;
use provider_bridge::simulator::Running;
use provider_bridge::store::Engine;
use tokio::sync::Notify;

use super::outcome::Outcome;
use super::scene::{Receiver, Scene, Watcher, run_until_idle, simulator, standing_at};

/// The victim aborts right after this commit; 0 lets it live.
const ABORT_AFTER: &str = "VICTIM_ABORT_AFTER";
/// Hours by which the victim's clock is ahead.
const HOURS: &str = "VICTIM_HOURS";
/// Beyond the last commit and the last request.
const NEVER: u32 = 1000;

/// When a victim dies.
#[derive(Debug, Clone, Copy)]
pub enum Death {
    /// Right after its so many-th commit.
    Commit(u32),
    /// When its so many-th request has arrived, and the answer has not left.
    Request(u32),
}

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
    let context = standing_at(number(HOURS).unwrap());
    let app = App::build_on(config, context, |store| {
        store.observed(Arc::new(move || {
            if commits.fetch_add(1, Ordering::SeqCst) + 1 == abort_after {
                std::process::abort();
            }
        }))
    });
    run_until_idle(&app.await.unwrap()).await;
}

/// The points at which victims are killed: a few, or as many as `KILL_POINTS` says; the last victim lives.
pub fn points(few: &[u32], step: u32) -> Vec<u32> {
    let mut points = match number("KILL_POINTS") {
        None => few.to_vec(),
        Some(many) => (0..many).map(|point| 1 + point * step).collect(),
    };
    points.push(NEVER);
    points
}

/// A few, or enough that there are that many points.
pub fn customers(few: usize) -> usize {
    number("KILL_POINTS").map_or(few, |points| 3 * points as usize)
}

/// What counts the requests of victims, and kills the one that lives when the number is reached.
#[derive(Clone, Default)]
pub struct Hunter(Arc<Hunt>);

#[derive(Default)]
struct Hunt {
    requests_left: AtomicU32,
    victim: AtomicU32,
    /// Told of each request while there is a victim.
    at_work: Notify,
}

impl Hunter {
    pub fn watcher(&self) -> Watcher {
        let hunter = self.clone();
        Arc::new(move || hunter.request())
    }

    fn aim(&self, request: u32) {
        self.0.victim.store(0, Ordering::SeqCst);
        self.0.requests_left.store(request, Ordering::SeqCst);
    }

    fn request(&self) {
        // Requests that come before the victim are of the scene's own making.
        let victim = self.0.victim.load(Ordering::SeqCst);
        if victim == 0 {
            return;
        }
        self.0.at_work.notify_one();
        if self.0.requests_left.fetch_sub(1, Ordering::SeqCst) == 1 {
            // Beside a rival it may have ended by itself: then there is nobody to kill.
            Command::new("kill")
                .args(["-KILL", &victim.to_string()])
                .stderr(Stdio::null())
                .status()
                .unwrap();
        }
    }
}

fn start(scene: &Scene, abort_after: u32, hours: u32) -> Child {
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
        .env(HOURS, hours.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Waits for a process; says whether it was killed.
async fn ended(child: Child) -> bool {
    let output = actix_web::web::block(move || child.wait_with_output());
    let output = output.await.unwrap().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let killed = std::os::unix::process::ExitStatusExt::signal(&output.status).is_some();
    assert!(
        killed || output.status.success(),
        "the victim failed: {text}"
    );
    killed
}

/// What victims of one test share.
pub struct Hunted {
    pub engine: Engine,
    pub simulator: Running,
    pub hunter: Hunter,
}

impl Hunted {
    pub async fn new(engine: Engine) -> Self {
        Self::with(engine, customers(40)).await
    }

    pub async fn with(engine: Engine, customers: usize) -> Self {
        let simulator = simulator(customers).await;
        let hunter = Hunter::default();
        simulator.statistics().watch(hunter.watcher());
        Self {
            engine,
            simulator,
            hunter,
        }
    }

    async fn undisturbed(&self) -> Outcome {
        let receiver = Receiver::start();
        let scene = Scene::new(self.engine, &self.simulator).await;
        scene.begin(&receiver).await;
        let app = scene.app(standing_at(1)).await;
        run_until_idle(&app).await;
        Outcome::of(&app).await
    }

    /// Runs a victim to its end. Says whether it was killed.
    pub async fn run_victim(&self, scene: &Scene, death: Death, hours: u32) -> bool {
        let (abort_after, request) = match death {
            Death::Commit(commit) => (commit, NEVER),
            Death::Request(request) => (0, request),
        };
        self.hunter.aim(request);
        let child = start(scene, abort_after, hours);
        self.hunter.0.victim.store(child.id(), Ordering::SeqCst);
        let killed = ended(child).await;
        self.hunter.0.victim.store(0, Ordering::SeqCst);
        killed
    }

    /// Runs a victim, and a rival from the moment at which the victim is at work, or is dead.
    pub async fn run_victim_and_rival(&self, scene: &Scene, death: Death, hours: u32) -> bool {
        // What is left from the victim before.
        let _: Option<()> = self.hunter.0.at_work.notified().now_or_never();
        let victim = std::pin::pin!(self.run_victim(scene, death, hours));
        let at_work = std::pin::pin!(self.hunter.0.at_work.notified());
        match select(victim, at_work).await {
            Either::Left((killed, _)) => {
                Self::run_rival(scene, hours + 1).await;
                killed
            }
            Either::Right(((), victim)) => join(victim, Self::run_rival(scene, hours + 1)).await.0,
        }
    }

    /// Runs one that lives. Beside a victim its requests are counted like those of the victim.
    pub async fn run_rival(scene: &Scene, hours: u32) {
        assert!(!ended(start(scene, 0, hours)).await);
    }

    /// A victim dies, a second one takes over and lives. Says whether the first was killed.
    async fn outlives(&self, death: Death, undisturbed: &Outcome) -> bool {
        let receiver = Receiver::watched(self.hunter.watcher());
        let scene = Scene::new(self.engine, &self.simulator).await;
        scene.begin(&receiver).await;
        let killed = self.run_victim(&scene, death, 1).await;
        assert!(!self.run_victim(&scene, Death::Commit(0), 2).await);
        let app = scene.app(standing_at(3)).await;
        assert_eq!(&Outcome::of(&app).await, undisturbed, "killed at {death:?}");
        let twice = Outcome::all_arrived(&app, &receiver.arrived).await;
        assert!(
            killed || twice == 0,
            "{twice} events arrived twice though nobody was killed"
        );
        killed
    }

    /// At each of the points a victim dies; only the last one lives.
    async fn outlives_all(&self, points: Vec<u32>, death: fn(u32) -> Death) {
        let undisturbed = self.undisturbed().await;
        let mut killed = Vec::new();
        for point in &points {
            killed.push(self.outlives(death(*point), &undisturbed).await);
        }
        assert_eq!(
            killed.pop(),
            Some(false),
            "the last victim should have lived: raise NEVER"
        );
        let lived = killed.iter().position(|killed| !killed);
        assert_eq!(
            lived, None,
            "no victim may live before the last: of {points:?} it did"
        );
    }
}

async fn killed_after_any_commit_it_ends_as_if_nothing_had_happened(engine: Engine) {
    let points = points(&[1, 2, 4, 7, 11, 16, 22], 1);
    Hunted::new(engine)
        .await
        .outlives_all(points, Death::Commit)
        .await;
}

async fn killed_at_any_request_it_ends_as_if_nothing_had_happened(engine: Engine) {
    let points = points(&[1, 3, 8, 30, 55, 90], 2);
    Hunted::new(engine)
        .await
        .outlives_all(points, Death::Request)
        .await;
}

#[actix_web::test]
async fn killed_after_any_commit_on_sqlite() {
    killed_after_any_commit_it_ends_as_if_nothing_had_happened(Engine::Sqlite).await;
}

#[actix_web::test]
async fn killed_after_any_commit_on_postgres() {
    killed_after_any_commit_it_ends_as_if_nothing_had_happened(Engine::Postgres).await;
}

#[actix_web::test]
async fn killed_at_any_request_on_sqlite() {
    killed_at_any_request_it_ends_as_if_nothing_had_happened(Engine::Sqlite).await;
}

#[actix_web::test]
async fn killed_at_any_request_on_postgres() {
    killed_at_any_request_it_ends_as_if_nothing_had_happened(Engine::Postgres).await;
}
