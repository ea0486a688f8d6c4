//! Owning trigger subscriptions: once per flow, a hundred at most, ended by the token alone.

use provider_bridge::domain::caller::{ActorKind, Caller, Role, Roles};
use provider_bridge::domain::event::EventType;
use provider_bridge::domain::ids::SubscriptionId;
use provider_bridge::domain::trigger::{DeliveryState, SubscriptionState};
use provider_bridge::flows::FlowError;
use provider_bridge::flows::triggers::Subscribe;
use provider_bridge::store::entities::{audit, delivery};
use sea_orm::EntityTrait;
use secrecy::ExposeSecret as _;

use super::receiver::{Receiver, Reply};
use super::rig::{Rig, caller, owner};
use crate::on_both_engines;

fn request(url: &str) -> Subscribe {
    Subscribe {
        event_type: EventType::ProviderAccountMapped,
        callback_url: url.to_owned().into(),
        workflow_id: None,
        label: None,
    }
}

on_both_engines! {
    async fn saving_a_flow_again_takes_the_old_place_and_loses_nothing(store: TestStore) {
        let rig = Rig::new(store.clone());
        let (old, new) = (Receiver::start(), Receiver::start());
        let first = rig.subscribe_as(&owner(), old.url(), Some("flow-1")).await;
        let elsewhere = rig.subscribe_as(&owner(), old.url(), Some("flow-2")).await;
        old.answers(|_| Reply::Status(503));
        rig.publish_all([("s".to_owned(), 1), ("s".to_owned(), 2)]).await;
        rig.deliver().await;
        rig.publish("s", 3).await;
        let second = rig.subscribe_as(&owner(), new.url(), Some("flow-1")).await;
        let retired = rig.subscription(first.subscription.id).await;
        assert_eq!(retired.state, SubscriptionState::Retired);
        assert_eq!(
            retired.state_reason,
            Some(format!("superseded by {}", second.subscription.id))
        );
        assert_eq!(rig.subscription(elsewhere.subscription.id).await.state, SubscriptionState::Active);
        old.answers(|_| Reply::Status(202));
        rig.deliver_after(std::time::Duration::from_secs(60)).await;
        let numbers: Vec<i64> = new.received().iter().map(|got| got.number()).collect();
        assert_eq!(numbers, [1, 2, 3]);
        // The old token still ends only the old one.
        rig.flows.unsubscribe(first.unsubscribe_token.expose_secret(), None).await.unwrap();
        assert_eq!(rig.subscription(second.subscription.id).await.state, SubscriptionState::Active);
    }

    async fn the_token_alone_unsubscribes_and_any_other_is_a_success_too(store: TestStore) {
        let rig = Rig::new(store.clone());
        let receiver = Receiver::start();
        let subscribed = rig.subscribe(receiver.url()).await;
        let token = subscribed.unsubscribe_token.expose_secret();
        assert_eq!(token.len(), 43, "256 bits");
        rig.publish("s", 1).await;
        rig.dispatch().await;
        for unknown in ["", "x", &subscribed.subscription.id.to_string()] {
            rig.flows.unsubscribe(unknown, None).await.unwrap();
        }
        assert_eq!(rig.subscription(subscribed.subscription.id).await.state, SubscriptionState::Active);
        for _ in 0..2 {
            rig.flows.unsubscribe(token, Some("run-1".to_owned())).await.unwrap();
        }
        assert_eq!(rig.subscription(subscribed.subscription.id).await.state, SubscriptionState::Retired);
        assert_eq!(rig.deliver().await.delivered, 0);
        let rows = delivery::Entity::find().all(store.reader()).await.unwrap();
        assert_eq!(rows[0].state, DeliveryState::Cancelled.name());
        let entries = audit::Entity::find().all(store.reader()).await.unwrap();
        let actions: Vec<&str> = entries.iter().map(|entry| entry.action.as_str()).collect();
        assert_eq!(actions, ["trigger.subscribed", "trigger.unsubscribed"]);
        assert_eq!((entries[1].actor_kind.as_str(), entries[1].actor_id.as_str()), ("key", "one"));
    }

    async fn a_test_event_goes_to_one_subscription_and_is_marked(store: TestStore) {
        let rig = Rig::new(store.clone());
        let (mine, others) = (Receiver::start(), Receiver::start());
        let subscribed = rig.subscribe(mine.url()).await;
        rig.subscribe_as(&caller("two", Role::Reader), others.url(), None).await;
        let id = subscribed.subscription.id;
        let refused = rig.flows.send_test_event(&caller("two", Role::Reader), id).await;
        assert!(matches!(refused, Err(FlowError::NotFound { .. })));
        let delivery = rig.flows.send_test_event(&owner(), id).await.unwrap();
        assert_eq!(rig.deliver().await.delivered, 1);
        let [got] = <[_; 1]>::try_from(mine.take()).unwrap();
        assert_eq!(got.webhook_id(), delivery.id.to_string());
        assert_eq!(got.body["eventId"], got.webhook_id());
        assert_eq!(got.body["eventType"], "provider-account.mapped");
        assert_eq!(got.body["data"]["test"], true);
        assert!(got.body["data"]["accountId"].is_string());
        assert!(others.take().is_empty());
        let seen = rig.flows.get_delivery(&owner(), delivery.id).await.unwrap();
        assert_eq!((seen.state, seen.last_status), (DeliveryState::Delivered, Some(202)));

        rig.flows.unsubscribe(subscribed.unsubscribe_token.expose_secret(), None).await.unwrap();
        let refused = rig.flows.send_test_event(&owner(), id).await;
        assert!(matches!(refused, Err(FlowError::Conflict { .. })));
    }

    async fn an_owner_has_a_hundred_subscriptions_at_most_and_sees_only_its_own(store: TestStore) {
        let rig = Rig::new(store.clone());
        let url = "http://127.0.0.1:9/x".to_owned();
        for flow in 0..100 {
            rig.subscribe_as(&owner(), url.clone(), Some(&format!("flow-{flow}"))).await;
        }
        let refused = rig.flows.subscribe(&owner(), request(&url)).await.unwrap_err();
        assert!(matches!(refused, FlowError::Conflict { .. }), "{refused}");
        rig.subscribe_as(&owner(), url.clone(), Some("flow-99")).await;
        rig.subscribe_as(&caller("two", Role::Sales), url, None).await;

        let mut pages = Vec::new();
        let mut after: Option<SubscriptionId> = None;
        loop {
            let page = rig.flows.list_triggers(&owner(), false, after, 33).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            pages.extend(page);
        }
        assert_eq!(pages.len(), 100);
        assert!(pages.iter().all(|found| found.owner == "key:one"));
        let all = rig.flows.list_triggers(&caller("boss", Role::Admin), true, None, 500).await.unwrap();
        assert_eq!(all.len(), 102);
    }

    async fn a_request_that_breaks_a_rule_is_refused_and_writes_nothing(store: TestStore) {
        let rig = Rig::new(store.clone());
        let good = "http://127.0.0.1:9/x";
        for url in ["https://10.0.0.1/x?sig=canary", "http://example.com/x?sig=canary", "canary"] {
            let refused = rig.flows.subscribe(&owner(), request(url)).await.unwrap_err();
            assert!(matches!(refused, FlowError::Callback(_)), "{refused}");
            assert!(!refused.to_string().contains("canary"), "{refused}");
        }
        let session = Caller {
            actor: provider_bridge::domain::caller::Actor {
                kind: ActorKind::Session,
                ..owner().actor
            },
            ..owner()
        };
        let nobody = Caller { roles: Roles::new(), ..owner() };
        assert!(matches!(rig.flows.subscribe(&session, request(good)).await, Err(FlowError::Invalid(_))));
        assert!(matches!(rig.flows.subscribe(&nobody, request(good)).await, Err(FlowError::Forbidden(_))));
        let long = Subscribe { label: Some("x".repeat(201)), ..request(good) };
        assert!(matches!(rig.flows.subscribe(&owner(), long).await, Err(FlowError::Invalid(_))));
        assert!(audit::Entity::find().all(store.reader()).await.unwrap().is_empty());
        assert!(rig.flows.list_triggers(&owner(), true, None, 10).await.unwrap().is_empty());
    }
}
