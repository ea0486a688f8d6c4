//! `[retention]`: how long things that grow are kept.

use serde::Deserialize;

use super::Section;

/// Days after which a sweep removes what is finished.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Retention {
    /// Delivered events and ended trigger subscriptions.
    pub events_days: u32,
    /// Finished Jobs.
    pub jobs_days: u32,
    /// Records of syncs.
    pub sync_runs_days: u32,
    /// Closed exceptions.
    pub exceptions_days: u32,
    /// What Dynamics told us by webhook.
    pub crm_notices_days: u32,
}

impl Section for Retention {
    const NAME: &'static str = "retention";
}
