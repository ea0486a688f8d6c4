//! The matching rules.

mod classic;
