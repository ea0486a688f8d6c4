//! The simulator over real HTTP: that the world it serves is what it promises, and that its stand-ins speak like the
//! services they stand for.

mod client;
mod consent;
mod control;
mod dataverse_batch;
mod dataverse_protocol;
mod dataverse_queries;
mod dataverse_reads;
mod dataverse_writes;
mod faults;
mod partner_center;
mod tokens;
mod webhooks;
mod world;
