//! The rooms that an event goes through, put together on a test's store: flows, dispatcher, deliverer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use provider_bridge::domain::caller::{Actor, ActorKind, Caller, Channel, Role, Roles};
use provider_bridge::domain::context::Context;
use provider_bridge::domain::event::{EventType, NewEvent};
use provider_bridge::domain::ids::SubscriptionId;
use provider_bridge::domain::ports::owner::{Owners, Standing, StandingUnknown};
use provider_bridge::domain::ports::sealer::Sealer;
use provider_bridge::domain::trigger::Subscription;
use provider_bridge::events::{Deliverer, Dispatcher, Limits, Summary};
use provider_bridge::flows::Flows;
use provider_bridge::flows::matcher::Matcher;
use provider_bridge::flows::triggers::{Subscribe, Subscribed};
use provider_bridge::identity::key_ring::KeyRing;
use provider_bridge::net::address_policy::{AddressPolicy, CallbackSettings};
use provider_bridge::net::callback_client::CallbackClient;
use provider_bridge::net::guarded_dns::SystemLookup;
use provider_bridge::store::dispatch::Dispatched;
use provider_bridge::store::retention::Retention;
use provider_bridge::store::{Store, outbox};

use super::absent::Absent;
use crate::support::context::{ManualClock, context_seeded};

/// Owners as the test says; whoever is not named stands well.
#[derive(Default)]
pub struct SaidOwners(Mutex<BTreeMap<String, Result<Standing, StandingUnknown>>>);

impl SaidOwners {
    pub fn say(&self, owner: &str, standing: Result<Standing, StandingUnknown>) {
        self.0.lock().unwrap().insert(owner.to_owned(), standing);
    }
}

#[async_trait]
impl Owners for SaidOwners {
    async fn standing(&self, owner: &str) -> Result<Standing, StandingUnknown> {
        let said = self.0.lock().unwrap().get(owner).cloned();
        said.unwrap_or(Ok(Standing::Good))
    }
}

pub struct Rig {
    pub flows: Flows,
    pub context: Context,
    pub clock: Arc<ManualClock>,
    pub dispatcher: Dispatcher,
    pub deliverer: Arc<Deliverer>,
    pub owners: Arc<SaidOwners>,
}

pub fn caller(key: &str, role: Role) -> Caller {
    Caller {
        actor: Actor {
            kind: ActorKind::Key,
            id: key.to_owned(),
            name: format!("Key {key}"),
        },
        roles: Roles::from([role]),
        channel: Channel::Flow,
        correlation_id: None,
    }
}

/// The caller most tests use.
pub fn owner() -> Caller {
    caller("one", Role::Reader)
}

impl Rig {
    pub fn new(store: Store) -> Self {
        Self::with(store, 1, Limits::default())
    }

    /// One instance; another on the same data needs another seed.
    pub fn with(store: Store, seed: u64, limits: Limits) -> Self {
        let (context, clock) = context_seeded(seed);
        let policy = Arc::new(
            AddressPolicy::new(&CallbackSettings {
                allow_loopback: true,
                ..CallbackSettings::default()
            })
            .unwrap(),
        );
        let sealer: Arc<dyn Sealer> = Arc::new(sealer(&context));
        let owners = Arc::new(SaidOwners::default());
        let deliverer = Arc::new(Deliverer {
            store: store.clone(),
            context: context.clone(),
            client: CallbackClient::new(policy.clone(), Arc::new(SystemLookup)).unwrap(),
            sealer: sealer.clone(),
            owners: owners.clone(),
            environment: "sandbox".into(),
            limits,
        });
        let flows = Flows {
            store: store.clone(),
            context: context.clone(),
            providers: Arc::new(Absent),
            crm: Arc::new(Absent),
            accounts: Arc::new(Absent),
            directory: Arc::new(Absent),
            matcher: Matcher::over(Arc::new(Absent)).unwrap(),
            callbacks: policy,
            sealer,
            retention: Retention {
                events_days: 30,
                jobs_days: 30,
                sync_runs_days: 30,
                exceptions_days: 30,
                crm_notices_days: 7,
            },
            environment: "sandbox".into(),
        };
        Self {
            dispatcher: Dispatcher::new(store, context.clone()),
            flows,
            context,
            clock,
            deliverer,
            owners,
        }
    }

    pub fn store(&self) -> &Store {
        &self.flows.store
    }

    /// Subscribes [`owner`] to mappings at `url`.
    pub async fn subscribe(&self, url: String) -> Subscribed {
        self.subscribe_as(&owner(), url, None).await
    }

    pub async fn subscribe_as(
        &self,
        caller: &Caller,
        url: String,
        workflow: Option<&str>,
    ) -> Subscribed {
        let request = Subscribe {
            event_type: EventType::ProviderAccountMapped,
            callback_url: url.into(),
            workflow_id: workflow.map(str::to_owned),
            label: Some("A flow".to_owned()),
        };
        self.flows.subscribe(caller, request).await.unwrap()
    }

    /// Publishes a mapping event with a number about a subject.
    pub async fn publish(&self, subject: &str, number: i64) {
        self.publish_all([(subject.to_owned(), number)]).await;
    }

    pub async fn publish_all(&self, events: impl IntoIterator<Item = (String, i64)>) {
        let events = events.into_iter().map(|(subject, number)| NewEvent {
            event_type: EventType::ProviderAccountMapped,
            subject,
            data: serde_json::json!({ "number": number }),
        });
        let tx = self.store().begin().await.unwrap();
        outbox::publish(&tx, &self.context, events.collect())
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    pub async fn dispatch(&self) -> Dispatched {
        self.dispatcher.run_once().await.unwrap()
    }

    /// Dispatches and delivers all that is due.
    pub async fn deliver(&self) -> Summary {
        self.dispatch().await;
        self.deliverer.run_once().await.unwrap()
    }

    /// Delivers after some time.
    pub async fn deliver_after(&self, wait: Duration) -> Summary {
        self.clock.advance(wait);
        self.deliver().await
    }

    pub async fn subscription(&self, id: SubscriptionId) -> Subscription {
        self.flows
            .get_trigger(&caller("boss", Role::Admin), id)
            .await
            .unwrap()
    }
}

fn sealer(context: &Context) -> impl Sealer + use<> {
    let key = base64::engine::general_purpose::STANDARD.encode([7; 32]);
    let ring = KeyRing::parse(&[format!("test:{key}").into()]).unwrap();
    provider_bridge::identity::sealing::RingSealer::new(&ring, context.clone())
}
