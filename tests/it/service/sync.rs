//! Sync Provider Accounts end to end (B1, B2, B6, B14).

use std::collections::BTreeMap;

use provider_bridge::app::build::App;
use provider_bridge::app::open::operator;
use provider_bridge::domain::ids::{ProviderId, SyncRunId};
use provider_bridge::domain::job::{JobState, JobWork};
use provider_bridge::domain::provider_account::ProviderAccount;
use provider_bridge::domain::provider_health::HealthIssue;
use provider_bridge::domain::sync_run::{RunCounts, RunOutcome};
use provider_bridge::simulator::{Change, Fault, FaultKind, Running, Upstream};
use provider_bridge::store::provider_accounts::{Filter, listed};
use provider_bridge::store::{Engine, jobs, sync_runs};

use sea_orm::ConnectionTrait;

use super::outcome::Outcome;
use super::scene::{Receiver, Scene, hours_later, run_until_idle, simulator};
use crate::on_both_engines;

const CUSTOMERS: usize = 60;

/// A service after its first sync, match and delivery.
struct Synced {
    simulator: Running,
    receiver: Receiver,
    provider: ProviderId,
    app: App,
    scene: Scene,
}

impl Synced {
    async fn on(engine: Engine) -> Self {
        let simulator = simulator(CUSTOMERS).await;
        let receiver = Receiver::start();
        let scene = Scene::new(engine, &simulator).await;
        let provider = scene.begin(&receiver).await;
        let app = scene.app(hours_later(1)).await;
        run_until_idle(&app).await;
        Self {
            simulator,
            receiver,
            provider,
            app,
            scene,
        }
    }
}

async fn a_first_sync_keeps_matches_maps_and_tells(engine: Engine) {
    let synced = Synced::on(engine).await;
    let Synced {
        simulator,
        receiver,
        provider,
        app,
        ..
    } = &synced;

    let outcome = Outcome::of(app).await;
    assert_eq!(outcome.accounts.len(), CUSTOMERS);
    let truth: BTreeMap<String, _> = simulator.world().read(|world| {
        world
            .truths()
            .map(|(id, account)| (id.to_string(), account))
            .collect()
    });
    let mapped: Vec<_> = outcome
        .accounts
        .iter()
        .filter(|(_, (mapping, _))| mapping.starts_with("mapped"))
        .collect();
    assert!(
        mapped.len() > CUSTOMERS / 3,
        "only {} were mapped",
        mapped.len()
    );
    for (id, (mapping, _)) in mapped {
        let right = truth[id].map(|account| format!("mapped to {account} by auto-match"));
        assert_eq!(
            Some(mapping),
            right.as_ref(),
            "customer {id} was mapped to the wrong account"
        );
    }
    assert_eq!(outcome.events["provider"], ["provider-accounts.imported"]);
    assert_eq!(
        Outcome::all_arrived(app, &receiver.arrived).await,
        0,
        "an event arrived twice"
    );

    let runs = app
        .flows
        .list_sync_runs(&operator(), Some(*provider), 5)
        .await
        .unwrap();
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0].outcome, RunOutcome::Complete);
    let all = i64::try_from(CUSTOMERS).unwrap();
    let wanted = RunCounts {
        listed: all,
        new: all,
        details: all,
        ..RunCounts::default()
    };
    assert_eq!(runs[0].counts, wanted);
}

async fn a_second_sync_without_changes_changes_nothing(engine: Engine) {
    let synced = Synced::on(engine).await;
    let Synced {
        simulator,
        provider,
        app,
        ..
    } = &synced;
    let before = Outcome::of(app).await;
    let listed_once = simulator.statistics().requests(Upstream::PartnerCenter);

    app.flows
        .request_sync(&operator(), *provider)
        .await
        .unwrap();
    run_until_idle(app).await;
    assert_eq!(Outcome::of(app).await, before);
    let requests = simulator.statistics().requests(Upstream::PartnerCenter) - listed_once;
    assert_eq!(requests, 6, "60 customers on pages of 10, and no details");
    let runs = app
        .flows
        .list_sync_runs(&operator(), Some(*provider), 1)
        .await
        .unwrap();
    let all = i64::try_from(CUSTOMERS).unwrap();
    assert_eq!(
        runs[0].counts,
        RunCounts {
            listed: all,
            unchanged: all,
            ..RunCounts::default()
        }
    );
}

