//! The program. Everything it can do is a command of [`provider_bridge::app`].

use std::process::ExitCode;

fn main() -> ExitCode {
    provider_bridge::app::run()
}
