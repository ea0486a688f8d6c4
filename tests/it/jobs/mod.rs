//! The queue, on both engines.

mod queue;
