//! The sweep: removes what has outlived its retention. Every growing table names its retention (decision 4).

use serde_json::json;

use super::{FlowError, Flows};
use crate::domain::job::JobLease;
use crate::store::{jobs, retention};

impl Flows {
    /// Removes what is finished and old, and says how much of each.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn sweep(&self, lease: JobLease) -> Result<serde_json::Value, FlowError> {
        let tx = self.store.begin().await?;
        jobs::guard(&tx, lease).await?;
        let removed = retention::sweep(&tx, &self.context, &self.retention).await?;
        tx.commit().await?;
        Ok(json!(removed))
    }
}
