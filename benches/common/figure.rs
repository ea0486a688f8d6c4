//! How a measurement prints what it found.

#![expect(clippy::print_stdout, reason = "a measurement prints its figures")]

/// One line of figures.
pub fn figure(name: &str, value: impl std::fmt::Display) {
    println!("{name:58} {value}");
}
