//! The sync of subscriptions end to end against the simulator: everything is read, nothing is ever written (D3).

use provider_bridge::app::build::App;
use provider_bridge::app::open::operator;
use provider_bridge::domain::caller::Caller;
use provider_bridge::domain::exception::ExceptionKind;
use provider_bridge::domain::ids::ProviderId;
use provider_bridge::domain::subscription_run::SubscriptionCounts;
use provider_bridge::flows::jobs::JobFilter;
use provider_bridge::flows::subscriptions::reading::{Filter, RunFilter};
use provider_bridge::simulator::{Change, SubscriptionChange, Upstream};
use provider_bridge::store::{Engine, exceptions};
use serde_json::json;

use super::scene::{Receiver, Scene, hours_later, run_until_idle, simulator};
use crate::on_both_engines;

/// Runs a sync to its end; gives its counts.
async fn sync(app: &App, provider: ProviderId) -> SubscriptionCounts {
    app.flows
        .request_subscription_sync(&operator(), provider)
        .await
        .unwrap();
    run_until_idle(app).await;
    let filter = RunFilter {
        provider: Some(provider),
        ..RunFilter::default()
    };
    let runs = app
        .flows
        .list_subscription_runs(&operator(), filter, None, 1)
        .await
        .unwrap();
    runs[0].counts
}

async fn a_change_in_the_portal_is_found_and_nothing_is_written_to_the_provider(engine: Engine) {
    let simulator = simulator(40).await;
    let receiver = Receiver::start();
    let scene = Scene::new(engine, &simulator).await;
    let provider = scene.begin(&receiver).await;
    let app = scene.app(hours_later(1)).await;
    run_until_idle(&app).await;
    let first = sync(&app, provider).await;
    assert!(first.new > 60 && first.new == first.listed, "{first:?}");
    assert_eq!((first.customers, first.unreadable), (40, 0));
    let again = sync(&app, provider).await;
    let wanted = SubscriptionCounts {
        customers: 40,
        listed: first.listed,
        unchanged: first.listed,
        ..SubscriptionCounts::default()
    };
    assert_eq!(again, wanted);

    let (all, _) = app
        .flows
        .list_subscriptions(&operator(), &Filter::default(), None, 500)
        .await
        .unwrap();
    let one = &all[0];
    let customer = app
        .flows
        .get_provider_account(&operator(), one.provider_account_id)
        .await
        .unwrap();
    let change = SubscriptionChange {
        customer: customer.external_id.clone(),
        subscription: Some(one.listed.external_id.to_string()),
        fields: json!({ "quantity": 4321 }).as_object().cloned(),
    };
    simulator
        .world()
        .change(Change::ChangeSubscription(change))
        .unwrap();
    let third = sync(&app, provider).await;
    assert_eq!(
        (third.changed, third.new, third.gone),
        (1, 0, 0),
        "{third:?}"
    );
    let log = app
        .flows
        .list_license_changes(&operator(), one.id)
        .await
        .unwrap();
    assert_eq!(log.len(), 2, "{log:?}");

    let gone = Change::RemoveCustomer {
        customer: customer.external_id,
    };
    simulator.world().change(gone).unwrap();
    let fourth = sync(&app, provider).await;
    assert_eq!((fourth.failed_customers, fourth.gone), (1, 0), "{fourth:?}");
    let requests = simulator.statistics().latest();
    let of_provider = requests
        .iter()
        .filter(|seen| seen.upstream == Upstream::PartnerCenter);
    let methods: std::collections::BTreeSet<_> =
        of_provider.map(|seen| seen.method.as_str()).collect();
    assert_eq!(methods, ["GET"].into(), "a sync never writes to a provider");
}

