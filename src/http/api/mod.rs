//! The operations under `/v1`, one file a resource. A handler parses, calls one flow, and maps the result; the wire types
//! stay private to their file. Paths, parameters and answers in the annotations are the contract: the route table reads the
//! paths from them, the OpenAPI document the rest.

pub mod accounts;
pub mod api_keys;
pub mod billing_contracts;
pub mod consent_triggers;
pub mod create_account;
pub mod crm;
pub mod deliveries;
pub mod exceptions;
pub mod jobs;
pub mod mapping;
pub mod mapping_preview;
pub mod match_plans;
pub mod provider_accounts;
mod provider_health;
pub mod providers;
pub mod schedules;
pub mod settings;
pub mod subscription_syncs;
pub mod subscription_triggers;
pub mod subscriptions;
pub mod sync_runs;
pub mod triggers;
