//! The pure matching rules: which domains are evidence ([`domain_class`]), and what the evidence of a Provider Account
//! leads to ([`classic`]). No IO and no clock: the Accounts behind a domain come in through closures, so the same rules
//! serve the live directory, an export on disk and a property test.
//!
//! A wrong mapping bills the wrong customer. Where coverage and precision pull apart, precision wins (decision 5).

pub mod classic;
pub mod domain_class;
mod evidence;
mod reasons;
