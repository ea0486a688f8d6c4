//! The API as its callers see it: through real HTTP, the whole service behind it.

mod access_log;
mod authorisation;
mod bad_input;
mod billing_contracts;
mod contract_pages;
mod dataverse;
mod document;
mod edge;
mod exception_counts;
mod exceptions;
mod guards;
mod idempotency;
mod idempotency_races;
mod mapping;
mod page_leafing;
mod page_requests;
mod polling;
mod remapping;
mod resources;
mod schedules;
mod sessions;
mod subscription_explained;
mod subscription_history;
mod subscriptions;
mod tokens;
mod triggers;
