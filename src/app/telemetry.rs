//! Logs and metrics of the process. Both are global to it, so setting them up twice (tests, the demo) is harmless.

use std::io::IsTerminal;
use std::sync::OnceLock;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// Upper bounds of the duration histograms, in seconds.
const BUCKETS: [f64; 10] = [0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// Sends log lines to standard error, so that standard output stays for results.
///
/// # Errors
/// When the filter cannot be read.
pub fn start_logging(log: &Log) -> Result<(), String> {
    let filter = EnvFilter::try_new(&log.filter)
        .map_err(|error| format!("log.filter `{}` cannot be read: {error}", log.filter))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let started = match log.format {
        LogFormat::Text => builder.compact().try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    // Already started by an earlier call in this process.
    drop(started);
    Ok(())
}

/// The metrics of this process, in Prometheus' text format.
///
/// # Panics
/// Never in practice: the buckets are a constant that is not empty.
pub fn metrics_handle() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let recorder = PrometheusBuilder::new()
                .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)
                .unwrap_or_default()
                .build_recorder();
            let handle = recorder.handle();
            // A recorder set by somebody else stays; ours then renders nothing.
            drop(metrics::set_global_recorder(recorder));
            handle
        })
        .clone()
}
