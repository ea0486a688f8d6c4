//! The long run of the kill tests: fifty points (`KILL_POINTS=…` for another number) after commits and fifty at requests,
//! over sync, match and delivery, on both engines. The short run is one of the tests.
//!
//! With `SUBSCRIPTIONS=1` only the sync of subscriptions is killed, on PostgreSQL with a second instance beside it.
//!
//! `TEST_POSTGRES_URL=… cargo bench --bench killed`

#![expect(clippy::expect_used, reason = "a measurement that cannot be made ends")]

#[path = "common/figure.rs"]
mod figure;

use std::process::Command;
use std::time::Instant;

use figure::figure;

fn main() {
    let points = std::env::var("KILL_POINTS").unwrap_or_else(|_| "50".to_owned());
    let cargo = std::env::var("CARGO").expect("started by cargo");
    let tests = match std::env::var("SUBSCRIPTIONS") {
        Ok(_) => "service::killed_subscriptions::",
        Err(_) => "service::killed",
    };
    let started = Instant::now();
    let status = Command::new(cargo)
        .args([
            "test",
            "--locked",
            "--test",
            "it",
            "--",
            tests,
            "--test-threads=2",
        ])
        .env("KILL_POINTS", &points)
        .status();
    let passed = status.is_ok_and(|status| status.success());
    figure(
        "points after commits, and as many at requests, on each engine",
        points,
    );
    figure("ended as if nothing had happened", passed);
    figure("seconds", started.elapsed().as_secs());
    assert!(
        passed,
        "a run that was killed did not end as an undisturbed one"
    );
}
