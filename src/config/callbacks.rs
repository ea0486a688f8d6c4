//! `[callbacks]`: which receivers trigger subscriptions may name.

use serde::Deserialize;

use super::Section;

/// Callbacks to flows.
#[derive(Debug, Clone, Deserialize)]
pub struct Callbacks {
    /// Hosts beside those of Power Automate.
    pub further_hosts: Vec<String>,
    /// The only Power Platform environments; empty for any.
    pub environments: Vec<String>,
    /// Also this very machine over plain http.
    pub allow_loopback: bool,
}

impl Section for Callbacks {
    const NAME: &'static str = "callbacks";
}
