//! The sync of subscriptions, killed anywhere (D4, E1): the report is complete, no change is logged twice, no field is lost. On
//! PostgreSQL a second instance works beside the victim, by a clock that takes the victim's lease for lapsed: it takes the Job
//! away from one that may still be alive.

use std::collections::BTreeMap;

use provider_bridge::app::build::App;
use provider_bridge::app::open::operator;
use provider_bridge::domain::billing_contract::{BillingPolicy, Frequency};
use provider_bridge::domain::ids::ProviderId;
use provider_bridge::domain::money::Currency;
use provider_bridge::domain::provider_account::ExternalId;
use provider_bridge::domain::subscription::Subscription;
use provider_bridge::domain::subscription_run::RunSource;
use provider_bridge::flows::billing_contracts::{ContractChange, NewContract};
use provider_bridge::flows::subscriptions::reading::{Filter, RunFilter};
use provider_bridge::simulator::{Change, SubscriptionChange};
use provider_bridge::store::{Engine, exceptions, outbox};
use serde_json::{Value, json};

use super::killed::{Death, Hunted, customers, points};
use super::scene::{Receiver, Scene, run_until_idle, standing_at};

/// Which sync is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    /// The first, which finds everything new.
    First,
    /// A later one, which finds changes of every sort.
    Later,
}

/// What the sync left behind, without an id or a time of ours.
#[derive(Debug, PartialEq, Eq)]
struct Books {
    /// By the provider's id: quantity, state, name, where it sits, and its change log.
    subscriptions: BTreeMap<String, (String, Vec<String>)>,
    /// The runs with their outcome and counts, and every line of their reports.
    runs: Vec<(String, Vec<String>)>,
    /// Open exceptions by kind and what they are about.
    exceptions: Vec<String>,
    /// Events about subscriptions, their syncs and exceptions.
    events: Vec<String>,
}

async fn all_subscriptions(app: &App) -> Vec<Subscription> {
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let page = app
            .flows
            .list_subscriptions(&operator(), &Filter::default(), after.as_ref(), 500)
            .await;
        let (page, next) = page.unwrap();
        all.extend(page);
        match next {
            Some(next) => after = Some(next),
            None => return all,
        }
    }
}

/// Our ids, each replaced by what it is about.
struct Names(BTreeMap<String, String>);

impl Names {
    fn plain(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (id, name) in &self.0 {
            if text.contains(id.as_str()) {
                text = text.replace(id.as_str(), name);
            }
        }
        text
    }
}

async fn names(app: &App, subscriptions: &[Subscription]) -> Names {
    let mut names: BTreeMap<String, String> = subscriptions
        .iter()
        .map(|it| (it.id.to_string(), it.listed.external_id.to_string()))
        .collect();
    let contracts = app
        .flows
        .list_billing_contracts(&operator(), &Default::default(), None, 500)
        .await;
    let (contracts, _) = contracts.unwrap();
    names.extend(
        contracts
            .into_iter()
            .map(|it| (it.id.to_string(), it.terms.name)),
    );
    Names(names)
}

async fn report(app: &App, names: &Names) -> Vec<(String, Vec<String>)> {
    let reader = operator();
    let runs = app
        .flows
        .list_subscription_runs(&reader, RunFilter::default(), None, 100)
        .await;
    let mut found = Vec::new();
    for run in runs.unwrap() {
        if run.source != RunSource::Automatic {
            continue;
        }
        let (mut lines, mut after) = (Vec::new(), None);
        loop {
            let page = app
                .flows
                .list_report_lines(&reader, run.id, after, 500)
                .await;
            let page = page.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            lines.extend(page.iter().map(|it| {
                let line = json!([
                    it.kind,
                    it.external_id,
                    it.name,
                    it.field,
                    it.old,
                    it.new,
                    it.message
                ]);
                names.plain(&line.to_string())
            }));
        }
        lines.sort();
        found.push((format!("{:?} {:?}", run.outcome, run.counts), lines));
    }
    found
}

