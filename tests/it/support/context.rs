//! Time and chance for tests: a clock that only moves when told to, and chance that is the same in every run.
//!
//! Surprising: code under test that sleeps in a loop is woken once for each [`ManualClock::advance`], however far that
//! goes, because it goes to sleep again only after it was polled. Wait with [`ManualClock::sleepers_reach`] until it
//! sleeps, advance, and wait again; or turn on [`ManualClock::advance_by_itself`] when the instants do not matter.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use chrono::{DateTime, TimeZone, Utc};
use provider_bridge::domain::context::{Chance, Clock, Context, Sleep};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use tokio::sync::oneshot;

/// A context at a fixed instant with seeded chance, and its clock to move by hand.
pub fn context() -> (Context, Arc<ManualClock>) {
    context_seeded(1)
}

/// As [`context`], with other chance: two services on one store must not draw the same ids.
pub fn context_seeded(seed: u64) -> (Context, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new());
    (
        Context::new(clock.clone(), Arc::new(SeededChance::new(seed))),
        clock,
    )
}

const A_WEEK: Duration = Duration::from_secs(7 * 86_400);

/// A clock that stands still until a test moves it.
pub struct ManualClock {
    state: Mutex<State>,
}

struct State {
    now: DateTime<Utc>,
    by_itself: bool,
    sleepers: Vec<(DateTime<Utc>, oneshot::Sender<()>)>,
}

impl State {
    /// Wakes who has slept long enough, the earliest first, and forgets who no longer waits.
    fn wake(&mut self) {
        self.sleepers.sort_by_key(|(until, _)| *until);
        let due = self
            .sleepers
            .partition_point(|(until, _)| *until <= self.now);
        for (_, waker) in self.sleepers.drain(..due) {
            let _ = waker.send(());
        }
        self.sleepers.retain(|(_, waker)| !waker.is_closed());
    }
}

impl ManualClock {
    /// Stands at noon on 1 June 2026, UTC: no daylight-saving change, month's end or leap day near it.
    pub fn new() -> Self {
        let now = Utc.with_ymd_and_hms(2026, 6, 1, 12, 0, 0).unwrap();
        Self {
            state: Mutex::new(State {
                now,
                by_itself: false,
                sleepers: Vec::new(),
            }),
        }
    }

    /// Moves the clock on and wakes every sleeper whose time has come.
    pub fn advance(&self, by: Duration) {
        let mut state = self.state();
        state.now += by;
        state.wake();
    }

    /// Puts the clock to an instant, backwards too, as a real clock that is corrected can go.
    pub fn set(&self, now: DateTime<Utc>) {
        let mut state = self.state();
        state.now = now;
        state.wake();
    }

    /// From now on whoever sleeps moves the clock on by as long at once, and only yields. Who would sleep for more than a
    /// week is left to sleep.
    pub fn advance_by_itself(&self) {
        let mut state = self.state();
        state.by_itself = true;
        if let Some(last) = state.sleepers.iter().map(|(until, _)| *until).max() {
            state.now = state.now.max(last);
        }
        state.wake();
    }

    /// How long until the next sleeper wakes; `None` when nobody sleeps.
    pub fn next_wake(&self) -> Option<Duration> {
        let mut state = self.state();
        state.wake();
        let (until, _) = state.sleepers.first()?;
        (*until - state.now).to_std().ok()
    }

    /// Returns once at least `count` sleep on this clock, so that a test advances it only when the code under test has
    /// got so far. Fails after ten real seconds.
    pub async fn sleepers_reach(&self, count: usize) {
        let enough = async {
            loop {
                {
                    let mut state = self.state();
                    state.wake();
                    if state.sleepers.len() >= count {
                        return;
                    }
                }
                tokio::task::yield_now().await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(10), enough).await;
        assert!(
            waited.is_ok(),
            "fewer than {count} went to sleep on the clock"
        );
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        self.state().now
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        let mut state = self.state();
        let until = state.now + duration;
        if (state.by_itself && duration <= A_WEEK) || duration.is_zero() {
            state.now = until;
            state.wake();
            return Box::pin(tokio::task::yield_now());
        }
        let (waker, woken) = oneshot::channel();
        state.sleepers.push((until, waker));
        Box::pin(async move {
            let _ = woken.await;
        })
    }
}

/// Chance that is the same in every run of a test.
pub struct SeededChance(Mutex<ChaCha20Rng>);

impl SeededChance {
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(ChaCha20Rng::seed_from_u64(seed)))
    }
}

impl Chance for SeededChance {
    fn fill(&self, bytes: &mut [u8]) {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .fill_bytes(bytes);
    }
}

#[actix_web::test]
async fn a_sleeper_wakes_when_the_clock_has_passed_its_time_and_not_before() {
    let (context, clock) = context();
    let sleeper = context.clone();
    let task = actix_web::rt::spawn(async move { sleeper.sleep(Duration::from_secs(60)).await });
    clock.sleepers_reach(1).await;
    assert_eq!(clock.next_wake(), Some(Duration::from_secs(60)));

    clock.advance(Duration::from_secs(59));
    tokio::task::yield_now().await;
    assert!(!task.is_finished());

    clock.advance(Duration::from_secs(1));
    task.await.unwrap();
    assert_eq!(clock.next_wake(), None);
}

#[actix_web::test]
async fn a_clock_that_advances_by_itself_never_waits() {
    let (context, clock) = context();
    clock.advance_by_itself();
    let before = context.now();
    context.sleep(Duration::from_secs(86_400)).await;
    assert_eq!(context.now() - before, chrono::Duration::days(1));
}

#[actix_web::test]
async fn a_sleeper_that_was_given_up_is_forgotten() {
    let (context, clock) = context();
    drop(context.sleep(Duration::from_secs(60)));
    drop(clock.sleep(Duration::from_secs(60)));
    assert_eq!(clock.next_wake(), None);
}

#[actix_web::test]
async fn a_clock_put_back_wakes_nobody_and_put_ahead_wakes_all() {
    let (context, clock) = context();
    let began = context.now();
    let sleeper = context.clone();
    let task = actix_web::rt::spawn(async move { sleeper.sleep(Duration::from_secs(1)).await });
    clock.sleepers_reach(1).await;
    clock.set(began - Duration::from_secs(3600));
    assert_eq!(clock.next_wake(), Some(Duration::from_secs(3601)));
    clock.set(began + Duration::from_secs(2));
    task.await.unwrap();
}

#[test]
fn chance_repeats_by_its_seed() {
    let draw = |seed| context_seeded(seed).0.new_uuid();
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
}
