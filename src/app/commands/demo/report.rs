//! What the demo says in the end.

use serde::Serialize;

/// The result of a demo; the field names are its public contract.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Customers at the simulated Partner Center.
    pub customers: u64,
    /// Provider Accounts kept.
    pub provider_accounts: u64,
    /// Mapped by auto-match.
    pub mapped: u64,
    /// Unmapped, with suggestions.
    pub suggested: u64,
    /// Unmapped, without.
    pub unmatched: u64,
    /// Mapped to another Account than the simulator's truth.
    pub wrong: u64,
    /// Events written.
    pub events_published: u64,
    /// Events that arrived at the receiver.
    pub events_delivered: u64,
    /// Of those, events that arrived more than once.
    pub events_delivered_twice: u64,
    /// Requests to Partner Center.
    pub provider_requests: u64,
    /// Requests to Dynamics.
    pub crm_requests: u64,
    /// How long it took.
    pub seconds: Seconds,
}

/// Wall time of each part.
#[derive(Debug, Clone, Serialize)]
pub struct Seconds {
    /// Listing customers and fetching their details.
    pub sync: f64,
    /// Reading the directory, matching and mapping.
    pub r#match: f64,
    /// Until the last event had arrived, after matching.
    pub deliver: f64,
    /// All of it, without making the simulated world.
    pub total: f64,
}

impl Report {
    /// The report for people.
    #[must_use]
    pub fn text(&self) -> String {
        let Seconds {
            sync,
            r#match,
            deliver,
            total,
        } = &self.seconds;
        format!(
            "\
Synced     {} customers of the simulated Partner Center in {sync:.1} s ({} requests)
Matched    {} mapped, {} with suggestions, {} without a counterpart in {match:.1} s ({} requests to Dynamics)
Wrong      {} mappings, held against the simulator's truth
Delivered  {} of {} events to the receiver, {} of them twice, {deliver:.1} s after matching
Total      {total:.1} s",
            self.provider_accounts,
            self.provider_requests,
            self.mapped,
            self.suggested,
            self.unmatched,
            self.crm_requests,
            self.wrong,
            self.events_delivered,
            self.events_published,
            self.events_delivered_twice,
        )
    }
}
