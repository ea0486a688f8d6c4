//! Fires the schedules that are due.

use crate::flows::{FlowError, Flows, schedules};
use crate::store::jobs::schedules as store;

/// Queues the Job of every due schedule, once whatever many instances look. A schedule whose time passed several times
/// while nothing ran fires once.
///
/// # Errors
/// When the store refuses.
pub async fn fire_due(flows: &Flows) -> Result<usize, FlowError> {
    let now = flows.context.now();
    let mut fired = 0;
    for schedule in store::list(flows.store.reader()).await? {
        if schedule.next_run_at > now {
            break;
        }
        if !schedule.enabled {
            continue;
        }
        let next = schedules::next_run(&schedule.cron, &schedule.time_zone, now)
            .map_err(FlowError::Invalid)?;
        if store::fire(&flows.store, &flows.context, &schedule, next)
            .await?
            .is_some()
        {
            tracing::info!(kind = schedule.work.kind(), next_run_at = %next, "schedule fired");
            fired += 1;
        }
    }
    Ok(fired)
}
