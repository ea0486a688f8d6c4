//! What the CRM told us by webhook, kept before it is answered (decision 9). The row, the Job that reads the CRM's changes
//! and the word to forget cached copies commit together.
//!
//! What surprises: notices that arrive while a commit is under way share the next one. Whoever gets its turn first writes
//! for all who wait, so that a burst costs a few commits and not one each.

use std::sync::{Arc, Mutex, PoisonError};

use sea_orm::{ActiveValue::Set, EntityTrait};
use tokio::sync::oneshot::{self, error::TryRecvError};

use super::entities::crm_notice;
use super::error::StoreError;
use super::{Signal, Store, WriteTx, exceptions, jobs};
use crate::domain::caller::Caller;
use crate::domain::context::Context;
use crate::domain::crm_notice::CrmNotice;
use crate::domain::exception::ExceptionKind;
use crate::domain::job::JobWork;

/// Notices in one transaction at most.
const MOST_TOGETHER: usize = 256;
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
#[derive(Clone, Default)]
pub struct NoticeInbox(Arc<Inner>);

#[derive(Default)]
struct Inner {
    waiting: Mutex<Vec<Waiting>>,
    turn: tokio::sync::Mutex<()>,
}

impl NoticeInbox {
    /// Keeps a notice; when this returns, it is durable. An `own` one, of what we wrote ourselves, makes the copies in
    /// memory go, and nothing else.
    ///
    /// # Errors
    /// When it could not be kept: the database refused, or whoever wrote for this one went away.
    pub async fn keep(
        &self,
        store: &Store,
        context: &Context,
        received: ReceivedNotice,
        own: bool,
    ) -> Result<(), StoreError> {
        let (kept, mut answer) = oneshot::channel();
        self.waiting().push(Waiting {
            received,
            own,
            kept,
        });
        loop {
            let turn = self.0.turn.lock().await;
            match answer.try_recv() {
                Ok(true) => return Ok(()),
                Ok(false) | Err(TryRecvError::Closed) => return Err(not_kept()),
                Err(TryRecvError::Empty) => {}
            }
            let together: Vec<_> = {
                let mut waiting = self.waiting();
                let most = waiting.len().min(MOST_TOGETHER);
                waiting.drain(..most).collect()
            };
            let written = write(store, context, &together).await;
            drop(turn);
            metrics::counter!("crm_notice_commits_total").increment(1);
            metrics::counter!("crm_notices_total").increment(together.len() as u64);
            if let Err(error) = &written {
                let error = error as &dyn std::error::Error;
                tracing::error!(error, notices = together.len(), "notices could not be kept");
            }
            for one in together {
                // Who no longer waits has gone away.
                let _ = one.kept.send(written.is_ok());
            }
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<Waiting>> {
        self.0
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn not_kept() -> StoreError {
    StoreError::Unavailable("the notice could not be kept".to_owned())
}

async fn write(store: &Store, context: &Context, together: &[Waiting]) -> Result<(), StoreError> {
    let tx = store.begin().await?;
    let rows = together.iter().map(|one| row(context, &one.received));
    crm_notice::Entity::insert_many(rows)
        .exec_without_returning(&*tx)
        .await?;
    let mut of_others = together.iter().filter(|one| !one.own);
    if of_others.any(|one| one.received.notice.concerns_directory()) {
        follow(&tx, context).await?;
    }
    let notices = together.iter().map(|one| &one.received.notice);
    let accounts: Vec<_> = notices.flat_map(CrmNotice::accounts).collect();
    if !accounts.is_empty() {
        tx.signal(Signal::accounts_changed(accounts));
    }
    let kind = ExceptionKind::WebhookRefused;
    exceptions::close(&tx, context, kind, SUBJECT).await?;
    tx.commit().await
}

/// Asks for the Job that reads what changed in the CRM.
///
/// # Errors
/// When the database refuses.
pub async fn follow(tx: &WriteTx, context: &Context) -> Result<(), StoreError> {
    let by = Caller::service("dataverse-webhook");
    jobs::enqueue(tx, context, &by, &JobWork::SyncCrmDirectory, None).await?;
    Ok(())
}

fn row(context: &Context, received: &ReceivedNotice) -> crm_notice::ActiveModel {
    let notice = &received.notice;
    crm_notice::ActiveModel {
        id: Set(context.new_uuid()),
        received_at: Set(context.now()),
        message: Set(notice.message.clone()),
        table_name: Set(notice.table.clone()),
        record_id: Set(notice.record_id),
        correlation_id: Set(notice.correlation_id.clone()),
        headers: Set(received.headers.clone()),
        body: Set(received.body.clone()),
    }
}
