//! What an attempt's outcome means for its delivery and its subscription. Pure: the caller gives the time and the jitter.
//!
//! | answer | what follows |
//! |---|---|
//! | 2xx | delivered |
//! | 410 | the receiver is gone: its subscription is retired at once |
//! | 401, 403, 404 | tried again as below; when a subscription has had nothing else for 24 h, it is retired and people are told |
//! | anything else, or no answer | tried again, ten tries over about three days, then dead |
//!
//! A redirect is a failure: we call the URL that was subscribed and no other.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// The longest wait before each further try; jitter takes up to half of it off. About 66 h in all on average.
const WAITS: [Duration; 9] = [
    Duration::from_secs(10),
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(2 * 3600),
    Duration::from_secs(6 * 3600),
    Duration::from_secs(16 * 3600),
    Duration::from_secs(32 * 3600),
    Duration::from_secs(32 * 3600),
];

/// Tries of one delivery, after which it is dead.
pub const TRIES: i32 = 1 + WAITS.len() as i32;

/// The longest wait that a receiver can ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(24 * 3600);

/// How long a receiver may answer with nothing but 401, 403 or 404 before its subscription is retired.
pub const REFUSED_FOR: TimeDelta = TimeDelta::hours(24);

/// What came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// A status, and how long the receiver asked us to wait.
    Status(u16, Option<Duration>),
    /// No answer: no connection, a time-out.
    None,
}

/// What is known before the attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Tries of this delivery, the present one included.
    pub tries: i32,
    /// Since when the subscription's receiver has answered with nothing but 401, 403 or 404.
    pub refused_since: Option<DateTime<Utc>>,
}

/// What becomes of the delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It arrived.
    Delivered,
    /// Try again then.
    TryAt(DateTime<Utc>),
    /// Given up.
    Dead,
    /// The subscription is over, and this delivery with it.
    Retire(RetireReason),
}

/// Why a subscription is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetireReason {
    /// The receiver said 410.
    Gone,
    /// Refused for [`REFUSED_FOR`]; an exception is raised.
    Refused,
}

/// The verdict on one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// What becomes of the delivery.
    pub next: Next,
    /// The subscription's new `refused_since`.
    pub refused_since: Option<DateTime<Utc>>,
}

/// Judges one attempt that ended at `now`. `jitter` shortens a wait at random.
pub fn judge(
    answer: Answer,
    before: Standing,
    now: DateTime<Utc>,
    jitter: impl Fn(Duration) -> Duration,
) -> Verdict {
    let refused_since = match answer {
        Answer::Status(401 | 403 | 404, _) => Some(before.refused_since.unwrap_or(now)),
        // Silence says nothing about whether the receiver still wants us.
        Answer::None => before.refused_since,
        Answer::Status(..) => None,
    };
    let refused_too_long = refused_since.is_some_and(|since| now - since >= REFUSED_FOR);
    let next = match answer {
        Answer::Status(200..=299, _) => Next::Delivered,
        Answer::Status(410, _) => Next::Retire(RetireReason::Gone),
        Answer::Status(401 | 403 | 404, _) if refused_too_long => {
            Next::Retire(RetireReason::Refused)
        }
        Answer::Status(_, asked) => {
            let next = try_again(before.tries, asked, now, jitter);
            match (next, refused_since) {
                // The verdict of the day of refusals comes when the day is over, not with the next long wait.
                (Next::TryAt(at), Some(since)) => Next::TryAt(at.min(since + REFUSED_FOR)),
                _ => next,
            }
        }
        Answer::None => try_again(before.tries, None, now, jitter),
    };
    Verdict {
        next,
        refused_since,
    }
}

