//! Looks after consents while nobody does: uses each refresh token now and then, so that none lapses for want of use, and
//! tells what lapses or was lost by time alone. Every instance looks; the store sees to it that a thing is told once.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;

use super::UserTokenKeeper;
use crate::domain::context::Context;
use crate::domain::ports::consent::UserTokens;
use crate::domain::provider::Provider;
use crate::store::{Store, StoreError, provider_health, providers};

/// How often it looks.
pub const LOOK_EVERY: Duration = Duration::from_secs(3600);
/// A refresh token that was not used for so long is used.
const USE_AFTER: TimeDelta = TimeDelta::days(7);

/// The watch. Cheap to clone.
#[derive(Clone)]
pub struct ConsentWatch {
    store: Store,
    context: Context,
    keeper: Arc<UserTokenKeeper>,
}

impl ConsentWatch {
    /// Nothing is looked at yet.
    #[must_use]
    pub const fn new(store: Store, context: Context, keeper: Arc<UserTokenKeeper>) -> Self {
        Self {
            store,
            context,
            keeper,
        }
    }

    /// Looks once, at every provider that is enabled.
    ///
    /// # Errors
    /// When the database refuses. What Entra refuses is written down for the provider.
    pub async fn look(&self) -> Result<(), StoreError> {
        for provider in providers::list(self.store.reader()).await? {
            if !provider.enabled {
                continue;
            }
            self.use_token(&provider).await?;
            let tx = self.store.begin().await?;
            provider_health::tell(&tx, &self.context, provider.id).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Looks again and again.
    pub async fn run(&self) {
        loop {
            if let Err(error) = self.look().await {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "the consents could not be looked after");
            }
            self.context.sleep(LOOK_EVERY).await;
        }
    }

    async fn use_token(&self, provider: &Provider) -> Result<(), StoreError> {
        let health = provider_health::find(self.store.reader(), provider.id).await?;
        let unused_since = health.consent.refreshed_at.filter(|_| {
            // What was refused once is not asked for again by itself.
            health.consent.user.is_some() && health.refresh_refused.is_none()
        });
        if unused_since.is_some_and(|at| self.context.now() - at >= USE_AFTER)
            && let Err(error) = self.keeper.user_token(provider).await
        {
            tracing::warn!(
                provider = %provider.id,
                why = %error.message,
                "a user's consent could not be used"
            );
        }
        Ok(())
    }
}
