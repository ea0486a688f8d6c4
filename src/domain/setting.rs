//! What an operator changes at run time (decision 12): kept in the database, audited. Process facts are in `config`.

use serde::{Deserialize, Serialize};

/// How auto-match works (B6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AutoMatchMode {
    /// Nothing is mapped by itself; suggestions are made.
    Off,
    /// The classic rule: all domains together lead to exactly one active Account.
    Classic,
    /// The matching engine, from a confidence on. The default of new deployments, because it is wrong less often than the
    /// classic rule wherever both were measured; one that has mapped by the classic rule keeps it.
    #[default]
    Engine,
}

impl AutoMatchMode {
    /// All modes.
    pub const ALL: [Self; 3] = [Self::Off, Self::Classic, Self::Engine];
}

/// Operator settings, with their defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OperatorSettings {
    /// How auto-match works.
    pub auto_match: AutoMatchMode,
    /// Confidence from which the engine maps by itself; `None` is that of its model. New deployments ask for more than the
    /// model does: it was learnt on made-up cases, and whoever has seen a plan of their own data can lower it.
    pub auto_match_threshold: Option<f64>,
    /// At most one Provider Account per Account (B5).
    pub unique_mapping: bool,
    /// Details older than so many days are fetched again, a share in each run (decision 7).
    pub details_refresh_days: u32,
    /// A sync whose last complete run is older than so many hours is stale (G3).
    pub stale_sync_hours: u32,
}

impl Default for OperatorSettings {
    fn default() -> Self {
        Self {
            auto_match: AutoMatchMode::default(),
            auto_match_threshold: Some(0.99),
            unique_mapping: false,
            details_refresh_days: 30,
            stale_sync_hours: 48,
        }
    }
}
