//! The Partner Center client against a stand-in that says what the real one has been seen to say.

mod authentication;
mod details;
mod listing;
mod listing_items;
mod refusals;
mod simulated;
mod stand;
mod subscriptions;
mod throttling;
mod verify;
