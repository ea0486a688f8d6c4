//! The composition root: builds everything from the settings, wires the ports, runs the loops, and stops in good order.
//! One file per command of the program in `commands`.

pub mod clock;
pub mod providers;
pub mod tasks;
pub mod telemetry;
