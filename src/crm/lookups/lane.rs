//! One cache with its counters, and the one way through it: a fresh copy at once; else one load for all who wait.

use std::hash::Hash;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt;
use metrics::{Counter, counter};
use moka::future::Cache;
use moka::ops::compute::Op;

use crate::domain::context::Context;
use crate::domain::ports::crm::CrmError;
use crate::domain::ports::provider::FailureKind;

/// Nothing stays longer, whatever the clock says.
const MOST_KEPT: Duration = Duration::from_secs(3600);
/// So often a load is begun anew because something changed under it; then its answer is given, but not kept.
const TRIES: usize = 3;

/// A copy.
#[derive(Clone)]
struct Kept<V> {
    value: V,
    fetched_at: DateTime<Utc>,
    /// The number of [`super::changes::Changes`] from before it was asked for.
    change: u64,
}

/// When a copy counts.
pub(super) struct Terms<'a, Fresh, Change> {
    pub(super) context: &'a Context,
    pub(super) fresh_for: Fresh,
    pub(super) shown_unchecked_for: Duration,
    pub(super) change: Change,
}

impl<Fresh, Change: Fn() -> u64> Terms<'_, Fresh, Change> {
    fn fresh<V>(&self, kept: &Kept<V>) -> bool
    where
        Fresh: Fn(&V) -> Duration,
    {
        self.unchanged(kept) && self.younger(kept, (self.fresh_for)(&kept.value))
    }

    fn unchanged<V>(&self, kept: &Kept<V>) -> bool {
        kept.change == (self.change)()
    }

    /// A clock that was set back must not keep a copy for ever, so the distance counts both ways.
    fn younger<V>(&self, kept: &Kept<V>, than: Duration) -> bool {
        let age = (self.context.now() - kept.fetched_at).abs();
        TimeDelta::from_std(than).is_ok_and(|than| age < than)
    }
}

struct Counters {
    hits: Counter,
    misses: Counter,
    loads: Counter,
    load_failures: Counter,
}

/// The cache of one kind of lookup.
pub(super) struct Lane<K, V> {
    kept: Cache<K, Kept<V>>,
    counters: Counters,
}

impl<K, V> Lane<K, V>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    pub(super) fn new(kind: &'static str, most: u64) -> Self {
        Self {
            kept: Cache::builder()
                .max_capacity(most)
                .time_to_live(MOST_KEPT)
                .build(),
            counters: Counters {
                hits: counter!("crm_lookup_hits_total", "kind" => kind),
                misses: counter!("crm_lookup_misses_total", "kind" => kind),
                loads: counter!("crm_lookup_loads_total", "kind" => kind),
                load_failures: counter!("crm_lookup_load_failures_total", "kind" => kind),
            },
        }
    }

    /// The value of `key`, from the cache or by `load`, which is given the copy that no longer counts.
    pub(super) async fn get<Fresh, Change, Load, Loading>(
        &self,
        key: &K,
        terms: &Terms<'_, Fresh, Change>,
        load: Load,
    ) -> Result<V, CrmError>
    where
        Fresh: Fn(&V) -> Duration,
        Change: Fn() -> u64,
        Load: Fn(Option<V>) -> Loading,
        Loading: Future<Output = Result<V, CrmError>>,
    {
        let known = self.kept.get(key).await;
        if let Some(kept) = &known
            && terms.fresh(kept)
        {
            self.counters.hits.increment(1);
            return Ok(kept.value.clone());
        }
        self.counters.misses.increment(1);
        let outcome = self.load(key, terms, known.as_ref(), load).await;
        match (outcome, known) {
            (Err(error), Some(kept)) if passing(&error) && terms.unchanged(&kept) => {
                if !terms.younger(&kept, terms.shown_unchecked_for) {
                    return Err(error);
                }
                // Back in for the next one who asks, unless something better came meanwhile.
                let value = kept.value.clone();
                let entry = self.kept.entry_by_ref(key);
                entry.or_insert_with(std::future::ready(kept)).await;
                Ok(value)
            }
            (outcome, _) => outcome,
        }
    }

    async fn load<Fresh, Change, Load, Loading>(
        &self,
        key: &K,
        terms: &Terms<'_, Fresh, Change>,
        known: Option<&Kept<V>>,
        load: Load,
    ) -> Result<V, CrmError>
    where
        Fresh: Fn(&V) -> Duration,
        Change: Fn() -> u64,
        Load: Fn(Option<V>) -> Loading,
        Loading: Future<Output = Result<V, CrmError>>,
    {
        let mut tries = TRIES;
        loop {
            self.drop_unless(key, |kept| terms.fresh(kept)).await;
            let loading = async {
                let change = (terms.change)();
                self.counters.loads.increment(1);
                let loaded = load(known.map(|kept| kept.value.clone())).await;
                let value = loaded.inspect_err(|_| self.counters.load_failures.increment(1))?;
                let fetched_at = terms.context.now();
                Ok(Kept {
                    value,
                    fetched_at,
                    change,
                })
            };
            let loaded = self.kept.try_get_with_by_ref(key, loading).await;
            let kept = loaded.map_err(|error: std::sync::Arc<CrmError>| (*error).clone())?;
            tries -= 1;
            if terms.unchanged(&kept) {
                return Ok(kept.value);
            }
            if tries == 0 {
                self.drop_unless(key, |kept| terms.fresh(kept)).await;
                return Ok(kept.value);
            }
        }
    }

    /// Takes a copy out, unless it counts: somebody else may have put a better one in since we looked.
    async fn drop_unless(&self, key: &K, counts: impl Fn(&Kept<V>) -> bool) {
        let entry = self.kept.entry_by_ref(key);
        let done = entry.and_compute_with(|entry| {
            let keep = entry.is_none_or(|entry| counts(entry.value()));
            std::future::ready(if keep { Op::Nop } else { Op::Remove })
        });
        done.await;
    }

    /// The copy that is here, fresh or not. Counts as neither hit nor miss.
    pub(super) fn last(&self, key: &K) -> Option<V> {
        let kept = self.kept.get(key).now_or_never().flatten();
        kept.map(|kept| kept.value)
    }

    /// Puts in a copy that was read elsewhere.
    pub(super) fn put(&self, key: K, value: V, fetched_at: DateTime<Utc>, change: u64) {
        let kept = Kept {
            value,
            fetched_at,
            change,
        };
        // It waits for nothing unless moka's own bookkeeping is behind, and then moka finishes it later by itself.
        let _ = self.kept.insert(key, kept).now_or_never();
    }
}

/// The CRM may answer again later; what it last said is still the best there is.
fn passing(error: &CrmError) -> bool {
    matches!(error.kind, FailureKind::Transient | FailureKind::Throttled)
}
