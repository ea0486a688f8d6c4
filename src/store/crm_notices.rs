//! What the CRM told us by webhook, kept before it is answered (decision 9). The row, the Job that reads the CRM's changes
//! and the word to forget cached copies commit together.
//!
//! What surprises: one writer keeps them all, and what arrives while it is at work shares a later commit, so that a burst
//! costs a few commits and not one each. It runs beside the requests, whose thread would let each of its steps wait for
//! dozens of them.

use std::sync::Arc;

use futures_util::future::join;
use sea_orm::ActiveValue::Set;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use tokio::sync::broadcast::error::TryRecvError;
use tokio::sync::{Mutex, broadcast, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::entities::crm_notice;
use super::error::StoreError;
use super::{Engine, Signal, Store, WriteTx, bulk, exceptions, jobs};
use crate::domain::caller::Caller;
use crate::domain::context::Context;
use crate::domain::crm_notice::CrmNotice;
use crate::domain::exception::ExceptionKind;
use crate::domain::ids::AccountId;
use crate::domain::job::JobWork;

/// Notices in one transaction at most.
const MOST_TOGETHER: usize = 256;
/// Commits that follow one another before other writers get their turn.
const MOST_IN_A_ROW: usize = 8;
/// Whoever comes when so many wait, waits to be let in.
const MOST_WAITING: usize = 1024;
/// The subject of the exception that an unknown secret opens.
const SUBJECT: &str = "dataverse/webhook";

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
    desk: Arc<Mutex<Desk>>,
    store: Store,
    context: Context,
}

/// What the clone that works has before it.
struct Desk {
    waiting: mpsc::Receiver<Waiting>,
    /// Taken from those who wait, and not yet kept.
    together: Vec<Waiting>,
    signals: broadcast::Receiver<Signal>,
    /// Whether an exception may be open because a notice was refused. At first nobody knows.
    refused: bool,
}

/// Notices that are kept together.
struct Batch {
    insert: Option<Statement>,
    /// Whether the CRM's changes have to be read.
    concerned: bool,
    /// Accounts of which copies are in memory no longer.
    accounts: Vec<AccountId>,
    /// Who waits for them.
    kept: Vec<oneshot::Sender<bool>>,
}

/// An inbox, and who keeps what comes into it.
#[must_use]
pub fn inbox(store: Store, context: Context) -> (NoticeInbox, NoticeWriter) {
    let (inbox, waiting) = mpsc::channel(MOST_WAITING);
    let desk = Desk {
        waiting,
        together: Vec::with_capacity(MOST_TOGETHER),
        signals: store.signals().subscribe(),
        refused: true,
    };
    let writer = NoticeWriter {
        desk: Arc::new(Mutex::new(desk)),
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
        let mut desk = self.desk.lock().await;
        let more = async {
            while desk.something_waits().await {
                self.keep_some(&mut desk).await;
            }
        };
        stop.run_until_cancelled(more).await;
    }

    /// Keeps what waits, in commits that follow one another on one connection for as long as more waits, but not for long.
    async fn keep_some(&self, desk: &mut Desk) {
        let mut begun = self.store.begin().await;
        let mut batch = self.next(desk);
        let mut followed = false;
        for left in (0..MOST_IN_A_ROW).rev() {
            batch.concerned &= !followed;
            let refused = desk.may_be_refused();
            let written = match begun {
                Ok(tx) => batch.write(&tx, &self.context, refused).await.map(|()| tx),
                Err(error) => Err(error),
            };
            let (done, next) = match written {
                Ok(tx) if left > 0 && desk.more_waits() => {
                    let next = async { Some(self.next(desk)) };
                    let (tx, next) = join(tx.commit_and_begin(), next).await;
                    (tx.map(Some), next)
                }
                Ok(tx) => (tx.commit().await.map(|()| None), None),
                Err(error) => (Err(error), None),
            };
            desk.refused &= done.is_err();
            followed = done.is_ok() && (followed || batch.concerned && self.writes_alone());
            batch.answer(done.as_ref().err());
            let Some(next) = next else { return };
            batch = next;
            begun = match done {
                Ok(Some(tx)) => Ok(tx),
                _ => self.store.begin().await,
            };
        }
    }

    /// Whether no Job can end between two commits that follow one another, so that the one asked for with the first does
    /// for both. On SQLite only the process with the exclusive lock claims, ends and cancels Jobs, and its one writer is here.
    fn writes_alone(&self) -> bool {
        self.store.engine() == Engine::Sqlite
    }

    fn next(&self, desk: &mut Desk) -> Batch {
        Batch::new(desk.take(), &self.context, self.store.engine().into())
    }
}

