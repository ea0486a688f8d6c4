//! Claims, leases, tries, and Jobs that are asked for while they run.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use provider_bridge::domain::caller::Caller;
use provider_bridge::domain::context::Context;
use provider_bridge::domain::ids::{JobId, ProviderId, SyncRunId};
use provider_bridge::domain::job::{Job, JobLease, JobState, JobWork, MAX_ATTEMPTS};
use provider_bridge::domain::sync_run::{RunCounts, RunOutcome, SyncRun};
use provider_bridge::store::jobs::{self, Ending, Enqueued};
use provider_bridge::store::{Store, StoreError, sync_runs};
use serde_json::json;

use crate::on_both_engines;
use crate::support::context::{ManualClock, context};

const LEASE: Duration = Duration::from_secs(60);

/// A queue as one instance sees it.
struct Queue {
    store: Store,
    context: Context,
    clock: Arc<ManualClock>,
}

impl Queue {
    fn of(store: &Store) -> Self {
        let (context, clock) = context();
        Self {
            store: store.clone(),
            context,
            clock,
        }
    }

    async fn ask(&self, work: &JobWork) -> Enqueued {
        let tx = self.store.begin().await.unwrap();
        let by = Caller::service("test");
        let enqueued = jobs::enqueue(&tx, &self.context, &by, work, None)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        enqueued
    }

    async fn claim(&self) -> Option<(Job, JobLease)> {
        jobs::claim(&self.store, &self.context, LEASE)
            .await
            .unwrap()
    }

    async fn end(&self, lease: JobLease, ending: Ending) -> Result<JobState, StoreError> {
        let tx = self.store.begin().await.unwrap();
        let state = jobs::end(&tx, &self.context, lease, ending).await?;
        tx.commit().await.unwrap();
        Ok(state)
    }

    async fn cancel(&self, id: JobId) {
        let tx = self.store.begin().await.unwrap();
        assert!(jobs::cancel(&tx, &self.context, id).await.unwrap());
        tx.commit().await.unwrap();
    }

    async fn succeed(&self, lease: JobLease) {
        let ended = self.end(lease, Ending::Succeeded(json!({}))).await;
        assert_eq!(ended.unwrap(), JobState::Succeeded);
    }
}

