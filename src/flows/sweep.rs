//! The sweep: removes what has outlived its retention. Every growing table names its retention (decision 4).

use chrono::TimeDelta;
use serde_json::json;

use super::{FlowError, Flows};
use crate::domain::job::JobLease;
use crate::store::{event_retention, jobs, retention};

impl Flows {
    /// Removes what is finished and old, and says how much of each.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn sweep(&self, lease: JobLease) -> Result<serde_json::Value, FlowError> {
        let days = TimeDelta::days(i64::from(self.retention.events_days));
        let events = event_retention::purge(&self.store, self.context.now() - days).await?;
        let tx = self.store.begin().await?;
        jobs::guard(&tx, lease).await?;
        let mut removed = retention::sweep(&tx, &self.context, &self.retention).await?;
        tx.commit().await?;
        removed.insert("delivery", events.deliveries);
        removed.insert("outbox_event", events.events);
        removed.insert("trigger_subscription", events.subscriptions);
        Ok(json!(removed))
    }
}
