//! What the CRM told us by webhook, kept before it is answered (decision 9). The row, the Job that reads the CRM's changes
//! and the word to forget cached copies commit together.
//!
//! What surprises: one writer keeps them all, and what arrives while it commits shares its next commit, so that a burst
//! costs a few commits and not one each. It runs beside the requests, whose thread would let each of its steps wait for
//! dozens of them.

use std::sync::Arc;

use sea_orm::ActiveValue::Set;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::entities::crm_notice;
use super::error::StoreError;
use super::{Signal, Store, WriteTx, bulk, exceptions, jobs};
use crate::domain::caller::Caller;
use crate::domain::context::Context;
use crate::domain::crm_notice::CrmNotice;
use crate::domain::exception::ExceptionKind;
use crate::domain::job::JobWork;

/// Notices in one transaction at most.
const MOST_TOGETHER: usize = 256;
/// Whoever comes when so many wait, waits to be let in.
const MOST_WAITING: usize = 1024;
/// The subject of the exception that an unknown secret opens.
pub const SUBJECT: &str = "dataverse/webhook";

/// A notice with what came along.
#[derive(Debug, Clone)]
pub struct ReceivedNotice {
    /// What it says.
    pub notice: CrmNotice,
    /// Headers worth keeping; nothing secret among them.
    pub headers: serde_json::Value,
    /// The body as it came.
    pub body: Vec<u8>,
}

struct Waiting {
    received: ReceivedNotice,
    own: bool,
    kept: oneshot::Sender<bool>,
}

/// Where notices wait for their commit. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct NoticeInbox(mpsc::Sender<Waiting>);

/// Keeps what comes into a [`NoticeInbox`]. Cheap to clone; one of the clones works at a time.
#[derive(Clone)]
pub struct NoticeWriter {
    waiting: Arc<Mutex<mpsc::Receiver<Waiting>>>,
    store: Store,
    context: Context,
}

/// An inbox, and who keeps what comes into it.
#[must_use]
pub fn inbox(store: Store, context: Context) -> (NoticeInbox, NoticeWriter) {
    let (inbox, waiting) = mpsc::channel(MOST_WAITING);
    let writer = NoticeWriter {
        waiting: Arc::new(Mutex::new(waiting)),
        store,
        context,
    };
    (NoticeInbox(inbox), writer)
}

impl NoticeInbox {
    /// Keeps a notice; when this returns, it is durable. An `own` one, of what we wrote ourselves, makes the copies in
    /// memory go, and nothing else.
    ///
    /// # Errors
    /// When it could not be kept: the database refused, or nobody writes any more.
    pub async fn keep(&self, received: ReceivedNotice, own: bool) -> Result<(), StoreError> {
        let (kept, answer) = oneshot::channel();
        let waiting = Waiting {
            received,
            own,
            kept,
        };
        let not_kept = || StoreError::Unavailable("the notice could not be kept".to_owned());
        self.0.send(waiting).await.map_err(|_| not_kept())?;
        match answer.await {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(not_kept()),
        }
    }
}

impl NoticeWriter {
    /// Keeps what comes until it is stopped.
    pub async fn run(&self, stop: &CancellationToken) {
        let mut waiting = self.waiting.lock().await;
        let mut together = Vec::with_capacity(MOST_TOGETHER);
        let more = async {
            loop {
                while together.len() < MOST_TOGETHER
                    && let Ok(one) = waiting.try_recv()
                {
                    together.push(one);
                }
                if together.is_empty() && waiting.recv_many(&mut together, MOST_TOGETHER).await == 0
                {
                    return;
                }
                let now = bulk::in_two_statements(together.len());
                self.keep(together.drain(..now)).await;
            }
        };
        stop.run_until_cancelled(more).await;
    }

    async fn keep(&self, together: impl Iterator<Item = Waiting>) {
        let (waiting, notices): (Vec<_>, Vec<_>) = together
            .map(|one| (one.kept, (one.received, one.own)))
            .unzip();
        let written = write(&self.store, &self.context, notices).await;
        if let Err(error) = &written {
            let error = error as &dyn std::error::Error;
            tracing::error!(error, notices = waiting.len(), "notices could not be kept");
        }
        metrics::counter!("crm_notice_commits_total").increment(1);
        metrics::counter!("crm_notices_total").increment(waiting.len() as u64);
        for one in waiting {
            // Who no longer waits has gone away.
            let _ = one.send(written.is_ok());
        }
    }
}

/// Keeps notices, each with whether it is of our own writing.
async fn write(
    store: &Store,
    context: &Context,
    together: Vec<(ReceivedNotice, bool)>,
) -> Result<(), StoreError> {
    let concerning =
        |(received, own): &(ReceivedNotice, bool)| !own && received.notice.concerns_directory();
    let concerned = together.iter().any(concerning);
    let accounts: Vec<_> = together
        .iter()
        .flat_map(|(received, _)| received.notice.accounts())
        .collect();
    let refused = ExceptionKind::WebhookRefused;
    // Looked up beside the transaction: it is open once in a long while.
    let (tx, open) = tokio::try_join!(
        store.begin(),
        exceptions::open_subjects(store.reader(), refused)
    )?;
    let rows = together
        .into_iter()
        .map(|(received, _)| row(context, received));
    bulk::insert(&tx, rows).await?;
    if concerned {
        follow(&tx, context).await?;
    }
    if !accounts.is_empty() {
        tx.signal(Signal::accounts_changed(accounts));
    }
    if !open.is_empty() {
        exceptions::close(&tx, context, refused, SUBJECT).await?;
    }
    tx.commit().await
}

/// Asks for the Job that reads what changed in the CRM.
///
/// # Errors
/// When the database refuses.
pub async fn follow(tx: &WriteTx, context: &Context) -> Result<(), StoreError> {
    let work = JobWork::SyncCrmDirectory;
    if !jobs::once_more(tx, &work).await? {
        let by = Caller::service("dataverse-webhook");
        jobs::enqueue(tx, context, &by, &work, None).await?;
    }
    Ok(())
}

fn row(context: &Context, received: ReceivedNotice) -> crm_notice::ActiveModel {
    let notice = received.notice;
    crm_notice::ActiveModel {
        id: Set(context.new_uuid()),
        received_at: Set(context.now()),
        message: Set(notice.message),
        table_name: Set(notice.table),
        record_id: Set(notice.record_id),
        correlation_id: Set(notice.correlation_id),
        headers: Set(received.headers),
        body: Set(received.body),
    }
}
