//! The guarded HTTP client and what every call outwards shares.

mod app_token;
mod backoff;
mod client;
mod client_log;
mod client_tls;
mod entra_refusals;
mod token_bucket;
