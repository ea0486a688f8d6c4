//! What is claimed and not yet recorded, by receiving host. It decides how much more to claim, so that a slow host fills
//! its own share and nobody else's, and hands out the permits that bound how many calls are open at once.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, Semaphore};

use crate::store::deliveries::{Due, Quota};

/// Claimed ahead for each call that may be open.
pub(super) const AHEAD: usize = 4;

/// The state of one run of the deliverer.
pub(super) struct Flight {
    per_host: usize,
    total: usize,
    all: Arc<Semaphore>,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    hosts: HashMap<String, Host>,
    claimed: usize,
    round: usize,
}

struct Host {
    claimed: usize,
    open: Arc<Semaphore>,
}

impl Flight {
    /// At most `per_host` calls open to one host and `total` in all.
    pub(super) fn new(per_host: usize, total: usize) -> Self {
        Self {
            per_host: per_host.max(1),
            total: total.max(1),
            all: Arc::new(Semaphore::new(total.max(1))),
            state: Mutex::default(),
            changed: Notify::new(),
        }
    }

    /// How much more to claim of each subscription. Hosts share what is free evenly, and so do the subscriptions of a
    /// host; the turn goes round, so that none is always last.
    pub(super) fn share(&self, due: &[Due]) -> Vec<Quota> {
        let mut state = self.state();
        state.round = state.round.wrapping_add(1);
        let mut hosts: BTreeMap<&str, Vec<&Due>> = BTreeMap::new();
        for due in due {
            let host = due.subscription.callback_host.as_str();
            hosts.entry(host).or_default().push(due);
        }
        let mut free = (self.total * AHEAD).saturating_sub(state.claimed);
        let mut quotas = Vec::new();
        let count = hosts.len();
        for (place, (host, mut due)) in hosts.into_iter().enumerate() {
            let claimed = state.hosts.get(host).map_or(0, |host| host.claimed);
            let room = (self.per_host * AHEAD).saturating_sub(claimed);
            if room * 2 < self.per_host * AHEAD {
                // Many small claims would cost a transaction each; what is claimed keeps the host busy meanwhile.
                continue;
            }
            let of_host = room.min(free.div_ceil(count - place));
            let each = of_host.div_ceil(due.len().max(1));
            let turn = state.round % due.len().max(1);
            due.rotate_left(turn);
            let mut left = of_host;
            for due in due {
                let most = each.min(left);
                left -= most;
                free -= most;
                if let (1.., Ok(most)) = (most, u32::try_from(most)) {
                    quotas.push(Quota {
                        subscription: due.subscription.id,
                        most,
                    });
                }
            }
        }
        quotas
    }

    /// One more is claimed for `host`.
    pub(super) fn take(&self, host: &str) {
        let mut state = self.state();
        state.claimed += 1;
        let per_host = self.per_host;
        let host = state.hosts.entry(host.to_owned()).or_insert_with(|| Host {
            claimed: 0,
            open: Arc::new(Semaphore::new(per_host)),
        });
        host.claimed += 1;
    }

    /// These are recorded. Wakes whoever waits in [`Self::changed`].
    pub(super) fn give_back<'a>(&self, hosts: impl Iterator<Item = &'a str>) {
        let mut state = self.state();
        for name in hosts {
            state.claimed = state.claimed.saturating_sub(1);
            if let Some(host) = state.hosts.get_mut(name) {
                host.claimed = host.claimed.saturating_sub(1);
                if host.claimed == 0 {
                    state.hosts.remove(name);
                }
            }
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Waits for [`Self::give_back`].
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Whether nothing is claimed.
    pub(super) fn is_empty(&self) -> bool {
        self.state().claimed == 0
    }

    /// The permits of a host, and of all.
    pub(super) fn permits(&self, host: &str) -> [Arc<Semaphore>; 2] {
        let state = self.state();
        let of_host = state.hosts.get(host).map(|host| Arc::clone(&host.open));
        [
            of_host.unwrap_or_else(|| Arc::clone(&self.all)),
            Arc::clone(&self.all),
        ]
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
