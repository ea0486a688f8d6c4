//! The supervised task set: the loops of the service. A loop that panics is logged and started again; all of them end
//! together, and what they do is finished first.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::domain::context::Context;

/// A loop that panicked or ended too early begins again after so long.
const PAUSE: Duration = Duration::from_secs(1);

/// Runs a server that is stopped through its own handle.
#[expect(
    clippy::disallowed_methods,
    reason = "a server ends through its handle, not with the task set"
)]
pub fn detach<F>(server: F)
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    drop(tokio::spawn(server));
}

/// The loops of one service.
pub struct Tasks {
    context: Context,
    stop: CancellationToken,
    tracker: TaskTracker,
}

impl Tasks {
    /// An empty set.
    #[must_use]
    pub fn new(context: Context) -> Self {
        Self {
            context,
            stop: CancellationToken::new(),
            tracker: TaskTracker::new(),
        }
    }

    /// Tells loops to stop.
    #[must_use]
    pub const fn stop_token(&self) -> &CancellationToken {
        &self.stop
    }

    /// Runs a loop until the set stops. `body` makes the loop, and makes it again when it ended before that.
    pub fn supervise<F, L>(&self, name: &'static str, mut body: F)
    where
        F: FnMut(CancellationToken) -> L + Send + 'static,
        L: Future<Output = ()> + Send,
    {
        let stop = self.stop.clone();
        let context = self.context.clone();
        self.tracker.spawn(async move {
            while !stop.is_cancelled() {
                if AssertUnwindSafe(body(stop.clone()))
                    .catch_unwind()
                    .await
                    .is_err()
                {
                    tracing::error!(task = name, "a background task panicked; it starts again");
                    metrics::counter!("background_task_panics_total", "task" => name).increment(1);
                }
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = context.sleep(PAUSE) => {}
                }
            }
        });
    }

    /// Tells every loop to stop and waits until it has, at most `patience`. Says whether all did.
    pub async fn stop(&self, patience: Duration) -> bool {
        self.stop.cancel();
        self.tracker.close();
        tokio::select! {
            () = self.tracker.wait() => true,
            () = self.context.sleep(patience) => false,
        }
    }
}
