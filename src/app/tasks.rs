//! The supervised task set: the loops of the service. A loop that panics is logged and started again; all of them are told
//! to end together.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::runtime::Builder;
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

/// The loops of one service. They end with it: those on threads of their own would outlive everything else.
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
    pub fn supervise<F, L>(&self, name: &'static str, body: F)
    where
        F: FnMut(CancellationToken) -> L + Send + 'static,
        L: Future<Output = ()> + Send + 'static,
    {
        let looping = keep_going(name, self.context.clone(), self.stop.clone(), body);
        self.tracker.spawn(looping);
    }

    /// Does the same on a thread of its own: for the one loop whose next step requests wait for, which neither they nor
    /// another loop may keep from the processor.
    ///
    /// # Errors
    /// When the thread or its runtime cannot be made.
    pub fn supervise_on_own_thread<F, L>(&self, name: &'static str, body: F) -> std::io::Result<()>
    where
        F: FnMut(CancellationToken) -> L + Send + 'static,
        L: Future<Output = ()> + Send + 'static,
    {
        let looping = keep_going(name, self.context.clone(), self.stop.clone(), body);
        let until_it_ended = self.tracker.token();
        let (tell, told) = mpsc::sync_channel(1);
        // The runtime is made there, because it must not be dropped within this one when there is no thread for it.
        let run = move || match Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => {
                let _ = tell.send(Ok(()));
                runtime.block_on(looping);
                drop(runtime);
                drop(until_it_ended);
            }
            Err(error) => drop(tell.send(Err(error))),
        };
        thread::Builder::new().name(name.to_owned()).spawn(run)?;
        told.recv().map_err(std::io::Error::other)?
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

impl Drop for Tasks {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Makes the loop, and makes it again when it ended, until it is told to stop.
async fn keep_going<F, L>(
    name: &'static str,
    context: Context,
    stop: CancellationToken,
    mut body: F,
) where
    F: FnMut(CancellationToken) -> L,
    L: Future<Output = ()>,
{
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
}
