//! Receivers that refuse, ask to wait, or are gone.

use std::time::Duration;

use provider_bridge::domain::caller::Role;
use provider_bridge::domain::trigger::{DeliveryState, SubscriptionState};
use provider_bridge::flows::FlowError;
use provider_bridge::store::entities::exception;
use sea_orm::EntityTrait;

use super::receiver::{Receiver, Reply};
use super::rig::{Rig, caller, owner};
use crate::on_both_engines;

const HOUR: Duration = Duration::from_secs(3600);

async fn open_exceptions(rig: &Rig) -> Vec<exception::Model> {
    let all = exception::Entity::find()
        .all(rig.store().reader())
        .await
        .unwrap();
    all.into_iter()
        .filter(|row| row.closed_at.is_none())
        .collect()
}

on_both_engines! {
    async fn retry_after_is_honoured(store: TestStore) {
        let rig = Rig::new(store.clone());
        let receiver = Receiver::start();
        rig.subscribe(receiver.url()).await;
        receiver.answers(|_| Reply::Later(429, 600));
        rig.publish("s", 1).await;
        assert_eq!(rig.deliver().await.failed, 1);
        receiver.answers(|_| Reply::Status(202));
        assert_eq!(rig.deliver_after(Duration::from_secs(599)).await.delivered, 0);
        assert_eq!(rig.deliver_after(Duration::from_secs(61)).await.delivered, 1);
    }

    async fn gone_retires_at_once_and_cancels_the_rest(store: TestStore) {
        let rig = Rig::new(store.clone());
        let receiver = Receiver::start();
        let subscribed = rig.subscribe(receiver.url()).await;
        receiver.answers(|_| Reply::Status(410));
        rig.publish_all((0..3).map(|n| ("s".to_owned(), n))).await;
        rig.deliver().await;
        assert_eq!(receiver.received().len(), 1);
        let subscription = rig.subscription(subscribed.subscription.id).await;
        assert_eq!(subscription.state, SubscriptionState::Retired);
        assert!(subscription.state_reason.unwrap().contains("410"));
        assert!(open_exceptions(&rig).await.is_empty(), "the receiver itself said so");
        assert_eq!(rig.deliver_after(HOUR * 72).await, provider_bridge::events::Summary::default());
        rig.publish("s", 9).await;
        assert_eq!(rig.dispatch().await.deliveries, 0);
    }

    async fn a_day_of_refusals_and_nothing_else_retires_with_an_exception(store: TestStore) {
        let rig = Rig::new(store.clone());
        for status in [401, 403, 404] {
            let receiver = Receiver::start();
            let workflow = format!("flow-{status}");
            let subscribed = rig.subscribe_as(&owner(), receiver.url(), Some(&workflow)).await;
            let id = subscribed.subscription.id;
            receiver.answers(move |_| Reply::Status(status));
            rig.publish("s", 1).await;
            rig.deliver().await;
            for _ in 0..23 {
                rig.deliver_after(HOUR).await;
            }
            assert_eq!(rig.subscription(id).await.state, SubscriptionState::Active);
            assert!(open_exceptions(&rig).await.is_empty());
            rig.deliver_after(HOUR).await;
            let subscription = rig.subscription(id).await;
            assert_eq!(subscription.state, SubscriptionState::Retired, "{status}");
            let [exception] = <[_; 1]>::try_from(open_exceptions(&rig).await).unwrap();
            assert_eq!(exception.kind, "trigger-refused");
            assert!(exception.detail.contains(&receiver.host()), "{}", exception.detail);
            assert!(!exception.detail.contains("canary"), "{}", exception.detail);

            // Subscribing the flow anew mends it.
            let again = rig.subscribe_as(&owner(), receiver.url(), Some(&workflow)).await;
            assert!(open_exceptions(&rig).await.is_empty());
            receiver.answers(|_| Reply::Status(202));
            rig.publish("s", 2).await;
            assert_eq!(rig.deliver().await.delivered, 1);
            let token = secrecy::ExposeSecret::expose_secret(&again.unsubscribe_token).to_owned();
            rig.flows.unsubscribe(&token, None).await.unwrap();
        }
    }

    async fn one_other_answer_ends_the_day_of_refusals(store: TestStore) {
        let rig = Rig::new(store.clone());
        let receiver = Receiver::start();
        let id = rig.subscribe(receiver.url()).await.subscription.id;
        receiver.answers(|_| Reply::Status(404));
        rig.publish("refused", 1).await;
        rig.deliver().await;
        for _ in 0..20 {
            rig.deliver_after(HOUR).await;
        }
        receiver.answers(|got| Reply::Status(if got.number() == 1 { 404 } else { 202 }));
        rig.publish("welcome", 2).await;
        assert_eq!(rig.deliver().await.delivered, 1);
        for _ in 0..23 {
            rig.deliver_after(HOUR).await;
        }
        assert_eq!(rig.subscription(id).await.state, SubscriptionState::Active);
    }

    async fn a_delivery_is_dead_after_ten_tries_and_can_be_sent_again(store: TestStore) {
        let rig = Rig::new(store.clone());
        let receiver = Receiver::start();
        rig.subscribe(receiver.url()).await;
        receiver.answers(|got| Reply::Status(if got.number() == 1 { 302 } else { 202 }));
        rig.publish_all([("s".to_owned(), 1), ("s".to_owned(), 2)]).await;
        let mut dead = rig.deliver().await.dead;
        let begun = rig.context.now();
        while dead == 0 {
            dead = rig.deliver_after(HOUR).await.dead;
        }
        let days = (rig.context.now() - begun).num_hours() / 24;
        assert!((2..=4).contains(&days), "{days}");
        let tries = receiver.take();
        assert_eq!(tries.iter().filter(|got| got.number() == 1).count(), 10);
        assert_eq!(tries.last().unwrap().number(), 2, "its subject goes on after it");

        let stranger = caller("two", Role::Billing);
        assert!(rig.flows.list_dead_deliveries(&stranger, None, 10).await.unwrap().is_empty());
        let listed = rig.flows.list_dead_deliveries(&owner(), None, 10).await.unwrap();
        let [letter] = <[_; 1]>::try_from(listed).unwrap();
        assert_eq!((letter.attempts, letter.last_status), (10, Some(302)));
        assert_eq!(letter.last_error.as_deref(), Some("the receiver answered 302"));
        let refused = rig.flows.redeliver(&stranger, letter.id).await.unwrap_err();
        assert!(matches!(refused, FlowError::NotFound { .. }));

        receiver.answers(|_| Reply::Status(202));
        let again = rig.flows.redeliver(&owner(), letter.id).await.unwrap();
        assert_eq!((again.state, again.attempts), (DeliveryState::Pending, 0));
        rig.flows.redeliver(&owner(), letter.id).await.unwrap();
        assert_eq!(rig.deliver().await.delivered, 1);
        let [got] = <[_; 1]>::try_from(receiver.take()).unwrap();
        assert_eq!(got.webhook_id(), tries[0].webhook_id());
        let settled = rig.flows.get_delivery(&owner(), letter.id).await.unwrap();
        assert_eq!(settled.state, DeliveryState::Delivered);
    }
}
