//! A storm of webhooks: doubled and out of order they leave what they leave in order, and a service that is killed at any
//! moment has kept each one that it answered. The long runs are `cargo bench --bench webhooks`.
//!
//! The victim is this test program itself, as in [`super::killed`].

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use futures_util::StreamExt;
use provider_bridge::app::build::App;
use provider_bridge::app::clock::system_context;
use provider_bridge::app::running::Running;
use provider_bridge::config::Config;
use provider_bridge::domain::ids::AccountId;
use provider_bridge::simulator::{self, Change, NewAccount};
use provider_bridge::store::Engine;
use provider_bridge::store::entities::{crm_notice, exception, job};
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};
use sea_orm::{EntityTrait, QuerySelect};
use serde_json::{Value, json};
use uuid::Uuid;

use super::outcome::Outcome;
use super::scene::{Receiver, Scene, hours_later, run_until_idle, simulator_by, standing_at};

const SECRET: &str = "the-secret-that-dynamics-was-given";
/// Posts under way at once.
const AT_ONCE: usize = 16;

fn number(variable: &str) -> Option<usize> {
    std::env::var(variable).ok()?.parse().ok()
}

#[expect(clippy::disallowed_methods, reason = "a test calls its own server")]
fn client() -> reqwest::Client {
    reqwest::Client::new()
}

async fn scene(engine: Engine, simulator: &simulator::Running) -> Scene {
    let mut scene = Scene::new(engine, simulator).await;
    let secrets = "PROVIDER_BRIDGE__DATAVERSE__WEBHOOK_SECRETS";
    scene.settings.insert(secrets.to_owned(), SECRET.to_owned());
    scene
}

/// Posts a body; whether it was taken.
async fn post(client: &reqwest::Client, base: &str, body: &Value) -> bool {
    let request = client
        .post(format!("{base}/webhooks/dataverse"))
        .header("x-ms-dynamics-organization", "127.0.0.1")
        .header("X-Webhook-Secret", SECRET)
        .body(body.to_string());
    let answer = request.send().await;
    answer.is_ok_and(|answer| answer.status() == 202)
}

/// A service that synced and mapped, and takes webhooks.
struct Service {
    running: Running,
    beside: App,
    _scene: Scene,
    _receiver: Receiver,
}

impl Service {
    async fn on(engine: Engine, simulator: &simulator::Running) -> Self {
        let scene = scene(engine, simulator).await;
        let receiver = Receiver::start();
        scene.begin(&receiver).await;
        let app = scene.app(hours_later(1)).await;
        run_until_idle(&app).await;
        let running = app.start(false).await.unwrap();
        let beside = App::build_beside(scene.config(), hours_later(2))
            .await
            .unwrap();
        Self {
            running,
            beside,
            _scene: scene,
            _receiver: receiver,
        }
    }

    async fn take(&self, bodies: &[Value], at_once: usize) {
        let (client, base) = (client(), self.running.base_url());
        let taken = futures_util::stream::iter(bodies)
            .map(|body| post(&client, &base, body))
            .buffer_unordered(at_once)
            .filter(|taken| std::future::ready(*taken))
            .count();
        assert_eq!(taken.await, bodies.len());
    }

    /// Works until nothing is left to do, and nothing that was asked for failed or waits.
    async fn work(&self) {
        run_until_idle(&self.beside).await;
        let jobs = job::Entity::find()
            .all(self.beside.flows.store.reader())
            .await
            .unwrap();
        let ended_badly: Vec<_> = jobs
            .into_iter()
            .filter(|job| job.state != "succeeded")
            .collect();
        assert!(
            ended_badly.is_empty(),
            "at {}: {ended_badly:#?}",
            self.beside.flows.context.now()
        );
    }

    /// What is mapped to what, and what is open.
    async fn state(&self) -> (Outcome, Vec<(String, String)>) {
        let outcome = Outcome::of(&self.beside).await;
        let rows = exception::Entity::find()
            .all(self.beside.flows.store.reader())
            .await
            .unwrap();
        let open = rows.into_iter().filter(|row| row.closed_at.is_none());
        let mut open: Vec<_> = open.map(|row| (row.kind, row.detail)).collect();
        open.sort();
        (outcome, open)
    }
}

/// Changes one thing in the simulated CRM; what Dataverse would say of it.
fn change(
    simulator: &simulator::Running,
    accounts: &mut Vec<AccountId>,
    random: &mut StdRng,
) -> Value {
    let world = simulator.world();
    let said = |message: &str, id: Uuid, parameters: Value| {
        json!({
            "MessageName": message, "PrimaryEntityName": "account", "PrimaryEntityId": id, "InputParameters": parameters,
        })
    };
    let place = random.random_range(0..accounts.len());
    let account = accounts[place];
    match random.random_range(0..10) {
        0..5 => {
            let name = format!("Renamed {}", random.random::<u32>());
            world
                .change(Change::RenameAccount { account, name })
                .unwrap();
            said("Update", account.as_uuid(), json!([]))
        }
        5..7 => {
            let name = format!("New {}", random.random::<u32>());
            let (website, email, parent, customer) = (None, None, None, None);
            let new = NewAccount {
                name,
                website,
                email,
                parent,
                customer,
            };
            let id = world.change(Change::AddAccount(new)).unwrap();
            accounts.push(AccountId::new(id));
            said("Create", id, json!([]))
        }
        7..9 if accounts.len() > 5 => {
            accounts.swap_remove(place);
            let into = accounts[random.random_range(0..accounts.len())];
            world
                .change(Change::MergeAccounts { account, into })
                .unwrap();
            let parameters = json!([{ "key": "SubordinateId", "value": account }]);
            said("Merge", into.as_uuid(), parameters)
        }
        _ => {
            let active = random.random();
            world.change(Change::SetActive { account, active }).unwrap();
            said("Update", account.as_uuid(), json!([]))
        }
    }
}

