//! Runs the queue and the schedules (D5, decision 3). Each Job calls one flow; the queue itself is in `store::jobs`.
//!
//! What surprises: a Job whose process is told to stop is dropped in the middle and put back; that is safe because every
//! flow commits whole steps and starts over from what it finds.

mod runner;
mod scheduler;
mod work;

pub use runner::{Runner, RunnerSettings};
pub use scheduler::fire_due;