/// As after an upgrade from before there were digests.
async fn customers_without_a_digest_are_unchanged_and_get_one(engine: Engine) {
    let synced = Synced::on(engine).await;
    let Synced { provider, app, .. } = &synced;
    let before = Outcome::of(app).await;
    let digests = async || {
        listed::digests(app.flows.store.reader(), *provider)
            .await
            .unwrap()
    };
    let noted = digests().await;
    assert_eq!(noted.len(), CUSTOMERS);

    let tx = app.flows.store.begin().await.unwrap();
    let forget = "UPDATE provider_account SET listed_digest = NULL";
    tx.execute_unprepared(forget).await.unwrap();
    tx.commit().await.unwrap();
    app.flows
        .request_sync(&operator(), *provider)
        .await
        .unwrap();
    run_until_idle(app).await;

    assert_eq!(digests().await, noted);
    assert_eq!(Outcome::of(app).await, before);
    let runs = app
        .flows
        .list_sync_runs(&operator(), Some(*provider), 1)
        .await
        .unwrap();
    assert_eq!((runs[0].counts.unchanged, runs[0].counts.details), (60, 0));
}

/// It may have kept everything and died just before it asked for the match.
async fn after_a_run_that_died_the_next_one_asks_for_the_match_though_it_finds_nothing_new(
    engine: Engine,
) {
    let synced = Synced::on(engine).await;
    let Synced { provider, app, .. } = &synced;
    let matches = async || {
        let jobs = jobs::latest(app.flows.store.reader(), 50).await.unwrap();
        jobs.iter()
            .filter(|job| job.work == JobWork::AutoMatch)
            .count()
    };
    let before = matches().await;

    app.flows
        .request_sync(&operator(), *provider)
        .await
        .unwrap();
    run_until_idle(app).await;
    assert_eq!(matches().await, before, "nothing new, nothing to match");

    let mut died = app
        .flows
        .list_sync_runs(&operator(), Some(*provider), 1)
        .await
        .unwrap()
        .remove(0);
    died.id = SyncRunId::new(app.flows.context.new_uuid());
    died.outcome = RunOutcome::Running;
    died.finished_at = None;
    let tx = app.flows.store.begin().await.unwrap();
    sync_runs::begin(&tx, &died).await.unwrap();
    tx.commit().await.unwrap();
    app.flows
        .request_sync(&operator(), *provider)
        .await
        .unwrap();
    run_until_idle(app).await;
    assert_eq!(matches().await, before + 1);
}

/// B10: whoever asks for a match first pulls what changed, and mappings follow it then and there.
async fn a_merge_in_the_crm_carries_mappings_along_when_a_match_is_asked_for(engine: Engine) {
    let synced = Synced::on(engine).await;
    let Synced { simulator, app, .. } = &synced;
    let mapped = async || {
        let all = Filter::default();
        let page = app
            .flows
            .list_provider_accounts(&operator(), &all, None, 100)
            .await
            .unwrap();
        let to = |account: &ProviderAccount| Some((account.id, account.mapping.account_id()?));
        page.accounts
            .iter()
            .filter_map(to)
            .collect::<BTreeMap<_, _>>()
    };
    let before = mapped().await;
    let mut some = before.iter();
    let ((one, gone), (_, survivor)) = (some.next().unwrap(), some.next().unwrap());
    let merge = Change::MergeAccounts {
        account: *gone,
        into: *survivor,
    };
    simulator.world().change(merge).unwrap();

    app.flows.request_auto_match(&operator()).await.unwrap();
    run_until_idle(app).await;

    assert_eq!(mapped().await[one], *survivor);
}

