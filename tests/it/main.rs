//! The integration tests: one binary, because every file directly in `tests/` is a program of its own and is linked
//! separately. A module mirrors a room of `src`; `support` is what they share. `#[cfg(test)]` on each module tells the
//! lints that all of it is test code, where `unwrap` and `panic!` are how a test fails.

#[cfg(test)]
mod app;
#[cfg(test)]
mod architecture;
#[cfg(test)]
mod crm;
#[cfg(test)]
mod events;
#[cfg(test)]
mod flows;
#[cfg(test)]
mod http;
#[cfg(test)]
mod identity;
#[cfg(test)]
mod jobs;
#[cfg(test)]
mod matching;
#[cfg(test)]
mod net;
#[cfg(test)]
mod providers;
#[cfg(test)]
mod service;
#[cfg(test)]
mod simulator;
#[cfg(test)]
mod support;