/// Every one one to three times, and out of order.
fn disturbed(bodies: &[Value], random: &mut StdRng) -> Vec<Value> {
    let mut many: Vec<_> = bodies
        .iter()
        .flat_map(|body| vec![body.clone(); random.random_range(1..=3)])
        .collect();
    many.shuffle(random);
    many
}

#[actix_web::test]
async fn doubled_and_out_of_order_they_leave_what_they_leave_in_order() {
    let events = number("NOTICES").unwrap_or(300);
    let simulator = simulator_by(standing_at(0), 40).await;
    let ordered = Service::on(Engine::Sqlite, &simulator).await;
    let stormy = Service::on(Engine::Sqlite, &simulator).await;
    let before = ordered.state().await;
    assert_eq!(before, stormy.state().await);
    let mut accounts: Vec<AccountId> = before
        .0
        .accounts
        .values()
        .filter_map(|(mapping, _)| mapping.split(' ').nth(2)?.parse().ok())
        .collect();
    accounts.dedup();
    let mut random = StdRng::seed_from_u64(5);
    let mut late = Vec::new();
    for _ in 0..4 {
        let bodies: Vec<_> = (0..events / 4)
            .map(|_| change(&simulator, &mut accounts, &mut random))
            .collect();
        ordered.take(&bodies, 1).await;
        ordered.work().await;
        // A part of them comes with the next ones.
        let mut now = disturbed(&bodies, &mut random);
        let rest = now.split_off(now.len() * 2 / 3);
        now.extend(std::mem::replace(&mut late, rest));
        stormy.take(&now, AT_ONCE).await;
        stormy.work().await;
    }
    stormy.take(&late, AT_ONCE).await;
    stormy.work().await;
    let (one, other) = (ordered.state().await, stormy.state().await);
    assert_eq!(one.0.accounts, other.0.accounts);
    assert_eq!(one.1, other.1);
    assert_ne!(one, before, "the storm changed nothing");
}

/// Not a test of its own: the process that is killed.
#[actix_web::test]
#[ignore = "started by the tests of this file, with the environment of a scene"]
async fn victim() {
    let config = Config::load(None).unwrap();
    let app = App::build(config, system_context()).await.unwrap();
    let running = app.start(false).await.unwrap();
    println!("listening {}", running.base_url());
    std::future::pending::<()>().await;
}

/// Starts a victim; gives its address.
fn start_victim(scene: &Scene) -> (Child, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([
            "--exact",
            "service::notice_storm::victim",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .envs(&scene.settings)
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let base = lines.map_while(Result::ok).find_map(|line| {
        line.split_once("listening ")
            .map(|(_, base)| base.to_owned())
    });
    (child, base.expect("the victim listens"))
}

async fn killed_at_any_moment_it_has_kept_what_it_answered(engine: Engine) {
    let simulator = simulator_by(standing_at(0), 5).await;
    let scene = scene(engine, &simulator).await;
    drop(scene.app(standing_at(0)).await);
    let mut random = StdRng::seed_from_u64(9);
    let mut answered: HashSet<Uuid> = HashSet::new();
    for _ in 0..number("KILL_POINTS").unwrap_or(4) {
        let (child, base) = start_victim(&scene);
        let after = random.random_range(1..200);
        let child = Arc::new(Mutex::new(child));
        let client = client();
        let ids: Vec<Uuid> = (0..400).map(|_| Uuid::from_u128(random.random())).collect();
        let mut posts = futures_util::stream::iter(ids)
            .map(|id| {
                let (client, base) = (client.clone(), base.clone());
                async move {
                    let body = json!({ "MessageName": "Update", "PrimaryEntityName": "account", "PrimaryEntityId": id });
                    post(&client, &base, &body).await.then_some(id)
                }
            })
            .buffer_unordered(AT_ONCE);
        let mut taken = 0;
        while let Some(id) = posts.next().await {
            answered.extend(id);
            taken += usize::from(id.is_some());
            if taken == after {
                child.lock().unwrap().kill().unwrap();
            }
        }
        child.lock().unwrap().wait().unwrap();
        assert!(
            taken >= after && taken < 400,
            "{taken} were answered, to be killed after {after}"
        );
    }
    let app = scene.app(standing_at(1)).await;
    let kept: Vec<Option<Uuid>> = crm_notice::Entity::find()
        .select_only()
        .column(crm_notice::Column::RecordId)
        .into_tuple()
        .all(app.flows.store.reader())
        .await
        .unwrap();
    let kept: HashSet<Uuid> = kept.into_iter().flatten().collect();
    let lost = answered.difference(&kept).count();
    assert_eq!(lost, 0, "of {} that were answered", answered.len());
}

crate::on_both_engines! { killed_at_any_moment_it_has_kept_what_it_answered }
