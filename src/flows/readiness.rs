//! Whether this instance can do its work now, and what of the world around it is in a bad way.

use super::{FlowError, Flows};
use crate::domain::ids::ProviderId;
use crate::domain::provider_health::HealthIssue;
use crate::store::{provider_health, providers};

/// Something that works less well than it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Degraded {
    /// The provider it is about.
    pub provider_id: ProviderId,
    /// What is the matter.
    pub issue: HealthIssue,
}

impl Flows {
    /// Ok when the database answers and takes writes. What is degraded does not make an instance less ready: another one
    /// would fare no better.
    ///
    /// # Errors
    /// When it does not.
    pub async fn check_readiness(&self) -> Result<Vec<Degraded>, FlowError> {
        self.store.check(&self.context).await?;
        let reader = self.store.reader();
        let mut providers = providers::list(reader).await?;
        providers.retain(|provider| provider.enabled);
        let now = self.context.now();
        let health = provider_health::list(reader, &providers).await?;
        let degraded = providers
            .iter()
            .zip(&health)
            .flat_map(|(provider, health)| {
                let of_provider = |issue| Degraded {
                    provider_id: provider.id,
                    issue,
                };
                health.issues(now).into_iter().map(of_provider)
            });
        Ok(degraded.collect())
    }
}
