//! The rows of every table, as SeaORM sees them. Rows stay inside the store: each aggregate turns them into domain types
//! and back, and an impossible row fails loudly with table, column and id.

pub mod api_key;
pub mod audit;
pub mod billing_contract;
pub mod consent;
pub mod consent_state;
pub mod crm_account;
pub mod crm_contact;
pub mod crm_feed;
pub mod crm_notice;
pub mod delivery;
pub mod exception;
pub mod idempotency;
pub mod job;
pub mod lease;
pub mod mapping_history;
pub mod match_plan;
pub mod match_plan_item;
pub mod outbox_event;
pub mod provider;
pub mod provider_account;
pub mod provider_account_domain;
pub mod provider_health;
pub mod schedule;
pub mod secret;
pub mod session;
pub mod setting;
pub mod sign_in_link;
pub mod suggestion;
pub mod suggestion_rejection;
pub mod sync_run;
pub mod token_caller;
pub mod trigger_subscription;
