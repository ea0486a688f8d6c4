//! Deliveries of one subject go one after the other; nothing else waits for anything.

use std::time::Duration;

use provider_bridge::domain::caller::Role;
use provider_bridge::events::Limits;

use super::receiver::{Receiver, Reply};
use super::rig::{Rig, caller};
use crate::on_both_engines;

on_both_engines! {
    async fn events_of_one_subject_arrive_in_order_whatever_fails(store: TestStore) {
        let rig = Rig::new(store.clone());
        let receiver = Receiver::start();
        rig.subscribe(receiver.url()).await;
        receiver.answers(|got| Reply::Status(if got.number() == 1 { 503 } else { 202 }));
        let one = (1..=4).map(|n| ("provider-account/1".to_owned(), n));
        let other = (11..=13).map(|n| ("provider-account/2".to_owned(), n));
        rig.publish_all(one.chain(other)).await;
        let done = rig.deliver().await;
        assert_eq!((done.delivered, done.failed), (3, 1));
        let came = receiver.take();
        let subject_one: Vec<_> = came.iter().filter(|got| got.number() < 10).collect();
        assert_eq!(subject_one.len(), 1, "the rest of its subject waits for the first");
        let others: Vec<i64> = came.iter().map(|got| got.number()).filter(|n| *n > 10).collect();
        assert_eq!(others, [11, 12, 13]);

        receiver.answers(|_| Reply::Status(202));
        assert_eq!(rig.deliver().await.delivered, 0, "its time has not come");
        assert_eq!(rig.deliver_after(Duration::from_secs(10)).await.delivered, 4);
        let numbers: Vec<i64> = receiver.take().iter().map(|got| got.number()).collect();
        assert_eq!(numbers, [1, 2, 3, 4]);
    }

    async fn order_holds_for_many_subjects_over_failures(store: TestStore) {
        let rig = Rig::new(store.clone());
        let receiver = Receiver::start();
        rig.subscribe(receiver.url()).await;
        // Every fifth call fails, whoever it hits.
        let calls = std::sync::atomic::AtomicU32::new(0);
        receiver.answers(move |_| {
            let call = calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            Reply::Status(if call % 5 == 4 { 500 } else { 200 })
        });
        rig.publish_all((0..300).map(|n| (format!("s/{}", n % 20), n))).await;
        let mut delivered = rig.deliver().await.delivered;
        while delivered < 300 {
            let done = rig.deliver_after(Duration::from_secs(30 * 60)).await;
            delivered += done.delivered;
            assert_eq!(done.dead, 0);
        }
        let mut arrived: Vec<(String, i64, String)> = Vec::new();
        for got in receiver.take() {
            // A call that was answered with 500 comes again under the same id: keep its last one.
            let id = got.webhook_id().to_owned();
            arrived.retain(|(_, _, known)| *known != id);
            arrived.push((got.subject().to_owned(), got.number(), id));
        }
        for subject in (0..20).map(|n| format!("s/{n}")) {
            let numbers: Vec<i64> = arrived.iter().filter(|a| a.0 == subject).map(|a| a.1).collect();
            assert_eq!(numbers.len(), 15, "{subject}");
            assert!(numbers.is_sorted(), "{subject}: {numbers:?}");
        }
    }

    async fn a_receiver_that_hangs_holds_up_nobody_else(store: TestStore) {
        let limits = Limits { per_host: 2, total: 4, timeout: Duration::from_millis(300) };
        let rig = Rig::with(store.clone(), 1, limits);
        let (slow, quick) = (Receiver::start(), Receiver::start());
        slow.answers(|_| Reply::Hang);
        rig.subscribe(slow.url()).await;
        rig.subscribe_as(&caller("two", Role::Reader), quick.url(), None).await;
        rig.publish_all((0..40).map(|n| (format!("s/{n}"), n))).await;
        rig.dispatch().await;
        let all = tokio::join!(rig.deliverer.run_once(), async {
            quick.until_received(40).await;
            slow.received().len()
        });
        assert!(all.1 <= 8, "only two calls at a time were open to the slow one, not {}", all.1);
        let done = all.0.unwrap();
        assert_eq!(done.delivered, 40);
        assert!(done.failed > 0);
    }
}
