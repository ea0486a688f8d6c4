//! A running service, and how it stops: no new requests, then the loops, then the server, then what
//! its last requests wait for, then the database.

use std::fs::File;
use std::net::SocketAddr;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};

use super::tasks::{Tasks, detach};
use crate::flows::Flows;

/// Loops have so long to finish what they are doing.
const PATIENCE: Duration = Duration::from_secs(25);

/// A running service.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// The business operations, for the demo and for tests.
    pub flows: Flows,
    server: ServerHandle,
    tasks: Tasks,
    behind_server: Tasks,
    lock: Option<File>,
}

impl Running {
    /// Sets the server going, among loops that end before it and others that end behind it.
    pub(super) fn new(
        server: Server,
        address: SocketAddr,
        (tasks, behind_server): (Tasks, Tasks),
        flows: Flows,
        lock: Option<File>,
    ) -> Self {
        let handle = server.handle();
        detach(server);
        Self {
            address,
            flows,
            server: handle,
            tasks,
            behind_server,
            lock,
        }
    }

    /// Where it is reached from this machine.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops in good order.
    pub async fn stop(self) {
        if !self.tasks.stop(PATIENCE).await {
            tracing::warn!(
                "a background task did not stop in time; its work is taken up at the next start"
            );
        }
        self.server.stop(true).await;
        if !self.behind_server.stop(PATIENCE).await {
            tracing::warn!(
                "what keeps webhooks did not stop in time; Dynamics was not told that its last ones are kept"
            );
        }
        self.flows.store.close().await;
        drop(self.lock);
    }
}

/// Waits for Ctrl-C or a termination signal.
pub async fn told_to_stop() {
    let interrupt = tokio::signal::ctrl_c();
    match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => drop(interrupt.await),
    }
}
