//! All SQL of the house (decision 4): SeaORM entities and migrations, one file per aggregate, the same code on SQLite and
//! PostgreSQL. A flow opens a [`WriteTx`], hands it to the functions here and commits: state, audit, event and job together
//! (decision 1). Reads go to [`Store::reader`] or to the transaction.
//!
//! What surprises: on SQLite there is one writing connection beside a pool of readers, so a read inside a flow that also
//! writes belongs into the transaction; [`Signal`]s reach listeners only after the commit.

pub mod account_creations;
pub mod api_keys;
pub mod audit;
pub mod billing_contracts;
mod bulk;
mod checkpoints;
pub mod consent_states;
pub mod consents;
pub mod crm_directory;
pub mod crm_notices;
mod database;
pub mod deliveries;
pub mod directory_mark;
pub mod dispatch;
pub mod entities;
mod error;
pub mod event_retention;
pub mod exception_facts;
pub mod exceptions;
mod held_call;
pub mod idempotency;
pub mod jobs;
pub mod leases;
pub mod license_changes;
pub mod mappings;
pub mod match_plans;
mod migrations;
pub mod outbox;
pub mod provider_accounts;
pub mod provider_health;
pub mod providers;
mod reach;
mod readiness;
pub mod retention;
pub mod sealed_rows;
pub mod secrets;
pub mod sessions;
pub mod settings;
mod signals;
pub mod staleness;
pub mod subscription_previews;
pub mod subscription_runs;
pub mod subscriptions;
pub mod sync_runs;
pub mod token_callers;
mod transaction;
pub mod triggers;

pub use database::{DatabaseLocation, DatabaseSettings, Engine, SchemaState, Store};
pub use error::StoreError;
pub use held_call::{HeldCall, Hold};
pub use signals::{Signal, Signals};
pub use transaction::WriteTx;
