//! A request limit as the real services have one: so many in a window, refused ones counted too ("all requests accrue
//! against your usage limits").

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};

/// Counts requests in windows that follow each other.
#[derive(Debug)]
pub(super) struct Throttle {
    limit: Option<u32>,
    window_seconds: i64,
    state: Mutex<(i64, u32)>,
}

impl Throttle {
    /// `None` lifts the limit.
    pub const fn new(limit: Option<u32>, window_seconds: i64) -> Self {
        Self {
            limit,
            window_seconds,
            state: Mutex::new((0, 0)),
        }
    }

    /// Counts a request. When it is one too many, says how many seconds are left of the window.
    pub fn refuse(&self, now: DateTime<Utc>) -> Option<u32> {
        let limit = self.limit?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (start, count) = &mut *state;
        let now = now.timestamp();
        if now >= *start + self.window_seconds || now < *start {
            *start = now;
            *count = 0;
        }
        *count = count.saturating_add(1);
        let left = *start + self.window_seconds - now;
        (*count > limit).then(|| u32::try_from(left.max(1)).unwrap_or(1))
    }
}
