//! The loops of a running service. Each is restarted should it panic, and all of them can run in many instances at once:
//! leases and fences in the store keep them apart.

use std::sync::Arc;
use std::time::Duration;

use super::crm::CrmParts;
use super::tasks::Tasks;
use crate::events::deliverer::Deliverer;
use crate::events::dispatcher::Dispatcher;
use crate::flows::Flows;
use crate::identity::standings::Standings;
use crate::jobs::Runner;
use crate::store::{Engine, Signal};

/// A lost listening connection is made again after so long.
const LISTEN_AGAIN: Duration = Duration::from_secs(2);

/// The keys of token issuers are fetched anew this often: a rotated key is known before its first token comes.
const REFRESH_KEYS: Duration = Duration::from_secs(3600);

/// Who we are in the CRM is asked for again after so long, while it did not say.
const ASK_WHO_WE_ARE: Duration = Duration::from_secs(60);

/// Starts all of them.
pub(super) fn start(
    tasks: &Tasks,
    flows: &Flows,
    runner: Runner,
    dispatcher: Dispatcher,
    deliverer: Deliverer,
    callers: Standings,
    crm: CrmParts,
) {
    let Standings { keys, bearer } = callers;
    tasks.supervise("jobs", move |stop| {
        let runner = runner.clone();
        async move { runner.run(&stop).await }
    });
    let dispatcher = Arc::new(dispatcher);
    tasks.supervise("dispatcher", move |stop| {
        let dispatcher = dispatcher.clone();
        async move { dispatcher.run(&stop).await }
    });
    let deliverer = Arc::new(deliverer);
    tasks.supervise("deliverer", move |stop| {
        let deliverer = deliverer.clone();
        async move { deliverer.run(&stop).await }
    });
    tasks.supervise("key watch", move |stop| {
        let keys = keys.clone();
        async move {
            stop.run_until_cancelled(keys.watch()).await;
        }
    });
    let context = flows.context.clone();
    tasks.supervise("issuer keys", move |stop| {
        let (bearer, context) = (bearer.clone(), context.clone());
        async move {
            while stop
                .run_until_cancelled(context.sleep(REFRESH_KEYS))
                .await
                .is_some()
            {
                bearer.refresh_keys().await;
            }
        }
    });
    let (us, context) = (flows.crm.clone(), flows.context.clone());
    tasks.supervise("own user", move |stop| {
        let (us, context) = (us.clone(), context.clone());
        async move {
            let learn = async {
                while us.learn_own_user().await.is_err() {
                    context.sleep(ASK_WHO_WE_ARE).await;
                }
            };
            if stop.run_until_cancelled(learn).await.is_some() {
                stop.cancelled().await;
            }
        }
    });
    let watched = flows.clone();
    tasks.supervise("account watch", move |stop| {
        let (crm, flows) = (crm.clone(), watched.clone());
        async move {
            stop.run_until_cancelled(crm.watch(&flows)).await;
        }
    });
    let flows = flows.clone();
    match flows.store.engine() {
        Engine::Sqlite => tasks.supervise("checkpoints", move |stop| {
            let flows = flows.clone();
            async move {
                stop.run_until_cancelled(make_checkpoints(&flows)).await;
            }
        }),
        Engine::Postgres => tasks.supervise("listener", move |stop| {
            let flows = flows.clone();
            async move {
                stop.run_until_cancelled(listen(&flows)).await;
            }
        }),
    }
}

async fn make_checkpoints(flows: &Flows) {
    if let Err(error) = flows.store.make_checkpoints(&flows.context).await {
        let error = &error as &dyn std::error::Error;
        tracing::warn!(
            error,
            "no checkpoint could be made; commits make them until it can"
        );
    }
}

/// Passes on the signals of other instances. After a lost connection nobody knows what was missed, so everything that
/// caches is told to look again.
async fn listen(flows: &Flows) {
    loop {
        if let Err(error) = flows.store.listen().await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "word from other instances was lost for a moment"
            );
        }
        for signal in [
            Signal::Jobs,
            Signal::Events,
            Signal::Deliveries,
            Signal::KeysChanged,
            Signal::NoticeRefused,
        ] {
            flows.store.signals().send(signal);
        }
        flows
            .store
            .signals()
            .send(Signal::AccountsChanged(Vec::new()));
        flows.context.sleep(LISTEN_AGAIN).await;
    }
}
