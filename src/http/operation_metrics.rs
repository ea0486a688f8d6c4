//! `http_requests_total` and `http_request_duration_seconds`, by operation and status class. The handles are made once, so
//! that a call increments a number and looks nothing up. The recorder has to be installed before.

use std::collections::HashMap;
use std::time::Duration;

use metrics::{Counter, Histogram};

const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The numbers of one operation.
pub struct OperationMetrics {
    /// The operation's id.
    pub operation: String,
    requests: [(Counter, Histogram); 5],
}

impl OperationMetrics {
    fn new(operation: &str) -> Self {
        let handles = |class: &'static str| {
            let operation = operation.to_owned();
            (
                metrics::counter!("http_requests_total", "operation" => operation.clone(), "class" => class),
                metrics::histogram!("http_request_duration_seconds", "operation" => operation, "class" => class),
            )
        };
        Self {
            operation: operation.to_owned(),
            requests: CLASSES.map(handles),
        }
    }

    /// Counts one answer.
    pub fn record(&self, status: u16, took: Duration) {
        let class = usize::from(status / 100).saturating_sub(1);
        if let Some((requests, durations)) = self.requests.get(class) {
            requests.increment(1);
            durations.record(took.as_secs_f64());
        }
    }
}

/// The numbers of every operation, by the name of its resource in the route table.
pub struct MetricsTable {
    known: HashMap<String, OperationMetrics>,
    unknown: OperationMetrics,
}

impl MetricsTable {
    /// Handles for these operations: name of the resource, id of the operation.
    pub fn new<'a>(operations: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        metrics::describe_counter!("http_requests_total", "requests answered");
        metrics::describe_histogram!(
            "http_request_duration_seconds",
            metrics::Unit::Seconds,
            "time from the first byte of a request to the head of its answer"
        );
        Self {
            known: operations
                .map(|(name, id)| (name.to_owned(), OperationMetrics::new(id)))
                .collect(),
            unknown: OperationMetrics::new("none"),
        }
    }

    /// The numbers of the matched resource; those of no operation for anything else.
    #[must_use]
    pub fn of(&self, resource: Option<&str>) -> &OperationMetrics {
        resource
            .and_then(|name| self.known.get(name))
            .unwrap_or(&self.unknown)
    }
}
