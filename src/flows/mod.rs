//! One file per business operation, reads too. Each checks the permission, loads, asks the domain, and writes state, audit,
//! event and job in ONE transaction (decision 1); no network call happens inside one. Everything a flow needs of the
//! world is in [`Flows`].

pub mod accounts;
pub mod auto_match;
pub mod billing_contracts;
pub mod create_account;
pub mod deliveries;
pub mod error;
pub mod exceptions;
pub mod exclude_provider_account;
pub mod follow_account_changes;
pub mod idempotency;
pub mod jobs;
pub mod map_provider_account;
pub mod mapping;
pub mod mapping_preview;
pub mod match_plans;
pub mod matcher;
pub mod provider_accounts;
pub mod providers;
pub mod readiness;
pub mod receive_crm_notice;
pub mod refresh_directory;
pub mod schedules;
pub mod settings;
mod stale_sync;
mod subscription_exceptions;
pub mod subscriptions;
pub mod suggestions;
pub mod sweep;
pub mod sync_crm_directory;
pub mod sync_provider_accounts;
pub mod triggers;
pub mod unmap_provider_account;
mod watch_exceptions;

use std::sync::Arc;

pub use error::FlowError;

use self::matcher::Matcher;
use crate::domain::context::Context;
use crate::domain::ports::callback::CallbackPolicy;
use crate::domain::ports::crm::{AccountLookup, Crm, Directory};
use crate::domain::ports::provider::Providers;
use crate::domain::ports::sealer::Sealer;
use crate::store::Store;
use crate::store::retention::Retention;

/// Everything the flows need; built once by `app`. Cheap to clone.
#[derive(Clone)]
pub struct Flows {
    /// The database.
    pub store: Store,
    /// Time, chance and ids.
    pub context: Context,
    /// The providers' APIs.
    pub providers: Arc<dyn Providers>,
    /// The CRM, live.
    pub crm: Arc<dyn Crm>,
    /// The CRM's accounts, cached.
    pub accounts: Arc<dyn AccountLookup>,
    /// The CRM's accounts by domain, in memory.
    pub directory: Arc<dyn Directory>,
    /// The matching engine over that directory, which is fed through it.
    pub matcher: Arc<Matcher>,
    /// Which callback URLs we would call.
    pub callbacks: Arc<dyn CallbackPolicy>,
    /// Seals secrets.
    pub sealer: Arc<dyn Sealer>,
    /// How long things that grow are kept.
    pub retention: Retention,
    /// Name and kind of this deployment, as it stands in every event (A4).
    pub environment: Arc<str>,
}
