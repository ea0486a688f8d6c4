//! `Retry-After` (RFC 9110, 10.2.3) in both its forms. The wait is clamped: a host that says "tomorrow" by mistake must not
//! put a job to sleep until tomorrow.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// The longest wait that is believed.
pub const LONGEST: Duration = Duration::from_secs(3600);

/// How long the host asked us to wait, at most [`LONGEST`]; a date that has passed is no wait. `None` when it did not say,
/// or said something that is neither seconds nor an HTTP date.
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if text.is_empty() {
        return None;
    }
    let wait = if text.bytes().all(|byte| byte.is_ascii_digit()) {
        // All digits, so it only fails to parse when it is too large for a number.
        text.parse().map_or(LONGEST, Duration::from_secs)
    } else {
        let until = DateTime::<Utc>::from(httpdate::parse_http_date(text).ok()?);
        (until - now).to_std().unwrap_or_default()
    };
    Some(wait.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(value: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, value.parse().ok()?);
        let now = DateTime::parse_from_rfc3339("2026-11-22T10:00:00Z").ok()?;
        retry_after(&headers, now.to_utc())
    }

    #[test]
    fn both_forms_are_read_and_a_date_counts_from_now() {
        assert_eq!(read("57"), Some(Duration::from_secs(57)));
        assert_eq!(
            read("Sun, 22 Nov 2026 10:01:30 GMT"),
            Some(Duration::from_secs(90))
        );
        assert_eq!(retry_after(&HeaderMap::new(), DateTime::UNIX_EPOCH), None);
    }

    #[test]
    fn the_wait_is_clamped_and_nonsense_is_no_wait() {
        assert_eq!(read("86400"), Some(LONGEST));
        assert_eq!(read("99999999999999999999999999"), Some(LONGEST));
        assert_eq!(read("Sun, 22 Nov 2099 10:01:30 GMT"), Some(LONGEST));
        assert_eq!(read("Sun, 22 Nov 2020 10:01:30 GMT"), Some(Duration::ZERO));
        for text in ["", "soon", "-5", "1.5", "Sun, 31 Feb 2026 10:01:30 GMT"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_header_text_is_read_without_harm(text in "[ -~]{0,40}") {
            prop_assert!(read(&text).is_none_or(|wait| wait <= LONGEST));
        }
    }
}
