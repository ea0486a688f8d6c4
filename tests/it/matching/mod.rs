//! The matching rules.

mod classic;
mod engine;
mod offline;
