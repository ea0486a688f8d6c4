//! Waiting for work: a signal of the store, a timer for when one was missed, or the end.

use std::time::Duration;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use crate::domain::context::Context;
use crate::store::{Signal, Store};

/// Wakes a loop for one kind of signal.
pub(super) struct Wake {
    signals: Receiver<Signal>,
    wanted: Signal,
}

impl Wake {
    /// Hears `wanted` from now on; make it before the first look, so that nothing falls in between.
    pub(super) fn new(store: &Store, wanted: Signal) -> Self {
        Self {
            signals: store.signals().subscribe(),
            wanted,
        }
    }

    /// Returns at the next wanted signal, after `poll`, or when it is time to stop.
    pub(super) async fn next(
        &mut self,
        context: &Context,
        poll: Duration,
        stop: &CancellationToken,
    ) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = context.sleep(poll) => {}
            () = self.signal() => {}
        }
    }

    /// Returns at the next wanted signal.
    pub(super) async fn signal(&mut self) {
        loop {
            match self.signals.recv().await {
                Ok(signal) if signal == self.wanted => break,
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => break,
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
        // What has piled up meanwhile is answered by the same look.
        while self.signals.try_recv().is_ok() {}
    }
}
