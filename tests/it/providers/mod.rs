//! Clients of the providers, against stand-ins on real HTTP.

mod partner_center;
