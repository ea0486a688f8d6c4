//! Whether this instance can do its work now.

use super::{FlowError, Flows};

impl Flows {
    /// Ok when the database answers and takes writes.
    ///
    /// # Errors
    /// When it does not.
    pub async fn check_readiness(&self) -> Result<(), FlowError> {
        Ok(self.store.check(&self.context).await?)
    }
}
