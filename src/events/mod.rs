//! Events on their way out: the dispatcher gives them their one order and turns them into deliveries, the deliverer signs
//! and sends these.

pub mod deliverer;
pub mod dispatcher;
pub mod schedule;
pub mod signature;
mod wake;

pub use deliverer::{Deliverer, Limits, Summary};
pub use dispatcher::Dispatcher;
