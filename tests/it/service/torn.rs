//! Answers of the upstreams that break off: what was read whole is kept, nothing is taken for missing, the job says what
//! failed, and the next try makes it whole.

use provider_bridge::app::open::operator;
use provider_bridge::domain::job::JobState;
use provider_bridge::simulator::{Fault, FaultKind, Upstream};
use provider_bridge::store::Engine;
use provider_bridge::store::provider_accounts::Filter;

use super::outcome::Outcome;
use super::scene::{Receiver, Scene, hours_later, run_until_idle, simulator};
use crate::on_both_engines;

/// Where it breaks off, and from which request on.
const PLACES: [(Upstream, Option<&str>, u64); 4] = [
    (Upstream::PartnerCenter, Some("list-customers"), 3),
    (Upstream::PartnerCenter, Some("customer-by-id"), 7),
    (Upstream::Dataverse, None, 2),
    (Upstream::Entra, Some("token"), 1),
];

async fn what_breaks_off_is_not_taken_for_an_answer(engine: Engine) {
    let simulator = simulator(30).await;
    let undisturbed = {
        let receiver = Receiver::start();
        let scene = Scene::new(engine, &simulator).await;
        scene.begin(&receiver).await;
        let app = scene.app(hours_later(1)).await;
        run_until_idle(&app).await;
        Outcome::of(&app).await
    };
    for kind in [FaultKind::TornBody, FaultKind::TruncatedJson] {
        for (upstream, operation, from) in PLACES {
            let case = format!("{kind:?} of {upstream:?} {operation:?}");
            let receiver = Receiver::start();
            let scene = Scene::new(engine, &simulator).await;
            let provider = scene.begin(&receiver).await;
            let app = scene.app(hours_later(1)).await;
            let mut fault = Fault::new(upstream, kind.clone()).from(from);
            fault.operation = operation.map(str::to_owned);
            let fault = simulator.faults().add(fault, app.flows.context.now());
            app.runner.run_due().await;
            let hit = simulator.faults().list();
            assert!(
                hit.iter().any(|fault| fault.hit > 0),
                "{case}: nothing was hit"
            );

            let jobs = app.flows.list_jobs(&operator(), 50).await.unwrap();
            let told: Vec<_> = jobs.iter().filter(|job| job.error.is_some()).collect();
            for job in &told {
                assert!(
                    matches!(job.state, JobState::Retry | JobState::Failed),
                    "{case}: {job:?}"
                );
            }
            // Details are asked for one customer at a time; where that fails, the run goes on and notes it.
            let runs = app
                .flows
                .list_sync_runs(&operator(), None, 1)
                .await
                .unwrap();
            let noted = runs
                .first()
                .is_some_and(|run| run.counts.failed > 0 && !run.notes.is_empty());
            assert!(noted || !told.is_empty(), "{case}: {jobs:?}");
            let missing = Filter {
                missing: true,
                ..Filter::default()
            };
            let listing = app
                .flows
                .list_provider_accounts(&operator(), &missing, None, 10)
                .await;
            assert_eq!(listing.unwrap().accounts, [], "{case}");
            app.dispatcher.run_once().await.unwrap();
            for (id, (_, domains)) in &Outcome::of(&app).await.accounts {
                let whole = &undisturbed.accounts[id].1;
                assert!(
                    domains.iter().all(|domain| whole.contains(domain)),
                    "{case}: {id} has {domains:?}"
                );
            }

            simulator.faults().remove(fault);
            drop(app);
            let app = scene.app(hours_later(5)).await;
            app.flows.request_sync(&operator(), provider).await.unwrap();
            run_until_idle(&app).await;
            assert_eq!(Outcome::of(&app).await, undisturbed, "{case}");
            Outcome::all_arrived(&app, &receiver.arrived).await;
        }
    }
}

on_both_engines! { what_breaks_off_is_not_taken_for_an_answer }
