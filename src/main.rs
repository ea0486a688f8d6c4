//! The program. Everything it can do is a command of [`provider_bridge::app`].

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// A sync makes and drops millions of short texts on several threads; the system's allocator spends a quarter of the time on
/// that, and keeps more memory.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    provider_bridge::app::run()
}
