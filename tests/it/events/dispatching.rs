//! The one order of events, and who gets them.

use std::time::Duration;

use provider_bridge::domain::caller::Role;
use provider_bridge::domain::event::EventType;
use provider_bridge::events::Dispatcher;
use provider_bridge::flows::triggers::Subscribe;
use provider_bridge::store::entities::{delivery, outbox_event};
use provider_bridge::store::{Store, event_retention};
use sea_orm::{EntityTrait, PaginatorTrait, QueryOrder};

use super::receiver::Receiver;
use super::rig::{Rig, caller, owner};
use crate::on_both_engines;
use crate::support::context::context_seeded;

async fn positions(store: &Store) -> Vec<(i64, Option<i64>)> {
    let rows = outbox_event::Entity::find()
        .order_by_asc(outbox_event::Column::Seq)
        .all(store.reader())
        .await
        .unwrap();
    rows.iter().map(|row| (row.seq, row.position)).collect()
}

on_both_engines! {
    async fn an_event_arrives_signed_in_its_envelope(store: TestStore) {
        let rig = Rig::new(store.clone());
        let receiver = Receiver::start();
        let subscribed = rig.subscribe(receiver.url()).await;
        rig.publish("provider-account/1", 7).await;
        let done = rig.deliver().await;
        assert_eq!((done.delivered, done.failed), (1, 0));

        let [got] = <[_; 1]>::try_from(receiver.received()).unwrap();
        assert_eq!(got.target, receiver.url().split_once(&receiver.host()).unwrap().1);
        assert_eq!(got.headers["content-type"], "application/json; charset=utf-8");
        let now = rig.context.now();
        assert_eq!(
            got.body,
            serde_json::json!({
                "eventId": got.webhook_id(),
                "eventType": "provider-account.mapped",
                "schemaVersion": 1,
                "occurredAt": now,
                "environment": "sandbox",
                "subject": "provider-account/1",
                "data": { "number": 7 },
            })
        );
        let secret = secrecy::ExposeSecret::expose_secret(&subscribed.signing_secret);
        let oracle = standardwebhooks::Webhook::new(secret).unwrap();
        let expected = oracle.sign(got.webhook_id(), now.timestamp(), &got.bytes).unwrap();
        assert_eq!(got.headers["webhook-timestamp"], now.timestamp().to_string());
        assert_eq!(got.headers["webhook-signature"], expected);

        let again = rig.deliver_after(Duration::from_secs(3600)).await;
        assert_eq!(again, provider_bridge::events::Summary::default());
        let subscription = rig.subscription(subscribed.subscription.id).await;
        assert_eq!(subscription.last_delivered_at, Some(now));
    }

    async fn only_active_subscriptions_of_the_type_get_an_event_and_none_from_before_they_began(store: TestStore) {
        let rig = Rig::new(store.clone());
        let receiver = Receiver::start();
        rig.publish("provider-account/1", 1).await;
        let first = rig.subscribe(receiver.url()).await;
        rig.subscribe_as(&caller("two", Role::Reader), receiver.url(), None).await;
        let other_type = Subscribe {
            event_type: EventType::ProviderAccountCreated,
            callback_url: receiver.url().into(),
            workflow_id: None,
            label: None,
        };
        rig.flows.subscribe(&owner(), other_type).await.unwrap();
        rig.publish("provider-account/1", 2).await;
        assert_eq!(rig.deliver().await.delivered, 2);

        let token = secrecy::ExposeSecret::expose_secret(&first.unsubscribe_token);
        rig.flows.unsubscribe(token, None).await.unwrap();
        rig.publish("provider-account/1", 3).await;
        assert_eq!(rig.deliver().await.delivered, 1);
        let numbers: Vec<i64> = receiver.received().iter().map(|got| got.number()).collect();
        assert_eq!(numbers, [2, 2, 3]);
    }

    /// Many instances dispatch at once, the lease changes hands in the middle, and nothing is given twice or left out.
    async fn positions_have_no_gap_and_no_double_with_two_dispatchers(store: TestStore) {
        let rig = Rig::new(store.clone());
        let receiver = Receiver::start();
        rig.subscribe(receiver.url()).await;
        let (other_context, other_clock) = context_seeded(2);
        let other = Dispatcher::new(store.database.open().await, other_context);
        for round in 0..6_i64 {
            let events = (0..250).map(|n| (format!("s/{n}"), round * 250 + n));
            rig.publish_all(events).await;
            let (one, two) = tokio::join!(rig.dispatcher.run_once(), other.run_once());
            let (one, two) = (one.unwrap(), two.unwrap());
            assert_eq!(one.events + two.events, 250, "round {round}");
            assert_eq!(one.deliveries + two.deliveries, 250);
            // The holder lets its lease lapse: for the other one the time has come.
            for clock in [&rig.clock, &other_clock] {
                clock.advance(Duration::from_secs(if round % 2 == 0 { 31 } else { 1 }));
            }
        }
        let positions = positions(&store).await;
        let expected: Vec<Option<i64>> = (1..=1500).map(Some).collect();
        let got: Vec<Option<i64>> = positions.iter().map(|(_, position)| *position).collect();
        assert_eq!(got, expected, "positions follow the order of writing");
        assert_eq!(delivery::Entity::find().count(store.reader()).await.unwrap(), 1500);
    }

    async fn a_dispatcher_that_lost_its_lease_writes_nothing(store: TestStore) {
        use provider_bridge::store::{StoreError, dispatch};
        let rig = Rig::new(store.clone());
        let (one, two) = (rig.context.new_uuid(), rig.context.new_uuid());
        let span = Duration::from_secs(30);
        let lost = dispatch::lease(&store, &rig.context, one, span).await.unwrap().unwrap();
        assert!(dispatch::lease(&store, &rig.context, two, span).await.unwrap().is_none());
        rig.clock.advance(span);
        let held = dispatch::lease(&store, &rig.context, two, span).await.unwrap().unwrap();
        rig.publish("s", 1).await;
        let refused = dispatch::dispatch(&store, &rig.context, lost, 10).await;
        assert!(matches!(refused, Err(StoreError::NamedLeaseLost(_))), "{refused:?}");
        assert_eq!(positions(&store).await.iter().filter_map(|row| row.1).count(), 0);
        let done = dispatch::dispatch(&store, &rig.context, held, 10).await.unwrap();
        assert_eq!(done.events, 1);
    }

    async fn what_is_over_is_purged_and_what_is_on_its_way_is_kept(store: TestStore) {
        let rig = Rig::new(store.clone());
        let receiver = Receiver::start();
        let subscribed = rig.subscribe(receiver.url()).await;
        rig.publish_all((0..5).map(|n| (format!("s/{n}"), n))).await;
        rig.deliver().await;
        rig.publish("s/9", 9).await;
        rig.dispatch().await;
        rig.clock.advance(Duration::from_secs(3600));
        let later = rig.context.now();
        let purged = event_retention::purge(&store, later).await.unwrap();
        assert_eq!((purged.deliveries, purged.events, purged.subscriptions), (5, 5, 0));
        assert_eq!(rig.deliver().await.delivered, 1);

        let token = secrecy::ExposeSecret::expose_secret(&subscribed.unsubscribe_token);
        rig.flows.unsubscribe(token, None).await.unwrap();
        rig.clock.advance(Duration::from_secs(3600));
        let purged = event_retention::purge(&store, rig.context.now()).await.unwrap();
        assert_eq!((purged.deliveries, purged.events, purged.subscriptions), (1, 1, 1));
        rig.publish("s/9", 10).await;
        rig.dispatch().await;
        assert_eq!(positions(&store).await[0].1, Some(7), "positions go on after a purge");
    }
}