async fn a_support_case_can_follow_a_job_through_its_children_to_the_provider(engine: Engine) {
    let simulator = simulator(5).await;
    let receiver = Receiver::start();
    let scene = Scene::new(engine, &simulator).await;
    let provider = scene.begin(&receiver).await;
    let app = scene.app(hours_later(1)).await;
    let case = "0b8a4c1e-7d52-4f6a-9c37-5e1f2a3b4c5d";
    let caller = Caller {
        correlation_id: Some(case.to_owned()),
        ..operator()
    };
    run_until_idle(&app).await;
    let asked = app.flows.request_sync(&caller, provider).await.unwrap();
    let change = Change::RenameCustomer {
        customer: app
            .flows
            .list_provider_accounts(&operator(), &Default::default(), None, 1)
            .await
            .unwrap()
            .accounts[0]
            .external_id
            .clone(),
        name: "Renamed".to_owned(),
    };
    simulator.world().change(change).unwrap();
    let before = simulator.statistics().latest().len();
    run_until_idle(&app).await;
    let seen = simulator.statistics().latest();
    let of_job: Vec<_> = seen[before..]
        .iter()
        .filter(|seen| seen.upstream == Upstream::PartnerCenter)
        .collect();
    assert!(!of_job.is_empty());
    for call in of_job {
        assert_eq!(call.correlation_id.as_deref(), Some(case), "{call:?}");
    }
    let of_parent = JobFilter {
        parent: Some(asked.id),
        ..JobFilter::default()
    };
    let children = app
        .flows
        .page_of_jobs(&operator(), &of_parent, None, 10)
        .await
        .unwrap();
    let kinds: Vec<_> = children.iter().map(|job| job.work.kind()).collect();
    assert_eq!(kinds, ["auto-match"], "{children:?}");
    assert_eq!(children[0].correlation_id.as_deref(), Some(case));
    assert_eq!(
        (asked.parent_id, asked.correlation().to_string().as_str()),
        (None, case)
    );

    let unnamed = app
        .flows
        .request_subscription_sync(&operator(), provider)
        .await
        .unwrap();
    let before = simulator.statistics().latest().len();
    run_until_idle(&app).await;
    let seen = simulator.statistics().latest();
    let id = unnamed.id.to_string();
    assert!(
        seen[before..]
            .iter()
            .any(|seen| seen.correlation_id.as_deref() == Some(id.as_str())),
        "its own id, where nobody gave one"
    );
}

async fn a_mapped_account_needs_a_contract_while_its_customer_is_there(engine: Engine) {
    let simulator = simulator(10).await;
    let receiver = Receiver::start();
    let scene = Scene::new(engine, &simulator).await;
    let provider = scene.begin(&receiver).await;
    let app = scene.app(hours_later(1)).await;
    run_until_idle(&app).await;
    let kind = ExceptionKind::AccountWithoutContract;
    let reader = app.flows.store.reader();
    let open = exceptions::open_subjects(reader, kind).await.unwrap();
    let everybody = provider_bridge::store::provider_accounts::Filter::default();
    let page = app
        .flows
        .list_provider_accounts(&operator(), &everybody, None, 100)
        .await
        .unwrap();
    let mapped: Vec<_> = page
        .accounts
        .iter()
        .filter_map(|it| Some((it.external_id.clone(), it.mapping.account_id()?)))
        .collect();
    let (customer, account) = mapped[0].clone();
    let subject = format!("account/{account}");
    assert!(open.contains(&subject), "{open:?}");
    assert_eq!(mapped.iter().filter(|(_, it)| *it == account).count(), 1);

    let gone = Change::RemoveCustomer { customer };
    simulator.world().change(gone).unwrap();
    app.flows.request_sync(&operator(), provider).await.unwrap();
    run_until_idle(&app).await;
    let left = exceptions::open_subjects(reader, kind).await.unwrap();
    assert!(!left.contains(&subject), "nobody is there to bill");
    assert_eq!(left.len(), open.len() - 1);
}

on_both_engines! {
    a_change_in_the_portal_is_found_and_nothing_is_written_to_the_provider,
    a_support_case_can_follow_a_job_through_its_children_to_the_provider,
    a_mapped_account_needs_a_contract_while_its_customer_is_there,
}