impl Books {
    async fn of(app: &App) -> Self {
        let all = all_subscriptions(app).await;
        let names = names(app, &all).await;
        let mut subscriptions = BTreeMap::new();
        for it in &all {
            let listed = &it.listed;
            let seat = json!([
                it.contract_id,
                it.held_for.map(|held| held.name()),
                it.gone_since.is_some()
            ]);
            let now = format!(
                "{} {} {} {}",
                listed.quantity,
                listed.status,
                listed.name,
                names.plain(&seat.to_string())
            );
            let log = app.flows.list_license_changes(&operator(), it.id).await;
            let mut log: Vec<_> = log
                .unwrap()
                .iter()
                .map(|kept| {
                    format!(
                        "{} {} {:?} {}",
                        kept.entry.kind.name(),
                        kept.entry.quantity_change,
                        kept.entry.new_cost,
                        kept.archived
                    )
                })
                .collect();
            log.sort();
            let key = format!("{}", listed.external_id);
            assert!(
                subscriptions.insert(key, (now, log)).is_none(),
                "{} is there twice",
                listed.external_id
            );
        }
        let reader = app.flows.store.reader();
        let mut open = Vec::new();
        for kind in provider_bridge::domain::exception::ExceptionKind::ALL {
            let subjects = exceptions::open_subjects(reader, *kind).await.unwrap();
            open.extend(
                subjects
                    .iter()
                    .map(|it| names.plain(&format!("{} {it}", kind.name()))),
            );
        }
        open.sort();
        let mut events: Vec<_> = outbox::all(reader)
            .await
            .unwrap()
            .iter()
            .filter(|event| {
                event.event_type.starts_with("subscription")
                    || event.event_type == "exception.raised"
            })
            .map(|event| match event.subject.split_once('/') {
                Some(("subscription", _)) => {
                    format!("{} {}", event.event_type, names.plain(&event.subject))
                }
                _ => event.event_type.clone(),
            })
            .collect();
        events.sort();
        Self {
            subscriptions,
            runs: report(app, &names).await,
            exceptions: open,
            events,
        }
    }
}

/// The provider's portal, in which a third of what is there changes, and changes back.
#[derive(Default)]
struct Portal(Vec<(ExternalId, String, Value)>);

impl Portal {
    /// As it is now is how it is to be again.
    async fn remember(app: &App) -> Self {
        let mut kept = Vec::new();
        for it in all_subscriptions(app).await {
            let customer = app
                .flows
                .get_provider_account(&operator(), it.provider_account_id)
                .await;
            let quantity: f64 = it.listed.quantity.to_string().parse().unwrap();
            let fields = json!({ "quantity": quantity, "friendlyName": it.listed.name, "status": it.listed.status });
            kept.push((
                customer.unwrap().external_id,
                it.listed.external_id.to_string(),
                fields,
            ));
        }
        kept.sort_by(|a, b| a.1.cmp(&b.1));
        Self(kept)
    }

    fn set(&self, hunted: &Hunted, changed: bool) {
        for (nth, (customer, subscription, before)) in self.0.iter().enumerate() {
            let now = match nth % 6 {
                0 => Some(json!({ "quantity": 1000 + nth })),
                2 => Some(
                    json!({ "friendlyName": format!("Renamed {nth}"), "quantity": 2000 + nth }),
                ),
                3 if nth % 4 == 3 => Some(json!({ "status": "suspended" })),
                4 if nth % 8 == 4 => None,
                _ => continue,
            };
            let fields = if changed { now } else { Some(before.clone()) };
            let change = SubscriptionChange {
                customer: customer.clone(),
                subscription: Some(subscription.clone()),
                fields: fields.map(|fields| fields.as_object().unwrap().clone()),
            };
            hunted
                .simulator
                .world()
                .change(Change::ChangeSubscription(change))
                .unwrap();
        }
    }
}

struct Stage<'a> {
    hunted: &'a Hunted,
    portal: Portal,
    which: Which,
}

