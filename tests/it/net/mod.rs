//! The guarded HTTP client and what every call outwards shares; callbacks, which have a stricter client of their own.

mod app_token;
mod backoff;
mod callbacks;
mod client;
mod client_log;
mod client_tls;
mod entra_refusals;
mod token_bucket;
