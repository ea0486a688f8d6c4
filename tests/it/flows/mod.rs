//! The business operations, on both SQL engines, with stand-ins only for what lies outside the house.

mod auto_matching;
mod engine_matching;
mod following;
mod mapping;
mod outside;
mod settings;
mod watching;
mod world;
