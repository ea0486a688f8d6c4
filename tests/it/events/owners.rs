//! A subscription whose owner lost the key or the role is silent before the next delivery.

use std::time::Duration;

use provider_bridge::domain::caller::{Actor, ActorKind, Caller, Channel, Role, Roles};
use provider_bridge::domain::ports::owner::{Owners, Standing, StandingUnknown};
use provider_bridge::domain::trigger::SubscriptionState;
use provider_bridge::identity::api_keys::ApiKeys;
use provider_bridge::identity::bearer::BearerTokens;
use provider_bridge::identity::owner_standing::OwnerStanding;
use provider_bridge::identity::standings::Standings;

use super::receiver::Receiver;
use super::rig::{Rig, caller, owner};
use crate::on_both_engines;
use crate::support::http::loopback_client;

on_both_engines! {
    async fn an_owner_who_lost_standing_gets_nothing_until_it_is_back(store: TestStore) {
        let rig = Rig::new(store.clone());
        let receiver = Receiver::start();
        let id = rig.subscribe(receiver.url()).await.subscription.id;
        rig.subscribe_as(&caller("two", Role::Reader), receiver.url(), None).await;
        rig.publish("s", 1).await;
        rig.dispatch().await;
        rig.owners.say("key:one", Ok(Standing::Lost("the API key was revoked".to_owned())));
        assert_eq!(rig.deliver().await.delivered, 1, "the other owner's");
        let subscription = rig.subscription(id).await;
        assert_eq!(subscription.state, SubscriptionState::Suspended);
        assert_eq!(subscription.state_reason.as_deref(), Some("the API key was revoked"));
        rig.publish("s", 2).await;
        assert_eq!(rig.deliver().await.delivered, 1, "no deliveries are made meanwhile");

        rig.owners.say("key:one", Ok(Standing::Good));
        assert_eq!(rig.deliver().await.delivered, 1, "what waited goes out");
        assert_eq!(rig.subscription(id).await.state, SubscriptionState::Active);
        assert_eq!(receiver.received().len(), 3);
    }

    async fn deliveries_wait_while_nobody_knows_the_owners_standing(store: TestStore) {
        let rig = Rig::new(store.clone());
        let receiver = Receiver::start();
        let id = rig.subscribe(receiver.url()).await.subscription.id;
        rig.publish("s", 1).await;
        rig.owners.say("key:one", Err(StandingUnknown("no answer".to_owned())));
        assert_eq!(rig.deliver().await.delivered, 0);
        assert_eq!(rig.subscription(id).await.state, SubscriptionState::Active);
        rig.owners.say("key:one", Ok(Standing::Good));
        assert_eq!(rig.deliver().await.delivered, 1);
    }

    async fn revoking_an_api_key_is_losing_standing(store: TestStore) {
        let rig = Rig::new(store.clone());
        let keys = ApiKeys::new(store.clone(), rig.context.clone());
        let admin = caller("boss", Role::Admin);
        let made = keys.create(&admin, "flows", Roles::from([Role::Reader])).await.unwrap();
        let owner = Caller {
            actor: Actor {
                kind: ActorKind::Key,
                id: made.0.id.to_string(),
                name: "flows".to_owned(),
            },
            roles: Roles::from([Role::Reader]),
            channel: Channel::Flow,
            correlation_id: None,
        };
        let standing = OwnerStanding::new(Standings {
            keys: keys.clone(),
            bearer: BearerTokens::new(store.clone(), rig.context.clone(), &loopback_client(), None),
        });
        let key = owner.actor.key();
        assert_eq!(Owners::standing(&standing, &key).await, Ok(Standing::Good));
        keys.revoke(&admin, made.0.id).await.unwrap();
        let lost = Owners::standing(&standing, &key).await;
        assert!(matches!(lost, Ok(Standing::Lost(_))), "{lost:?}");
    }
}

#[actix_web::test]
async fn a_call_that_waited_long_for_its_turn_asks_again() {
    // The slow receiver holds the only permit; meanwhile the owner of the waiting delivery loses the key.
    use provider_bridge::events::Limits;
    use provider_bridge::store::Engine;

    use super::receiver::Reply;
    use crate::support::stores::TestStore;

    let store = TestStore::create(Engine::Sqlite).await;
    let limits = Limits {
        per_host: 1,
        total: 1,
        timeout: Duration::from_millis(400),
    };
    let rig = Rig::with(store.clone(), 1, limits);
    let receiver = Receiver::start();
    receiver.answers(|_| Reply::Hang);
    rig.subscribe_as(&owner(), receiver.url(), None).await;
    rig.publish_all([("a".to_owned(), 1), ("b".to_owned(), 2)])
        .await;
    rig.dispatch().await;
    let (_, done) = tokio::join!(
        async {
            receiver.until_received(1).await;
            rig.owners
                .say("key:one", Ok(Standing::Lost("revoked".to_owned())));
            rig.clock.advance(Duration::from_millis(2001));
        },
        rig.deliverer.run_once()
    );
    assert_eq!(receiver.received().len(), 1);
    let done = done.unwrap();
    assert_eq!((done.delivered, done.failed, done.released), (0, 1, 1));
}
