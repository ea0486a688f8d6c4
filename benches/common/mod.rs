//! What the measurements share: starting the program, finding its figures, and printing them.

mod figure;

pub use figure::figure;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// A child process that ends with its owner.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The program under measurement.
pub fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_provider-bridge"))
}

/// Starts a command and reads its lines until one satisfies `found`.
pub fn start<T>(
    command: &mut Command,
    from_stderr: bool,
    found: impl FnMut(&str) -> Option<T>,
) -> (Running, T) {
    let (out, err) = if from_stderr {
        (Stdio::null(), Stdio::piped())
    } else {
        (Stdio::piped(), Stdio::null())
    };
    let mut child = command
        .stdout(out)
        .stderr(err)
        .spawn()
        .expect("the program starts");
    let lines: Box<dyn std::io::Read + Send> = match (child.stdout.take(), child.stderr.take()) {
        (Some(stdout), _) => Box::new(stdout),
        (None, Some(stderr)) => Box::new(stderr),
        (None, None) => Box::new(std::io::empty()),
    };
    let mut lines = BufReader::new(lines).lines().map_while(Result::ok);
    let value = lines.by_ref().find_map({
        let mut found = found;
        move |line| found(&line)
    });
    // A full pipe would stop the program.
    std::thread::spawn(move || lines.for_each(drop));
    (
        Running(child),
        value.expect("the program printed what was awaited"),
    )
}
