//! The browser tests: pages driven in headless Chromium, one session (and so one cookie jar) a test. A binary of its
//! own, so that `cargo nextest run -E 'not binary(browser)'` needs no browser. `chromium` is the harness.

#[cfg(test)]
mod billing;
#[cfg(test)]
mod chromium;
#[cfg(test)]
mod connections;
#[cfg(test)]
mod consent;
#[cfg(test)]
mod contracts;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod plans;
#[cfg(test)]
mod schedules;
#[cfg(test)]
mod self_test;
