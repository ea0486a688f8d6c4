//! Operator settings (decision 12): read, and changed with an entry in the audit trail.

use serde_json::json;

use super::{FlowError, Flows};
use crate::domain::caller::{Caller, Permission};
use crate::domain::setting::{AutoMatchMode, OperatorSettings};
use crate::store::audit::Entry;
use crate::store::mappings::unique;
use crate::store::{WriteTx, audit, settings};

/// Accounts named in a refusal at most; their number is told in full.
const MOST_CONFLICTS: usize = 100;

/// What to change; `None` leaves it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SettingsChange {
    /// How auto-match works.
    pub auto_match: Option<AutoMatchMode>,
    /// Confidence from which the engine maps by itself, 0.5 to 1; inside, `None` is that of its model.
    pub auto_match_threshold: Option<Option<f64>>,
    /// Whether to insist on one-to-one mapping (B5).
    pub unique_mapping: Option<bool>,
    /// Days until details are fetched again: 1 to 365.
    pub details_refresh_days: Option<u32>,
    /// Hours after which a sync is stale: 1 to 720.
    pub stale_sync_hours: Option<u32>,
}

impl SettingsChange {
    fn applied_to(&self, before: &OperatorSettings) -> OperatorSettings {
        OperatorSettings {
            auto_match: self.auto_match.unwrap_or(before.auto_match),
            auto_match_threshold: self
                .auto_match_threshold
                .unwrap_or(before.auto_match_threshold),
            unique_mapping: self.unique_mapping.unwrap_or(before.unique_mapping),
            details_refresh_days: self
                .details_refresh_days
                .unwrap_or(before.details_refresh_days),
            stale_sync_hours: self.stale_sync_hours.unwrap_or(before.stale_sync_hours),
        }
    }
}

impl Flows {
    /// The settings in force.
    ///
    /// # Errors
    /// When the caller may not.
    pub async fn get_settings(&self, caller: &Caller) -> Result<OperatorSettings, FlowError> {
        caller.require(Permission::Read)?;
        Ok(settings::load(self.store.reader()).await?)
    }

    /// Changes settings. The same again is no change.
    ///
    /// # Errors
    /// When the caller may not, a value is not allowed, or one-to-one mapping is asked for over conflicts; then
    /// `current` lists them.
    pub async fn change_settings(
        &self,
        caller: &Caller,
        change: &SettingsChange,
    ) -> Result<OperatorSettings, FlowError> {
        caller.require(Permission::Configure)?;
        if change
            .details_refresh_days
            .is_some_and(|days| !(1..=365).contains(&days))
        {
            return Err(FlowError::Invalid(
                "`detailsRefreshDays` must be a whole number between 1 and 365".to_owned(),
            ));
        }
        if change
            .stale_sync_hours
            .is_some_and(|hours| !(1..=720).contains(&hours))
        {
            return Err(FlowError::Invalid(
                "`staleSyncHours` must be a whole number between 1 and 720".to_owned(),
            ));
        }
        if let Some(Some(threshold)) = change.auto_match_threshold
            && !(0.5..=1.0).contains(&threshold)
        {
            return Err(FlowError::Invalid(
                "`autoMatchThreshold` must be a number between 0.5 and 1, or null for that of the model"
                    .to_owned(),
            ));
        }
        let tx = self.store.begin().await?;
        let before = settings::hold_to_change(&tx).await?;
        let after = change.applied_to(&before);
        if after == before {
            return Ok(before);
        }
        if after.unique_mapping != before.unique_mapping {
            insist_on_unique(&tx, after.unique_mapping).await?;
        }
        settings::save(&tx, &self.context, &after).await?;
        let entry = Entry {
            action: "settings.changed",
            subject: "settings".to_owned(),
            before: Some(json!(before)),
            after: Some(json!(after)),
            reason: None,
        };
        audit::record(&tx, &self.context, caller, entry).await?;
        tx.commit().await?;
        Ok(after)
    }
}

async fn insist_on_unique(tx: &WriteTx, on: bool) -> Result<(), FlowError> {
    if on {
        let shared = unique::shared_accounts(&**tx).await?;
        if !shared.is_empty() {
            let named = shared.get(..MOST_CONFLICTS).unwrap_or(&shared);
            return Err(FlowError::Conflict {
                detail: format!(
                    "{} accounts have several provider accounts mapped to them; leave one mapping each, then switch uniqueMapping on",
                    shared.len()
                ),
                current: json!({ "conflicts": named, "conflictCount": shared.len() }),
            });
        }
    }
    Ok(unique::insist(tx, on).await?)
}
