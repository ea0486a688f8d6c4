//! Subscriptions (D): what a sync does with what a provider listed. A person decides on a preview ([`preview`]), a Job reads
//! every customer ([`sync`]), a mapping or a contract lets held ones land (`attach`); all of them write through
//! `Batch`, so that subscription, change log, report, events and exceptions always commit together.
//!
//! What surprises: nothing here ever writes to a provider (D3).

mod attach;
mod batch;
pub mod explain;
mod keep;
pub mod preview;
pub mod proceed;
pub mod reading;
pub mod sync;

use batch::Batch;

use crate::domain::caller::Caller;
use crate::domain::ids::SubscriptionRunId;
use crate::domain::subscription_run::{RunSource, SubscriptionCounts, SubscriptionRun};
use crate::domain::sync_run::RunOutcome;
use crate::flows::Flows;

impl Flows {
    /// A run that begins now.
    fn new_subscription_run(&self, by: &Caller, source: RunSource) -> SubscriptionRun {
        SubscriptionRun {
            id: SubscriptionRunId::new(self.context.new_uuid()),
            source,
            provider_id: None,
            contract_id: None,
            job_id: None,
            preview_id: None,
            requested_by: by.actor.name.clone(),
            started_at: self.context.now(),
            finished_at: None,
            outcome: RunOutcome::Running,
            counts: SubscriptionCounts::default(),
            note: None,
        }
    }
}
