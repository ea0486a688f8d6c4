//! The sync of subscriptions end to end against the simulator: everything is read, nothing is ever written (D3).

use provider_bridge::app::build::App;
use provider_bridge::app::open::operator;
use provider_bridge::domain::ids::ProviderId;
use provider_bridge::domain::subscription_run::SubscriptionCounts;
use provider_bridge::flows::subscriptions::reading::{Filter, RunFilter};
use provider_bridge::simulator::{Change, SubscriptionChange, Upstream};
use provider_bridge::store::Engine;
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

on_both_engines! { a_change_in_the_portal_is_found_and_nothing_is_written_to_the_provider }
