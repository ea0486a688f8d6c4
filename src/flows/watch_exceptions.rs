//! The regular look at exceptions (D6): what nobody's change opens but time itself, a sync that is stale, a change that is
//! overdue; and what is left to tell of a first import that does not end.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::stale_sync::Look;
use super::subscription_exceptions::{OVERDUE_AFTER, subscription_of_subject};
use super::{FlowError, Flows};
use crate::domain::exception::ExceptionKind;
use crate::domain::ids::ProductSubscriptionId;
use crate::domain::job::JobLease;
use crate::store::exceptions::{self, import, tally};
use crate::store::subscriptions::sync;
use crate::store::{exception_facts, jobs, license_changes, providers};

/// Flows wait no longer to hear of what a first import raised, even while it goes on.
const UNTOLD_AT_MOST: TimeDelta = TimeDelta::days(1);
/// Judged in one transaction.
const CHUNK: usize = 1000;

impl Flows {
    /// Opens and closes the exceptions that time makes.
    ///
    /// # Errors
    /// When the lease was lost or the store refuses.
    pub async fn watch_exceptions(&self, lease: JobLease) -> Result<Value, FlowError> {
        let now = self.context.now();
        let tx = self.store.begin().await?;
        jobs::guard(&tx, lease).await?;
        tally::fold(&tx, &self.context).await?;
        self.judge_staleness(&tx, Look::Both).await?;
        for id in import::untold(&*tx, now - UNTOLD_AT_MOST).await? {
            if let Some(provider) = providers::find(&*tx, id).await? {
                import::tell(&tx, &self.context, &provider).await?;
            }
        }
        tx.commit().await?;
        let overdue = self.overdue_or_was().await?;
        for chunk in overdue.chunks(CHUNK) {
            let tx = self.store.begin().await?;
            jobs::guard(&tx, lease).await?;
            let customers = exception_facts::customers_of(&*tx, chunk).await?;
            sync::lock(&tx, &customers).await?;
            self.judge_subscriptions(&tx, chunk).await?;
            tx.commit().await?;
        }
        let stale =
            exceptions::open_subjects(self.store.reader(), ExceptionKind::StaleSync).await?;
        let kind = ExceptionKind::LicenseChangeOverdue;
        let late = exceptions::open_subjects(self.store.reader(), kind).await?;
        Ok(json!({ "staleSyncs": stale.len(), "overdueLicenseChanges": late.len() }))
    }

    /// Subscriptions with an overdue change, and those that had one when they were last looked at.
    async fn overdue_or_was(&self) -> Result<Vec<ProductSubscriptionId>, FlowError> {
        let reader = self.store.reader();
        let late = self.context.now() - OVERDUE_AFTER;
        let mut ids: BTreeSet<_> = license_changes::overdue(reader, late)
            .await?
            .into_iter()
            .collect();
        let kind = ExceptionKind::LicenseChangeOverdue;
        let open = exceptions::open_subjects(reader, kind).await?;
        ids.extend(open.iter().filter_map(|it| subscription_of_subject(it)));
        Ok(ids.into_iter().collect())
    }
}
