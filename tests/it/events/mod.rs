//! Trigger subscriptions and the way of an event to them: through a real store on both engines and a real receiver on
//! loopback, with time moved by hand.

mod absent;
mod dispatching;
mod failing;
mod ordering;
mod owners;
mod receiver;
mod rig;
mod secrets;
mod subscribing;
mod surviving;