async fn a_listing_that_breaks_off_marks_nothing_as_missing(engine: Engine) {
    let Synced {
        simulator,
        receiver: _receiver,
        provider,
        app,
        scene,
    } = Synced::on(engine).await;

    let gone = simulator
        .world()
        .read(|world| world.truths().next().unwrap().0);
    simulator
        .world()
        .change(Change::RemoveCustomer {
            customer: gone.clone(),
        })
        .unwrap();
    let broken = Fault::new(
        Upstream::PartnerCenter,
        FaultKind::PageFails {
            page: 3,
            status: 404,
        },
    );
    let fault = simulator.faults().add(broken, app.flows.context.now());
    let job = app.flows.request_sync(&operator(), provider).await.unwrap();
    app.runner.run_due().await;
    let run = app
        .flows
        .list_sync_runs(&operator(), Some(provider), 1)
        .await
        .unwrap()
        .remove(0);
    assert_eq!(run.outcome, RunOutcome::Incomplete);
    assert_eq!(run.counts.missing, 0);
    assert!(
        run.notes
            .iter()
            .any(|note| note.starts_with("the listing broke off")),
        "{:?}",
        run.notes
    );
    let missing = Filter {
        missing: true,
        ..Filter::default()
    };
    let listing = app
        .flows
        .list_provider_accounts(&operator(), &missing, None, 10)
        .await
        .unwrap();
    assert_eq!(listing.accounts, []);
    let job = app.flows.get_job(&operator(), job.id).await.unwrap();
    assert!(
        matches!(job.state, JobState::Retry | JobState::Failed),
        "{job:?}"
    );
    assert!(job.error.is_some());

    // Once the listing is whole again, the customer that left is missing, and only that one.
    simulator.faults().remove(fault);
    drop(app);
    let app = scene.app(hours_later(3)).await;
    app.flows.request_sync(&operator(), provider).await.unwrap();
    run_until_idle(&app).await;
    let listing = app
        .flows
        .list_provider_accounts(&operator(), &missing, None, 10)
        .await
        .unwrap();
    let ids: Vec<_> = listing
        .accounts
        .iter()
        .map(|account| account.external_id.clone())
        .collect();
    assert_eq!(ids, [gone]);
}

on_both_engines! {
    a_first_sync_keeps_matches_maps_and_tells,
    a_second_sync_without_changes_changes_nothing,
    a_merge_in_the_crm_carries_mappings_along_when_a_match_is_asked_for,
    customers_without_a_digest_are_unchanged_and_get_one,
    after_a_run_that_died_the_next_one_asks_for_the_match_though_it_finds_nothing_new,
    a_listing_that_breaks_off_marks_nothing_as_missing,
}

#[actix_web::test]
async fn a_provider_tells_its_last_complete_sync_and_what_broke_the_one_after() {
    let Synced {
        simulator,
        provider,
        app,
        scene,
        ..
    } = Synced::on(Engine::Sqlite).await;
    let health = |app: &App| {
        let flows = app.flows.clone();
        async move {
            let found = flows.get_provider(&operator(), provider).await.unwrap();
            (found.health, flows.context.now())
        }
    };
    let (before, now) = health(&app).await;
    assert!(before.last_complete_sync_at.is_some());
    assert_eq!((before.last_error(), before.issues(now)), (None, vec![]));

    drop(app);
    let app = scene.app(hours_later(2)).await;
    let fault = Fault::new(Upstream::PartnerCenter, FaultKind::WrongAudience);
    simulator.faults().add(fault, app.flows.context.now());
    app.flows.request_sync(&operator(), provider).await.unwrap();
    run_until_idle(&app).await;
    let (after, now) = health(&app).await;
    assert_eq!(after.last_complete_sync_at, before.last_complete_sync_at);
    assert_eq!(after.last_error().unwrap().trouble.name(), "operator");
    assert_eq!(after.issues(now), [HealthIssue::SyncFailing]);
    let degraded = app.flows.check_readiness().await.unwrap();
    assert_eq!(degraded.len(), 1);
    assert_eq!(degraded[0].provider_id, provider);

    drop(app);
    simulator.faults().clear();
    let app = scene.app(hours_later(3)).await;
    app.flows.request_sync(&operator(), provider).await.unwrap();
    run_until_idle(&app).await;
    assert_eq!(app.flows.check_readiness().await.unwrap(), []);
    assert!(
        health(&app).await.0.last_error().is_some(),
        "it is still told"
    );
}
