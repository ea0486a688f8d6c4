//! When a Scheduled Job runs next (D5).

use std::str::FromStr;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use croner::Cron;
use serde_json::{Value, json};

use super::providers::SyncSchedule;
use super::{FlowError, Flows};
use crate::domain::caller::{Caller, Permission};
use crate::domain::ids::{ProviderId, ScheduleId};
use crate::domain::job::{Job, JobWork};
use crate::store::audit::Entry;
pub use crate::store::jobs::schedules::Schedule;
use crate::store::{audit, jobs, providers};

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

/// Jobs of one schedule that are shown at most.
const MOST_JOBS: u64 = 100;

/// Who says when a schedule fires, and whether it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeper {
    /// Whoever may configure, here.
    People,
    /// The setting of this name; it is read when the service starts.
    Setting(&'static str),
    /// The program itself.
    Program,
}

impl Schedule {
    /// Who keeps it.
    #[must_use]
    pub const fn keeper(&self) -> Keeper {
        match self.work {
            JobWork::SyncCrmDirectory => Keeper::Setting("dataverse.refresh"),
            JobWork::SyncProviderAccounts { .. } | JobWork::SyncSubscriptions { .. } => {
                Keeper::People
            }
            _ => Keeper::Program,
        }
    }
}

/// The names of all time zones.
#[must_use]
pub fn zones() -> Vec<&'static str> {
    chrono_tz::TZ_VARIANTS
        .iter()
        .map(|zone| zone.name())
        .collect()
}

/// What to change; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct ScheduleChange {
    /// New expression.
    pub cron: Option<String>,
    /// New zone.
    pub time_zone: Option<String>,
    /// On or off.
    pub enabled: Option<bool>,
}

fn summary(cron: &str, time_zone: &str, enabled: bool) -> Value {
    json!({ "cron": cron, "timeZone": time_zone, "enabled": enabled })
}

impl Flows {
    /// All schedules, the next to fire first.
    ///
    /// # Errors
    /// When the caller may not.
    pub async fn list_schedules(&self, caller: &Caller) -> Result<Vec<Schedule>, FlowError> {
        caller.require(Permission::Read)?;
        Ok(jobs::schedules::list(self.store.reader()).await?)
    }

    /// One schedule.
    ///
    /// # Errors
    /// When the caller may not, or there is no such schedule.
    pub async fn get_schedule(
        &self,
        caller: &Caller,
        id: ScheduleId,
    ) -> Result<Schedule, FlowError> {
        caller.require(Permission::Read)?;
        jobs::schedules::find_by_id(self.store.reader(), id)
            .await?
            .ok_or_else(|| FlowError::not_found("schedule", id))
    }

    /// Says when the subscriptions of a provider are synced by themselves.
    ///
    /// # Errors
    /// When the caller may not, there is no such provider, or expression or zone cannot be read.
    pub async fn set_subscription_schedule(
        &self,
        caller: &Caller,
        id: ProviderId,
        schedule: &SyncSchedule,
    ) -> Result<Schedule, FlowError> {
        caller.require(Permission::Configure)?;
        if providers::find(self.store.reader(), id).await?.is_none() {
            return Err(FlowError::not_found("provider", id));
        }
        let work = JobWork::SyncSubscriptions { provider_id: id };
        self.keep_schedule_of(caller, &work, schedule).await
    }

    /// Changes when a schedule fires, or turns it on or off.
    ///
    /// # Errors
    /// When the caller may not, there is no such schedule, or expression or zone cannot be read.
    pub async fn change_schedule(
        &self,
        caller: &Caller,
        id: ScheduleId,
        change: &ScheduleChange,
    ) -> Result<Schedule, FlowError> {
        caller.require(Permission::Configure)?;
        let before = self.get_schedule(caller, id).await?;
        let kind = before.work.kind();
        match before.keeper() {
            Keeper::People => {}
            Keeper::Setting(name) => {
                return Err(FlowError::Invalid(format!(
                    "the schedule of {kind} follows the setting `{name}`; change it there and start the service anew"
                )));
            }
            Keeper::Program => {
                return Err(FlowError::Invalid(format!(
                    "the schedule of {kind} is fixed; run it now if it is to run at another time"
                )));
            }
        }
        let after = SyncSchedule {
            cron: change.cron.clone().unwrap_or(before.cron),
            time_zone: change.time_zone.clone().unwrap_or(before.time_zone),
            enabled: change.enabled.unwrap_or(before.enabled),
        };
        self.keep_schedule_of(caller, &before.work, &after).await
    }

    async fn keep_schedule_of(
        &self,
        caller: &Caller,
        work: &JobWork,
        wanted: &SyncSchedule,
    ) -> Result<Schedule, FlowError> {
        let next = next_run(&wanted.cron, &wanted.time_zone, self.context.now())
            .map_err(FlowError::Invalid)?;
        let tx = self.store.begin().await?;
        let before = jobs::schedules::find(&*tx, work).await?;
        let (cron, zone, enabled) = (&wanted.cron, &wanted.time_zone, wanted.enabled);
        jobs::schedules::keep(&tx, &self.context, work, cron, zone, enabled, next).await?;
        let after = jobs::schedules::find(&*tx, work)
            .await?
            .ok_or_else(|| FlowError::not_found("schedule", work.kind()))?;
        let entry = Entry {
            action: "schedule.changed",
            subject: format!("schedule/{}", after.id),
            before: before.map(|it| summary(&it.cron, &it.time_zone, it.enabled)),
            after: Some(summary(cron, zone, enabled)),
            reason: None,
        };
        audit::record(&tx, &self.context, caller, entry).await?;
        tx.commit().await?;
        Ok(after)
    }

    /// Asks for the Job of a schedule at once.
    ///
    /// # Errors
    /// When the caller may not, or there is no such schedule.
    pub async fn run_schedule(&self, caller: &Caller, id: ScheduleId) -> Result<Job, FlowError> {
        caller.require(Permission::Sync)?;
        let schedule = self.get_schedule(caller, id).await?;
        self.request(caller, &schedule.work).await
    }

    /// The Jobs that a schedule asked for, newest first.
    ///
    /// # Errors
    /// When the caller may not, or there is no such schedule.
    pub async fn list_schedule_jobs(
        &self,
        caller: &Caller,
        id: ScheduleId,
    ) -> Result<Vec<Job>, FlowError> {
        self.get_schedule(caller, id).await?;
        let filter = jobs::Filter {
            schedule: Some(id),
            ..jobs::Filter::default()
        };
        Ok(jobs::list(self.store.reader(), &filter, None, MOST_JOBS).await?)
    }
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
