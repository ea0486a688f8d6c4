//! Microsoft Partner Center (CSP), version 1 of its REST API, with an application-only token, and a
//! user's where a user has to stand behind it.
//!
//! What surprises about it, and where it is dealt with:
//! - A listing goes on by a token in a header, found in the body or in a link; the link itself is unreliable and never
//!   followed (`listing`). Its end may be an error: 400 with code 2000.
//! - Bodies come in camelCase and PascalCase, with numbers as text and text as numbers; new enum values appear without
//!   notice. Nothing of that spoils more than one item (`lenient`, `wire`).
//! - A 401 can mean an expired token, a wrong setting, or missing MFA; a 403 can mean that the customer has left
//!   (`failure`).
//! - The domains a customer owns come only from the call by id (`details`).

mod body;
mod call;
mod client;
mod details;
mod failure;
mod lenient;
mod listing;
mod page_token;
mod settings;
mod sign_in;
mod subscriptions;
mod verify;
mod wire;

pub use client::{PartnerCenterClient, UserAccess};
pub use settings::{PartnerCenterConnection, PartnerCenterSettings};
