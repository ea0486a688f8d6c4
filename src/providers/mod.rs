//! The providers we have a client for, one folder each: wire types, calls, mapping to the domain. Each implements
//! [`crate::domain::ports::provider::ProviderClient`] and declares what it can do; which client belongs to which connected
//! provider is decided in `app`.

pub mod partner_center;
