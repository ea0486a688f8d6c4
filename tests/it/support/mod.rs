//! What the integration tests share. Start with [`context::context`] for time and chance moved by hand and with
//! [`stores`] for a test body that runs on both SQL engines.

pub mod app;
pub mod cable;
pub mod context;
pub mod elsewhere;
pub mod fake_provider;
pub mod http;
pub mod issuer;
pub mod log;
pub mod outside;
pub mod pages;
mod postgres;
pub mod stores;
