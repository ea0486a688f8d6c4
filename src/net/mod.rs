//! The only HTTP client of the house, and what every call outwards needs: time-outs, caps, tracing, retry that honours
//! `Retry-After`, token buckets, and application tokens. Nothing here knows a vendor's API except Entra's token endpoint,
//! which both the providers and the CRM sign in at.

pub mod address_policy;
pub mod app_token;
pub mod backoff;
pub mod callback_client;
pub mod callback_hosts;
pub mod client;
pub mod entra_error;
pub mod error;
pub mod guarded_dns;
pub mod oauth_http;
pub mod public_address;
pub mod retry_after;
mod token_answer;
pub mod token_bucket;
pub mod token_claims;
mod token_failure;
pub mod user_grant;

pub use error::NetError;
pub use retry_after::retry_after;
