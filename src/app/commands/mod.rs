//! One file per command of the program. Results go to standard output, everything else to standard error.

pub mod api_keys;
#[cfg(feature = "simulator")]
pub mod demo;
pub mod doctor;
pub mod export;
pub mod keys;
pub mod matching;
pub mod migrate;
pub mod serve;
pub mod sign_in_link;
#[cfg(feature = "simulator")]
pub mod simulator;
pub mod train;
