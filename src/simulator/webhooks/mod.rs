//! The webhook sender of Dataverse: what changes in accounts and contacts is posted to every registered endpoint, in the
//! documented shape and with its oddities: three kinds of authentication, one retry on 502, 503 and 504 and on nothing
//! else, 60 seconds of patience, and a body over 256 KB without what made it large.
//!
//! What surprises: changes are posted by a task of its own, after the change; [`Webhooks::idle`] waits until all are. Faults of
//! the operation `webhook` double, swap, mangle or swell them.

mod notice;
mod post;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::http::Method;
use actix_web::http::header::HeaderMap;
use actix_web::web::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;

use super::exchange::{Call, Upstream};
use super::faults::{FaultKind, Faults, Target};
use crate::domain::context::Context;
use post::{Outgoing, post};

pub(super) use notice::{Message, Notice};

/// The operation that its faults name.
const OPERATION: &str = "webhook";
/// A receiver has so long to answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// Posts that are remembered.
const REMEMBERED: usize = 1000;

/// How a webhook proves where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum WebhookAuthentication {
    /// A header.
    HttpHeader {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
    /// `?code=`
    WebhookKey {
        /// The key.
        value: String,
    },
    /// Any parameter of the query.
    HttpQueryString {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
}

/// Where changes are posted to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WebhookEndpoint {
    /// The address.
    pub url: String,
    /// How it is proved.
    pub authentication: WebhookAuthentication,
}

/// One post, as it went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Posted {
    /// Its message, e.g. `Update`.
    pub message: &'static str,
    /// Its table.
    pub table: &'static str,
    /// The status of each try; 0 when there was no answer.
    pub answers: Vec<u16>,
    /// Bytes of its body.
    pub bytes: usize,
}

/// The sender. Cheap to clone; all clones are the same.
#[derive(Debug, Clone)]
pub struct Webhooks(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    endpoints: Mutex<Vec<WebhookEndpoint>>,
    posted: Mutex<Vec<Posted>>,
    queue: UnboundedSender<Notice>,
    /// Notices that were queued and are not posted yet.
    waiting: watch::Sender<usize>,
}

/// What the sender's task works on.
pub(super) struct Sender {
    webhooks: Webhooks,
    queue: UnboundedReceiver<Notice>,
    context: Context,
    faults: Faults,
    client: reqwest::Client,
    organisation: String,
}

impl Webhooks {
    /// A sender, and what its task has to run.
    pub(super) fn new(context: Context, faults: Faults) -> (Self, Sender) {
        let (sender, queue) = unbounded_channel();
        let webhooks = Self(Arc::new(Inner {
            endpoints: Mutex::default(),
            posted: Mutex::default(),
            queue: sender,
            waiting: watch::Sender::new(0),
        }));
        let sender = Sender {
            webhooks: webhooks.clone(),
            queue,
            context,
            faults,
            client: post::client(),
            organisation: String::new(),
        };
        (webhooks, sender)
    }

    /// Posts every change from now on to this endpoint too.
    pub fn register(&self, endpoint: WebhookEndpoint) {
        self.endpoints().push(endpoint);
    }

    /// Posts nothing any more.
    pub fn unregister_all(&self) {
        self.endpoints().clear();
    }

    /// The endpoints.
    #[must_use]
    pub fn list(&self) -> Vec<WebhookEndpoint> {
        self.endpoints().clone()
    }

    /// What was posted, the oldest first; the last thousand.
    #[must_use]
    pub fn posted(&self) -> Vec<Posted> {
        self.posts().clone()
    }

    /// Waits until everything that changed was posted.
    pub async fn idle(&self) {
        let mut waiting = self.0.waiting.subscribe();
        // The sender of the count lives as long as this.
        let _ = waiting.wait_for(|waiting| *waiting == 0).await;
    }

    /// Takes what changed; without an endpoint nobody is told.
    pub(super) fn tell(&self, notices: Vec<Notice>) {
        if self.endpoints().is_empty() {
            return;
        }
        for notice in notices {
            self.0.waiting.send_modify(|waiting| *waiting += 1);
            // The task may be gone at the end.
            let _ = self.0.queue.send(notice);
        }
    }

    fn endpoints(&self) -> std::sync::MutexGuard<'_, Vec<WebhookEndpoint>> {
        self.0
            .endpoints
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn posts(&self) -> std::sync::MutexGuard<'_, Vec<Posted>> {
        self.0.posted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sender {
    /// Of the organisation that is reached under this host.
    pub(super) fn from(mut self, organisation: String) -> Self {
        self.organisation = organisation;
        self
    }

    /// Posts until it is aborted.
    pub(super) async fn run(mut self) {
        let mut held: Option<(Notice, Vec<FaultKind>)> = None;
        while let Some(notice) = self.queue.recv().await {
            let hits = self.hits();
            if hits.contains(&FaultKind::NoticeSwapped) && held.is_none() && !self.queue.is_empty()
            {
                held = Some((notice, hits));
                continue;
            }
            self.send(&notice, &hits).await;
            if let Some((late, hits)) = held.take() {
                self.send(&late, &hits).await;
            }
        }
    }

    /// The faults that hit the next notice.
    fn hits(&self) -> Vec<FaultKind> {
        let call = Call {
            method: Method::POST,
            path: String::new(),
            query: String::new(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            origin: String::new(),
        };
        self.faults.hitting(&Target {
            upstream: Upstream::Dataverse,
            operation: OPERATION,
            call: &call,
            page: 1,
            now: self.context.now(),
        })
    }

    async fn send(&self, notice: &Notice, hits: &[FaultKind]) {
        let outgoing = Outgoing::of(notice, &self.context, &self.organisation, hits);
        let times = if hits.contains(&FaultKind::NoticeDoubled) {
            2
        } else {
            1
        };
        for endpoint in self.webhooks.list() {
            for _ in 0..times {
                let answers = self.try_twice(&endpoint, &outgoing).await;
                let mut posts = self.webhooks.posts();
                if posts.len() == REMEMBERED {
                    posts.remove(0);
                }
                posts.push(Posted {
                    message: notice.message.name(),
                    table: notice.table,
                    answers,
                    bytes: outgoing.body.len(),
                });
            }
        }
        self.webhooks
            .0
            .waiting
            .send_modify(|waiting| *waiting = waiting.saturating_sub(1));
    }

    /// Once, and once more when the receiver said that it is only for now.
    async fn try_twice(&self, endpoint: &WebhookEndpoint, outgoing: &Outgoing) -> Vec<u16> {
        let mut answers = Vec::new();
        while answers.len() < 2 {
            let answer = tokio::select! {
                answer = post(&self.client, endpoint, outgoing) => answer,
                () = self.context.sleep(PATIENCE) => 0,
            };
            answers.push(answer);
            if ![502, 503, 504].contains(&answer) {
                break;
            }
        }
        answers
    }
}
