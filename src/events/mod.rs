//! Events on their way out: the dispatcher gives them their one order and turns them into deliveries, the deliverer signs
//! and sends these.

pub mod schedule;
pub mod signature;
