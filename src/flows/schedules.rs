//! When a Scheduled Job runs next (D5).

use std::str::FromStr;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use croner::Cron;

/// Seconds and years, which croner would take, are refused: a sync every second is nobody's wish.
const FIELDS: usize = 5;

/// The next instant after `after` at which `cron` (five fields) fires in `time_zone`. A time that a clock change skips
/// fires after the gap; one that it repeats fires once.
///
/// # Errors
/// In words for people: what about the expression or the zone is wrong.
pub fn next_run(
    cron: &str,
    time_zone: &str,
    after: DateTime<Utc>,
) -> Result<DateTime<Utc>, String> {
    let zone = Tz::from_str(time_zone).map_err(|_| {
        format!("`{time_zone}` is no time zone; use an IANA name such as Europe/Zurich")
    })?;
    if cron.split_whitespace().count() != FIELDS {
        return Err(format!(
            "`{cron}` is no cron expression of five fields (minute, hour, day, month, weekday) such as `15 * * * *`"
        ));
    }
    let expression = Cron::from_str(cron).map_err(|error| {
        format!("`{cron}` is no cron expression of five fields such as `15 * * * *`: {error}")
    })?;
    expression
        .find_next_occurrence(&after.with_timezone(&zone), false)
        .map(|next| next.with_timezone(&Utc))
        .map_err(|_| format!("`{cron}` never fires"))
}

#[cfg(test)]
mod tests {
    use super::next_run;

    fn next(cron: &str, zone: &str, after: &str) -> String {
        next_run(cron, zone, after.parse().unwrap())
            .unwrap()
            .to_rfc3339()
    }

    #[test]
    fn a_schedule_follows_the_clock_of_its_zone_through_a_change() {
        assert_eq!(
            next("30 2 * * *", "Europe/Zurich", "2026-03-28T12:00:00Z"),
            "2026-03-29T01:00:00+00:00"
        );
        assert_eq!(
            next("0 6 * * *", "Europe/Zurich", "2026-03-29T12:00:00Z"),
            "2026-03-30T04:00:00+00:00"
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        for wrong in [
            "* *",
            "* * * * * *",
            "0 0 4 * * * 2027",
            "@hourly",
            "61 * * * *",
        ] {
            let why = next_run(wrong, "UTC", now).unwrap_err();
            assert!(why.contains(wrong) && why.contains("five fields"), "{why}");
        }
        assert!(
            next_run("* * * * *", "Mars/Base", now)
                .unwrap_err()
                .contains("Mars/Base")
        );
    }
}
