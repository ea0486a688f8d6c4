//! Learning: from cases with known answers to the two forests and the calibration of a model. Small on purpose: histogram
//! trees with fixed directions, and a monotone calibration.

pub mod boost;
pub mod calibrate;
pub mod train;
