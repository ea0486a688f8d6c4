//! One file per command of the program. Results go to standard output, everything else to standard error.

pub mod api_keys;
pub mod migrate;
pub mod sign_in_link;