impl Batch {
    fn new(together: impl Iterator<Item = Waiting>, context: &Context, backend: DbBackend) -> Self {
        let (mut kept, mut accounts, mut concerned) = (Vec::new(), Vec::new(), false);
        let rows = together.map(|one| {
            let notice = &one.received.notice;
            concerned |= !one.own && notice.concerns_directory();
            accounts.extend(notice.accounts());
            kept.push(one.kept);
            row(context, one.received)
        });
        let insert = bulk::insert_at_once(backend, rows);
        Self {
            insert,
            concerned,
            accounts,
            kept,
        }
    }

    /// Keeps them. Where one may have been `refused`, that is over now.
    async fn write(
        &mut self,
        tx: &WriteTx,
        context: &Context,
        refused: bool,
    ) -> Result<(), StoreError> {
        if let Some(insert) = self.insert.take() {
            tx.execute_raw(insert).await?;
        }
        if self.concerned {
            follow(tx, context).await?;
        }
        if !self.accounts.is_empty() {
            tx.signal(Signal::accounts_changed(std::mem::take(&mut self.accounts)));
        }
        if refused {
            exceptions::close(tx, context, ExceptionKind::WebhookRefused, SUBJECT).await?;
        }
        Ok(())
    }

    /// Tells those who wait whether their notices are kept.
    fn answer(self, error: Option<&StoreError>) {
        if let Some(error) = error {
            let error = error as &dyn std::error::Error;
            tracing::error!(
                error,
                notices = self.kept.len(),
                "notices could not be kept"
            );
        }
        metrics::counter!("crm_notice_commits_total").increment(1);
        metrics::counter!("crm_notices_total").increment(self.kept.len() as u64);
        for one in self.kept {
            // Who no longer waits has gone away.
            let _ = one.send(error.is_none());
        }
    }
}

impl Desk {
    /// Waits until there is something to keep; false when nothing will come any more.
    async fn something_waits(&mut self) -> bool {
        !self.together.is_empty()
            || self
                .waiting
                .recv_many(&mut self.together, MOST_TOGETHER)
                .await
                > 0
    }

    /// What is kept together now.
    fn take(&mut self) -> impl Iterator<Item = Waiting> {
        while self.together.len() < MOST_TOGETHER
            && let Ok(one) = self.waiting.try_recv()
        {
            self.together.push(one);
        }
        let now = bulk::in_one_statement(self.together.len());
        self.together.drain(..now)
    }

    fn more_waits(&self) -> bool {
        !self.together.is_empty() || !self.waiting.is_empty()
    }

    fn may_be_refused(&mut self) -> bool {
        loop {
            match self.signals.try_recv() {
                Ok(Signal::NoticeRefused) | Err(TryRecvError::Lagged(_)) => self.refused = true,
                Ok(_) => {}
                Err(TryRecvError::Empty | TryRecvError::Closed) => return self.refused,
            }
        }
    }
}

/// Opens the exception that a notice was refused; the next one that is kept closes it.
///
/// # Errors
/// When the database refuses.
pub async fn refuse(
    tx: &WriteTx,
    context: &Context,
    detail: &str,
    remedy: &str,
) -> Result<(), StoreError> {
    let kind = ExceptionKind::WebhookRefused;
    exceptions::open(tx, context, kind, SUBJECT, detail, remedy).await?;
    tx.signal(Signal::NoticeRefused);
    Ok(())
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
