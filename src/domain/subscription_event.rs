//! Events about subscriptions, their syncs, and exceptions (H2).

use chrono::{DateTime, Utc};
use serde_json::json;

use super::event::{EventType, NewEvent};
use super::exception::{ExceptionKind, OpenException};
use super::provider::Provider;
use super::subscription::{FieldDifference, Subscription};
use super::subscription_run::SubscriptionRun;
use super::subscription_sync::ChangeKind;
use super::sync_run::RunOutcome;

impl NewEvent {
    /// "When a subscription changes": it came, a field of it changed, or it went.
    #[must_use]
    pub fn subscription_changed(
        subscription: &Subscription,
        kind: ChangeKind,
        differences: &[FieldDifference],
        run: &SubscriptionRun,
    ) -> Self {
        let listed = &subscription.listed;
        Self {
            event_type: EventType::SubscriptionChanged,
            subject: format!("subscription/{}", subscription.id),
            data: json!({
                "subscriptionId": subscription.id,
                "providerId": subscription.provider_id,
                "providerAccountId": subscription.provider_account_id,
                "externalId": listed.external_id,
                "name": listed.name,
                "change": kind.name(),
                "quantity": listed.quantity.to_string(),
                "status": listed.status,
                "accountId": subscription.account_id,
                "billingContractId": subscription.contract_id,
                "differences": differences,
                "source": run.source.name(),
                "syncRunId": run.id,
            }),
        }
    }

    /// "When a sync of subscriptions finishes", or fails.
    #[must_use]
    pub fn subscription_sync_ended(run: &SubscriptionRun) -> Self {
        let failed = run.outcome == RunOutcome::Incomplete;
        Self {
            event_type: if failed {
                EventType::SubscriptionSyncFailed
            } else {
                EventType::SubscriptionSyncFinished
            },
            subject: format!("subscription-sync/{}", run.id),
            data: json!({
                "syncRunId": run.id,
                "source": run.source.name(),
                "providerId": run.provider_id,
                "billingContractId": run.contract_id,
                "requestedBy": run.requested_by,
                "outcome": run.outcome.name(),
                "new": run.counts.new,
                "changed": run.counts.changed,
                "gone": run.counts.gone,
                "held": run.counts.held,
                "failedCustomers": run.counts.failed_customers,
                "reason": run.note,
            }),
        }
    }

    /// "When an exception is raised", by the first import of a provider's subscriptions: one event tells of all of a kind (B14).
    #[must_use]
    pub fn exceptions_imported(
        provider: &Provider,
        kind: ExceptionKind,
        count: i64,
        at: DateTime<Utc>,
    ) -> Self {
        let subject = format!("provider/{}", provider.id);
        Self {
            event_type: EventType::ExceptionRaised,
            subject: subject.clone(),
            data: json!({
                "exceptionId": null,
                "kind": kind.name(),
                "subject": subject,
                "detail": format!("the first import of the subscriptions of {} raised exceptions of this kind: {count}", provider.name),
                "remedy": kind.remedy(),
                "raisedAt": at,
                "initialImport": true,
                "count": count,
            }),
        }
    }

    /// "When an exception is raised".
    #[must_use]
    pub fn exception_raised(exception: &OpenException) -> Self {
        Self {
            event_type: EventType::ExceptionRaised,
            subject: format!("exception/{}", exception.id),
            data: json!({
                "exceptionId": exception.id,
                "kind": exception.kind.name(),
                "subject": exception.subject,
                "detail": exception.detail,
                "remedy": exception.remedy,
                "raisedAt": exception.opened_at,
                "initialImport": false,
                "count": 1,
            }),
        }
    }
}
