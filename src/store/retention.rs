//! How long things that grow are kept. Open, waiting and failed work is never swept. Events, which grow fastest, have
//! [`super::event_retention`] for themselves.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::WriteTx;
use super::entities::{
    consent_state, crm_notice, exception, idempotency, job, session, sign_in_link,
    subscription_preview, subscription_report_line, subscription_run, sync_run,
};
use super::error::StoreError;
use super::match_plans;
use crate::domain::context::Context;

/// Days after which what is finished is removed.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// Delivered events and ended trigger subscriptions.
    pub events_days: u32,
    /// Finished Jobs.
    pub jobs_days: u32,
    /// Records of syncs.
    pub sync_runs_days: u32,
    /// Closed exceptions.
    pub exceptions_days: u32,
    /// What the CRM told us by webhook.
    pub crm_notices_days: u32,
}

macro_rules! remove {
    ($tx:expr, $removed:expr, $entity:ident, $($filter:expr),+ $(,)?) => {{
        let result = $entity::Entity::delete_many()$(.filter($filter))+.exec(&**$tx).await?;
        $removed.insert(stringify!($entity), result.rows_affected);
    }};
}

/// Removes what has outlived its retention, and says how many rows of each table.
///
/// # Errors
/// When the database refuses.
pub async fn sweep(
    tx: &WriteTx,
    context: &Context,
    keep: &Retention,
) -> Result<BTreeMap<&'static str, u64>, StoreError> {
    let now = context.now();
    let before = |days: u32| -> DateTime<Utc> { now - TimeDelta::days(i64::from(days)) };
    let mut removed = BTreeMap::new();
    remove!(
        tx,
        removed,
        job,
        job::Column::FinishedAt.lt(before(keep.jobs_days))
    );
    remove!(
        tx,
        removed,
        sync_run,
        sync_run::Column::FinishedAt.lt(before(keep.sync_runs_days))
    );
    let reports_before = before(keep.sync_runs_days);
    remove!(
        tx,
        removed,
        subscription_run,
        subscription_run::Column::FinishedAt.lt(reports_before)
    );
    remove!(
        tx,
        removed,
        subscription_report_line,
        subscription_report_line::Column::At.lt(reports_before)
    );
    remove!(
        tx,
        removed,
        subscription_preview,
        subscription_preview::Column::MadeAt.lt(reports_before)
    );
    remove!(
        tx,
        removed,
        exception,
        exception::Column::ClosedAt.lt(before(keep.exceptions_days))
    );
    remove!(
        tx,
        removed,
        crm_notice,
        crm_notice::Column::ReceivedAt.lt(before(keep.crm_notices_days))
    );
    remove!(
        tx,
        removed,
        idempotency,
        idempotency::Column::CreatedAt.lt(before(1))
    );
    remove!(tx, removed, session, session::Column::ExpiresAt.lt(now));
    remove!(
        tx,
        removed,
        consent_state,
        consent_state::Column::ExpiresAt.lt(before(1))
    );
    remove!(
        tx,
        removed,
        sign_in_link,
        sign_in_link::Column::ExpiresAt.lt(before(1))
    );
    let plans = match_plans::remove_older(tx, before(keep.jobs_days)).await?;
    removed.insert("match_plan", plans);
    Ok(removed)
}