fn try_again(
    tries: i32,
    asked: Option<Duration>,
    now: DateTime<Utc>,
    jitter: impl Fn(Duration) -> Duration,
) -> Next {
    let index = usize::try_from(tries.max(1) - 1).unwrap_or_default();
    let Some(&wait) = WAITS.get(index) else {
        return Next::Dead;
    };
    let own = jitter(wait);
    // Never before the receiver asked for, and spread out after it, so that not all come back in the same second.
    let wait = match asked.map(|asked| asked.min(LONGEST_ASKED)) {
        Some(asked) => own.max(asked + jitter(asked / 10)),
        None => own,
    };
    Next::TryAt(now + TimeDelta::from_std(wait).unwrap_or(REFUSED_FOR))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_000_000, 0).unwrap()
    }

    fn verdict(answer: Answer, tries: i32, refused_hours: Option<i64>) -> Verdict {
        let before = Standing {
            tries,
            refused_since: refused_hours.map(|hours| now() - TimeDelta::hours(hours)),
        };
        judge(answer, before, now(), |wait| wait)
    }

    fn seconds(answer: Answer, tries: i32) -> Option<i64> {
        match verdict(answer, tries, None).next {
            Next::TryAt(instant) => Some((instant - now()).num_seconds()),
            _ => None,
        }
    }

    #[test]
    fn each_status_leads_to_its_verdict() {
        for status in [200, 202, 204, 299] {
            let got = verdict(Answer::Status(status, None), 1, Some(30));
            assert_eq!((got.next, got.refused_since), (Next::Delivered, None));
        }
        let gone = verdict(Answer::Status(410, None), 1, None);
        assert_eq!(gone.next, Next::Retire(RetireReason::Gone));
        for status in [
            100, 301, 302, 307, 400, 401, 403, 404, 408, 413, 429, 500, 503,
        ] {
            assert_eq!(
                seconds(Answer::Status(status, None), 1),
                Some(10),
                "{status}"
            );
            let last = verdict(Answer::Status(status, None), TRIES, None);
            assert_eq!(last.next, Next::Dead, "{status}");
        }
        assert_eq!(seconds(Answer::None, 1), Some(10));
        assert_eq!(verdict(Answer::None, TRIES, None).next, Next::Dead);
    }

    #[test]
    fn ten_tries_take_about_three_days() {
        let waits: Vec<i64> = (1..TRIES)
            .filter_map(|tries| seconds(Answer::None, tries))
            .collect();
        assert_eq!(waits.len(), 9);
        assert!(waits.is_sorted());
        let hours = waits.iter().sum::<i64>() * 3 / 4 / 3600;
        assert!((60..=78).contains(&hours), "{hours}");
        assert_eq!(TRIES, 10);
    }

    #[test]
    fn retry_after_is_never_undercut_and_never_shortens_the_backoff() {
        let asked = |seconds| Answer::Status(429, Some(Duration::from_secs(seconds)));
        assert_eq!(seconds(asked(300), 1), Some(330));
        assert_eq!(seconds(asked(0), 1), Some(10));
        assert_eq!(seconds(asked(5), 4), Some(1800));
        assert_eq!(seconds(asked(u64::MAX), 1), Some(24 * 3600 + 8640));
    }

    #[test]
    fn a_subscription_is_retired_after_a_day_of_refusals_and_nothing_else() {
        for status in [401, 403, 404] {
            let answer = Answer::Status(status, None);
            let first = verdict(answer, 1, None);
            assert_eq!(first.refused_since, Some(now()));
            assert!(matches!(first.next, Next::TryAt(_)));
            let later = verdict(answer, 7, Some(23));
            assert_eq!(later.next, Next::TryAt(now() + TimeDelta::hours(1)));
            assert_eq!(later.refused_since, Some(now() - TimeDelta::hours(23)));
            let day = verdict(answer, 3, Some(24));
            assert_eq!(day.next, Next::Retire(RetireReason::Refused));
        }
        let other = verdict(Answer::Status(500, None), 3, Some(30));
        assert_eq!(other.refused_since, None);
        assert!(matches!(other.next, Next::TryAt(_)));
        let silence = verdict(Answer::None, 3, Some(30));
        assert_eq!(silence.refused_since, Some(now() - TimeDelta::hours(30)));
        assert!(matches!(silence.next, Next::TryAt(_)));
    }
}
