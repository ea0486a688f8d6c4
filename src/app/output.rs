//! The one place that prints.

use std::fmt::Display;

/// A line of a command's result.
#[expect(
    clippy::print_stdout,
    reason = "a command's result goes to standard output"
)]
pub fn result(line: impl Display) {
    println!("{line}");
}

/// A line for the person who watches.
#[expect(
    clippy::print_stderr,
    reason = "what is not a result goes to standard error"
)]
pub fn note(line: impl Display) {
    eprintln!("{line}");
}
