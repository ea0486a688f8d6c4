//! What a panic says. The usual message may carry whatever was worked on (cutting a text in a wrong place shows the text),
//! and so a secret: only messages that stand in the code are told, and of every other its place, which names the line.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::Write as _;
use std::panic::PanicHookInfo;

/// In the place of a message that was put together while running.
const WITHHELD: &str = "(the message may hold data and is not told)";

/// Makes panics of this process be told in the log, without data; before there is a log, on standard error.
pub fn tell_without_data() {
    std::panic::set_hook(Box::new(tell));
}

fn tell(info: &PanicHookInfo<'_>) {
    let fixed = info.payload().downcast_ref::<&'static str>();
    let message = fixed.copied().unwrap_or(WITHHELD);
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or_default();
    let trace = Backtrace::capture();
    // Frames are names and lines, no values; RUST_BACKTRACE decides whether there are any.
    let trace = match trace.status() {
        BacktraceStatus::Captured => trace.to_string(),
        _ => String::new(),
    };
    if tracing::enabled!(tracing::Level::ERROR) {
        tracing::error!(place, thread, trace, "a panic: {message}");
    } else {
        // Nothing is left to be done when standard error is gone too.
        let _ = writeln!(
            std::io::stderr(),
            "a panic at {place} in {thread}: {message}\n{trace}"
        );
    }
}
