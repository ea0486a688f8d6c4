//! The whole service against the simulator, as a reseller runs it: sync, match, map, deliver; and the same with the process
//! killed in the middle.

mod canaries;
mod checkpoints;
mod creating;
mod crm_connection;
mod crm_faults;
mod desk;
mod disk;
mod killed;
mod killed_subscriptions;
mod metrics;
mod notice_storm;
mod notices;
mod outage;
mod outcome;
mod plans;
mod scene;
mod subscription_sync;
mod sync;
mod torn;
mod watching;
