//! The demo's progress bars, on standard error; nothing is drawn where that is no terminal.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::domain::job::Job;

/// One bar for each part.
pub struct Progress {
    sync: ProgressBar,
    matching: ProgressBar,
    delivery: ProgressBar,
}

fn bar(all: &MultiProgress, label: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:9} {bar:40} {pos}/{len} {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = all.add(ProgressBar::new(0).with_style(style).with_prefix(label));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn show(bar: &ProgressBar, done: u64, total: u64) {
    bar.set_length(total.max(done));
    bar.set_position(done);
}

impl Progress {
    /// Empty bars. A customer counts twice in the first: once listed, once with its details.
    #[must_use]
    pub fn new(customers: usize) -> Self {
        let all = MultiProgress::new();
        let progress = Self {
            sync: bar(&all, "sync"),
            matching: bar(&all, "match"),
            delivery: bar(&all, "deliver"),
        };
        progress.sync.set_length(customers as u64 * 2);
        progress
    }

    /// How far the sync is.
    pub fn synced(&self, job: &Job) {
        let expected = self.sync.length().unwrap_or_default();
        let total = job
            .progress_total
            .and_then(|total| u64::try_from(total).ok());
        show(
            &self.sync,
            done(job),
            total.unwrap_or(expected).max(expected),
        );
        if job.state.finished() {
            self.sync.finish();
        }
    }

    /// How far the matching is.
    pub fn matched(&self, job: &Job) {
        let total = job
            .progress_total
            .and_then(|total| u64::try_from(total).ok());
        show(&self.matching, done(job), total.unwrap_or_default());
        if job.state.finished() {
            self.matching.finish();
        }
    }

    /// How many events have arrived.
    pub fn delivered(&self, arrived: u64, published: u64) {
        show(&self.delivery, arrived, published);
    }

    /// Leaves the bars as they are.
    pub fn finish(&self) {
        self.delivery.finish();
    }
}

fn done(job: &Job) -> u64 {
    u64::try_from(job.progress_done).unwrap_or_default()
}