on_both_engines! {
    async fn what_is_asked_for_while_it_waits_runs_once(store: TestStore) {
        let queue = Queue::of(&store);
        let first = queue.ask(&JobWork::AutoMatch).await;
        let second = queue.ask(&JobWork::AutoMatch).await;

        assert_eq!(second, Enqueued::AlreadyThere(first.job_id()));
        let (job, lease) = queue.claim().await.unwrap();
        assert_eq!(job.id, first.job_id());
        queue.succeed(lease).await;
        assert_eq!(queue.claim().await, None);
    }

    /// What it was asked about may have come after it passed.
    async fn what_is_asked_for_while_it_runs_runs_once_more(store: TestStore) {
        let queue = Queue::of(&store);
        queue.ask(&JobWork::AutoMatch).await;
        let (running, lease) = queue.claim().await.unwrap();
        for _ in 0..3 {
            assert_eq!(queue.ask(&JobWork::AutoMatch).await, Enqueued::AlreadyThere(running.id));
        }
        assert_eq!(queue.claim().await, None, "at most one runs");

        queue.succeed(lease).await;

        let (follower, lease) = queue.claim().await.unwrap();
        assert_ne!(follower.id, running.id);
        assert_eq!((follower.work, follower.attempts), (JobWork::AutoMatch, 1));
        queue.succeed(lease).await;
        assert_eq!(queue.claim().await, None, "once, however often it was asked for");
    }

    async fn a_failed_one_that_was_asked_for_again_runs_once_more(store: TestStore) {
        let queue = Queue::of(&store);
        queue.ask(&JobWork::AutoMatch).await;
        let (_, lease) = queue.claim().await.unwrap();
        queue.ask(&JobWork::AutoMatch).await;
        assert_eq!(queue.end(lease, Ending::Failed("no".to_owned())).await.unwrap(), JobState::Failed);

        assert!(queue.claim().await.is_some());
    }

    async fn a_cancelled_one_runs_once_more_for_what_is_asked_after_that_and_not_before(store: TestStore) {
        let queue = Queue::of(&store);
        queue.ask(&JobWork::AutoMatch).await;
        let (running, lease) = queue.claim().await.unwrap();
        queue.ask(&JobWork::AutoMatch).await;
        queue.cancel(running.id).await;
        assert_eq!(queue.end(lease, Ending::Cancelled).await.unwrap(), JobState::Cancelled);
        assert_eq!(queue.claim().await, None);

        queue.ask(&JobWork::AutoMatch).await;
        let (running, lease) = queue.claim().await.unwrap();
        queue.cancel(running.id).await;
        assert_eq!(queue.ask(&JobWork::AutoMatch).await, Enqueued::AlreadyThere(running.id));
        assert_eq!(queue.end(lease, Ending::Cancelled).await.unwrap(), JobState::Cancelled);
        assert!(queue.claim().await.is_some(), "what was asked for last is not forgotten");
    }

    /// A new try starts over and sees everything.
    async fn a_new_try_settles_what_was_asked_for_before_it(store: TestStore) {
        let queue = Queue::of(&store);
        queue.ask(&JobWork::AutoMatch).await;
        let (_, lease) = queue.claim().await.unwrap();
        queue.ask(&JobWork::AutoMatch).await;
        assert_eq!(queue.end(lease, Ending::Released).await.unwrap(), JobState::Waiting);

        let (_, lease) = queue.claim().await.unwrap();
        queue.succeed(lease).await;

        assert_eq!(queue.claim().await, None);
    }

    async fn who_lost_the_lease_can_write_nothing_more(store: TestStore) {
        let queue = Queue::of(&store);
        queue.ask(&JobWork::Sweep).await;
        let (_, lapsed) = queue.claim().await.unwrap();
        assert_eq!(queue.claim().await, None);
        queue.clock.advance(LEASE + Duration::from_secs(1));

        let (job, taken_over) = queue.claim().await.unwrap();

        assert_eq!(job.attempts, 2);
        let tx = queue.store.begin().await.unwrap();
        assert!(matches!(jobs::guard(&tx, lapsed).await, Err(StoreError::LeaseLost(id)) if id == job.id));
        jobs::guard(&tx, taken_over).await.unwrap();
        drop(tx);
        assert!(queue.end(lapsed, Ending::Succeeded(json!({}))).await.is_err());
        assert!(!jobs::renew(&queue.store, &queue.context, lapsed, LEASE).await.unwrap());
        queue.succeed(taken_over).await;
    }

    async fn after_the_last_try_it_is_given_up_with_the_reason(store: TestStore) {
        let queue = Queue::of(&store);
        let id = queue.ask(&JobWork::Sweep).await.job_id();
        for attempt in 1..=MAX_ATTEMPTS {
            let (job, lease) = queue.claim().await.unwrap();
            assert_eq!(job.attempts, attempt);
            let at = queue.context.now() + TimeDelta::seconds(30);
            let ending = Ending::Retry { error: format!("try {attempt}"), at };
            let state = queue.end(lease, ending).await.unwrap();
            let last = attempt == MAX_ATTEMPTS;
            assert_eq!(state, if last { JobState::Failed } else { JobState::Retry });
            assert_eq!(queue.claim().await, None, "not before its time");
            queue.clock.advance(Duration::from_secs(31));
        }
        assert_eq!(queue.claim().await, None);
        let job = jobs::find(queue.store.reader(), id).await.unwrap().unwrap();
        assert_eq!(job.error.as_deref(), Some("try 5"));
    }

    async fn a_cancelled_one_that_waits_never_runs_and_one_that_runs_is_stopped(store: TestStore) {
        let queue = Queue::of(&store);
        let waiting = queue.ask(&JobWork::Sweep).await.job_id();
        let cancel = async |id| {
            let tx = queue.store.begin().await.unwrap();
            let there_was = jobs::cancel(&tx, &queue.context, id).await.unwrap();
            tx.commit().await.unwrap();
            there_was
        };
        assert!(cancel(waiting).await);
        assert!(!cancel(waiting).await);
        assert_eq!(queue.claim().await, None);

        let running = queue.ask(&JobWork::Sweep).await.job_id();
        let (_, lease) = queue.claim().await.unwrap();
        assert!(cancel(running).await);

        let tx = queue.store.begin().await.unwrap();
        assert!(jobs::guard(&tx, lease).await.is_err());
        drop(tx);
        assert!(jobs::cancel_requested(queue.store.reader(), lease).await.unwrap());
    }

    /// Else it would go on for ever in the eyes of everybody.
    async fn a_job_that_ends_badly_closes_the_run_it_left_open(store: TestStore) {
        let queue = Queue::of(&store);
        let provider_id = ProviderId::new(queue.context.new_uuid());
        for ending in [Ending::Failed("no".to_owned()), Ending::Cancelled] {
            queue.ask(&JobWork::SyncProviderAccounts { provider_id }).await;
            let (_, lease) = queue.claim().await.unwrap();
            let run = SyncRun {
                id: SyncRunId::new(queue.context.new_uuid()),
                provider_id,
                job_id: lease.job_id,
                started_at: queue.context.now(),
                finished_at: None,
                outcome: RunOutcome::Running,
                counts: RunCounts { listed: 7, ..RunCounts::default() },
                notes: vec!["a note".to_owned()],
                correlation_ids: Vec::new(),
            };
            let tx = store.begin().await.unwrap();
            sync_runs::begin(&tx, &run).await.unwrap();
            tx.commit().await.unwrap();
            queue.clock.advance(Duration::from_secs(5));

            queue.end(lease, ending).await.unwrap();

            let closed = sync_runs::latest(store.reader(), Some(provider_id), 1).await.unwrap().remove(0);
            assert_eq!((closed.outcome, closed.finished_at), (RunOutcome::Incomplete, Some(queue.context.now())));
            assert_eq!(closed.counts, run.counts);
            assert_eq!(closed.notes, ["a note", "the job ended before the run had"]);
        }
    }

    /// Many instances ask at once, and many claim at once.
    async fn of_many_at_once_one_is_queued_and_one_claims_it(store: TestStore) {
        let queue = Queue::of(&store);
        let asked = futures_util::future::join_all((0..8).map(|_| queue.ask(&JobWork::SyncCrmDirectory))).await;
        let new = asked.iter().filter(|enqueued| matches!(enqueued, Enqueued::New(_))).count();
        assert_eq!(new, 1, "{asked:?}");

        let claimed = futures_util::future::join_all((0..8).map(|_| queue.claim())).await;

        assert_eq!(claimed.iter().flatten().count(), 1);
    }
}
