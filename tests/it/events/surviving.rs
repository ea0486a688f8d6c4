//! Death anywhere delivers twice at worst, under the same id, and never loses an event.

use std::time::Duration;

use provider_bridge::domain::trigger::DeliveryState;
use provider_bridge::events::{Dispatcher, Limits};
use provider_bridge::store::entities::delivery;
use provider_bridge::store::{deliveries, leases};
use sea_orm::EntityTrait;
use tokio_util::sync::CancellationToken;

use super::receiver::{Receiver, Reply};
use super::rig::Rig;
use crate::on_both_engines;
use crate::support::context::context_seeded;

on_both_engines! {
    async fn killed_between_sending_and_recording_it_is_sent_again_under_the_same_id(store: TestStore) {
        let rig = Rig::new(store.clone());
        let receiver = Receiver::start();
        receiver.answers(|_| Reply::Hang);
        rig.subscribe(receiver.url()).await;
        rig.publish_all((0..5).map(|n| (format!("s/{n}"), n))).await;
        rig.dispatch().await;
        tokio::select! {
            _ = rig.deliverer.run_once() => panic!("the receiver never answers"),
            () = receiver.until_received(5) => {}
        }
        let first: Vec<String> = receiver.take().iter().map(|got| got.webhook_id().to_owned()).collect();

        receiver.answers(|_| Reply::Status(202));
        assert_eq!(rig.deliver().await.delivered, 0, "the dead one's claim still holds");
        assert_eq!(rig.deliver_after(Duration::from_secs(120)).await.delivered, 5);
        let mut second: Vec<String> = receiver.take().iter().map(|got| got.webhook_id().to_owned()).collect();
        let mut first = first;
        first.sort();
        second.sort();
        assert_eq!(first, second);
        let rows = delivery::Entity::find().all(store.reader()).await.unwrap();
        assert!(rows.iter().all(|row| row.state == DeliveryState::Delivered.name() && row.attempts == 1));
    }

    async fn a_restart_alone_on_its_database_waits_for_no_claim(store: TestStore) {
        let rig = Rig::new(store.clone());
        let receiver = Receiver::start();
        receiver.answers(|_| Reply::Hang);
        rig.subscribe(receiver.url()).await;
        rig.publish("s", 1).await;
        rig.dispatch().await;
        tokio::select! {
            _ = rig.deliverer.run_once() => panic!("the receiver never answers"),
            () = receiver.until_received(1) => {}
        }
        receiver.answers(|_| Reply::Status(202));
        assert_eq!(deliveries::reclaim_all(&store, &rig.context).await.unwrap(), 1);
        assert_eq!(rig.deliver().await.delivered, 1);
    }

    async fn two_deliverers_send_each_event_once(store: TestStore) {
        let rig = Rig::new(store.clone());
        let other = Rig::with(store.database.open().await, 2, Limits::default());
        let receiver = Receiver::start();
        rig.subscribe(receiver.url()).await;
        rig.publish_all((0..400).map(|n| (format!("s/{}", n % 50), n))).await;
        rig.dispatch().await;
        let (one, two) = tokio::join!(rig.deliverer.run_once(), other.deliverer.run_once());
        let (one, two) = (one.unwrap(), two.unwrap());
        // One may end while the other still holds the head of a subject.
        let rest = rig.deliver().await;
        assert_eq!(one.delivered + two.delivered + rest.delivered, 400);
        let came = receiver.received();
        assert_eq!(came.len(), 400);
        for subject in (0..50).map(|n| format!("s/{n}")) {
            let numbers: Vec<i64> = came.iter().filter(|got| got.subject() == subject).map(|got| got.number()).collect();
            assert!(numbers.is_sorted(), "{subject}: {numbers:?}");
        }
    }

    /// The loops are woken by the commit itself: this test's clock stands still.
    async fn running_loops_deliver_at_once_and_stop_in_good_order(store: TestStore) {
        let rig = Rig::new(store.clone());
        let receiver = Receiver::start();
        let stop = CancellationToken::new();
        let work = async {
            rig.subscribe(receiver.url()).await;
            rig.publish_all((0..50).map(|n| (format!("s/{}", n % 7), n))).await;
            receiver.until_received(50).await;
            receiver.answers(|_| Reply::Status(500));
            rig.publish("s/0", 50).await;
            receiver.until_received(51).await;
            stop.cancel();
        };
        tokio::join!(rig.dispatcher.run(&stop), rig.deliverer.run(&stop), work);
        let rows = delivery::Entity::find().all(store.reader()).await.unwrap();
        let delivered = rows.iter().filter(|row| row.state == DeliveryState::Delivered.name()).count();
        assert_eq!(delivered, 50);
        assert!(rows.iter().all(|row| row.lease_until.is_none()), "nothing stays claimed");

        rig.publish("s/0", 51).await;
        let next = Dispatcher::new(store.database.open().await, context_seeded(2).0);
        assert_eq!(next.run_once().await.unwrap().events, 1, "nobody waits for who left in good order");
    }

    async fn a_restart_alone_on_its_database_dispatches_at_once(store: TestStore) {
        let rig = Rig::new(store.clone());
        rig.publish("s", 1).await;
        assert_eq!(rig.dispatch().await.events, 1);
        rig.publish("s", 2).await;
        let next = Dispatcher::new(store.clone(), context_seeded(2).0);
        assert_eq!(next.run_once().await.unwrap().events, 0, "a dead one's lease holds for others");
        leases::free_all(&store, &rig.context).await.unwrap();
        assert_eq!(next.run_once().await.unwrap().events, 1);
        rig.publish("s", 3).await;
        assert_eq!(rig.dispatch().await.events, 0, "and the dead one, were it alive, writes nothing");
    }

    async fn stopping_puts_back_what_was_not_sent_yet(store: TestStore) {
        let limits = Limits { per_host: 1, total: 1, timeout: Duration::from_millis(300) };
        let rig = Rig::with(store.clone(), 1, limits);
        let receiver = Receiver::start();
        receiver.answers(|_| Reply::Hang);
        rig.subscribe(receiver.url()).await;
        rig.publish_all((0..4).map(|n| (format!("s/{n}"), n))).await;
        rig.dispatch().await;
        let stop = CancellationToken::new();
        tokio::join!(rig.deliverer.run(&stop), async {
            receiver.until_received(1).await;
            stop.cancel();
        });
        assert_eq!(receiver.take().len(), 1);
        receiver.answers(|_| Reply::Status(202));
        assert_eq!(rig.deliver().await.delivered, 3, "due at once, and no try was counted");
        let rows = delivery::Entity::find().all(store.reader()).await.unwrap();
        assert!(rows.iter().all(|row| row.attempts == 1));
    }
}
