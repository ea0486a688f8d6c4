//! The API as its callers see it: through real HTTP, the whole service behind it.

mod access_log;
mod authorisation;
mod bad_input;
mod dataverse;
mod edge;
mod idempotency;
mod idempotency_races;
mod mapping;
mod polling;
mod resources;
mod sessions;
mod tokens;
mod triggers;
