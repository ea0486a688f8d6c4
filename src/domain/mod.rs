//! Pure types and rules of Provider Bridge: typed ids, parsed newtypes, states that carry their data, the event catalogue,
//! and the [`ports`] that providers, the CRM and other outer rooms implement. No IO, no SQL, no HTTP: everything here can
//! be tested without a server, and every other room may use it.

pub mod account;
pub mod api_key;
pub mod billing_contract;
pub mod caller;
pub mod consent;
pub mod context;
pub mod correlation;
pub mod crm_notice;
pub mod domain_name;
pub mod event;
pub mod event_sample;
pub mod exception;
pub mod fold;
pub mod ids;
pub mod job;
pub mod mapping;
pub mod match_plan;
pub mod money;
pub mod ports;
pub mod provider;
pub mod provider_account;
pub mod provider_health;
pub mod setting;
pub mod subscription;
pub mod subscription_event;
pub mod subscription_run;
pub mod subscription_sample;
pub mod subscription_sync;
pub mod sync_run;
pub mod trigger;
pub mod verify;