impl Stage<'_> {
    /// A service with customers, mappings and contracts that was asked for a sync.
    async fn set_up(&self, receiver: &Receiver) -> (Scene, ProviderId) {
        self.portal.set(self.hunted, false);
        let scene = Scene::new(self.hunted.engine, &self.hunted.simulator).await;
        let provider = Box::pin(scene.begin(receiver)).await;
        let app = Box::pin(scene.app(standing_at(1))).await;
        Box::pin(run_until_idle(&app)).await;
        Box::pin(self.make_contracts(&app)).await;
        if self.which == Which::Later {
            app.flows
                .request_subscription_sync(&operator(), provider)
                .await
                .unwrap();
            Box::pin(run_until_idle(&app)).await;
            self.portal.set(self.hunted, true);
        }
        app.flows
            .request_subscription_sync(&operator(), provider)
            .await
            .unwrap();
        (scene, provider)
    }

    /// For every second Account that is mapped.
    async fn make_contracts(&self, app: &App) {
        let everything = provider_bridge::store::provider_accounts::Filter::default();
        let page = app
            .flows
            .list_provider_accounts(&operator(), &everything, None, 500)
            .await;
        let mut accounts: Vec<_> = page
            .unwrap()
            .accounts
            .iter()
            .filter_map(|it| it.mapping.account_id())
            .collect();
        accounts.sort_unstable();
        accounts.dedup();
        assert!(accounts.len() > 4, "{accounts:?}");
        for account_id in accounts.into_iter().step_by(2) {
            let contract = NewContract {
                account_id,
                name: format!("Cloud of {account_id}"),
                frequency: Frequency::Monthly,
                policy: BillingPolicy::Advance,
                currency: Currency::parse("EUR").unwrap(),
                start_date: "2026-01-01".parse().unwrap(),
                more: ContractChange::default(),
            };
            app.flows
                .create_billing_contract(&operator(), contract)
                .await
                .unwrap();
        }
    }

    async fn undisturbed(&self) -> Books {
        let receiver = Receiver::start();
        let (scene, _) = Box::pin(self.set_up(&receiver)).await;
        let app = Box::pin(scene.app(standing_at(2))).await;
        Box::pin(run_until_idle(&app)).await;
        Box::pin(Books::of(&app)).await
    }

    /// A victim dies, beside a rival where there can be one; a last one lives. Says whether the victim was killed.
    async fn outlives(&self, death: Death, undisturbed: &Books) -> bool {
        let receiver = Receiver::start();
        let (scene, _) = Box::pin(self.set_up(&receiver)).await;
        let killed = if self.hunted.engine == Engine::Postgres {
            let both = self.hunted.run_victim_and_rival(&scene, death, 2);
            Box::pin(both).await
        } else {
            self.hunted.run_victim(&scene, death, 2).await
        };
        Hunted::run_rival(&scene, 4).await;
        let app = Box::pin(scene.app(standing_at(5))).await;
        let books = Box::pin(Books::of(&app)).await;
        assert_eq!(
            books.runs.len(),
            undisturbed.runs.len(),
            "killed at {death:?}"
        );
        assert_eq!(&books, undisturbed, "killed at {death:?}");
        killed
    }
}

/// The sync is killed after commits, and at requests; the last victims live, so that the points are known to reach its end.
async fn a_killed_sync_ends_as_if_nothing_had_happened(engine: Engine, which: Which) {
    let hunted = Hunted::with(engine, customers(20)).await;
    let mut stage = Stage {
        hunted: &hunted,
        portal: Portal::default(),
        which,
    };
    let receiver = Receiver::start();
    let (scene, _) = Box::pin(stage.set_up(&receiver)).await;
    let app = Box::pin(scene.app(standing_at(2))).await;
    Box::pin(run_until_idle(&app)).await;
    stage.portal = Box::pin(Portal::remember(&app)).await;
    drop(app);
    let undisturbed = Box::pin(stage.undisturbed()).await;
    let lines: usize = undisturbed.runs.iter().map(|(_, lines)| lines.len()).sum();
    assert!(
        lines > 40 && !undisturbed.events.is_empty(),
        "{undisturbed:?}"
    );
    let mut killed = 0;
    // On SQLite the first three free what a dead process left behind.
    let first = if engine == Engine::Sqlite { 4 } else { 1 };
    let commits = (first..first + 5).map(Death::Commit);
    let requests = points(&[6], 2).into_iter().map(Death::Request);
    for death in commits.chain(requests) {
        killed += u32::from(Box::pin(stage.outlives(death, &undisturbed)).await);
    }
    assert!(killed >= 2, "only {killed} victims were killed");
}

#[actix_web::test]
async fn a_first_sync_on_sqlite() {
    a_killed_sync_ends_as_if_nothing_had_happened(Engine::Sqlite, Which::First).await;
}

#[actix_web::test]
async fn a_first_sync_with_two_instances_on_postgres() {
    a_killed_sync_ends_as_if_nothing_had_happened(Engine::Postgres, Which::First).await;
}

#[actix_web::test]
async fn a_later_sync_on_sqlite() {
    a_killed_sync_ends_as_if_nothing_had_happened(Engine::Sqlite, Which::Later).await;
}

#[actix_web::test]
async fn a_later_sync_with_two_instances_on_postgres() {
    a_killed_sync_ends_as_if_nothing_had_happened(Engine::Postgres, Which::Later).await;
}
