//! Samples of the events about subscriptions, for "send a test event".

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::event::{EventType, NewEvent};
use super::exception::{ExceptionKind, OpenException};
use super::ids::{
    AccountId, BillingContractId, ExceptionId, ProductSubscriptionId, ProviderAccountId,
    ProviderId, SubscriptionRunId,
};
use super::subscription::{FieldDifference, ListedSubscription, QUANTITY, Subscription};
use super::subscription_run::{RunSource, SubscriptionCounts, SubscriptionRun};
use super::subscription_sync::ChangeKind;
use super::sync_run::RunOutcome;

const fn number(last: u128) -> Uuid {
    Uuid::from_u128(0x0197_a1b2_0000_7000_8000_0000_0000_0100 + last)
}

/// A sample of an event about subscriptions, as if it happened at `at`; of any other type, one about an exception.
#[must_use]
pub fn sample(event_type: EventType, at: DateTime<Utc>) -> NewEvent {
    let mut run = run(at);
    match event_type {
        EventType::SubscriptionChanged => {
            let differences = [FieldDifference {
                field: QUANTITY.to_owned(),
                old: Some("5".to_owned()),
                new: Some("7".to_owned()),
            }];
            NewEvent::subscription_changed(
                &subscription(at),
                ChangeKind::Changed,
                &differences,
                &run,
            )
        }
        EventType::SubscriptionSyncFinished => NewEvent::subscription_sync_ended(&run),
        EventType::SubscriptionSyncFailed => {
            run.outcome = RunOutcome::Incomplete;
            run.note = Some("a test".to_owned());
            NewEvent::subscription_sync_ended(&run)
        }
        _ => NewEvent::exception_raised(&exception(at)),
    }
}

fn run(at: DateTime<Utc>) -> SubscriptionRun {
    SubscriptionRun {
        id: SubscriptionRunId::new(number(1)),
        source: RunSource::Automatic,
        provider_id: Some(ProviderId::new(number(2))),
        contract_id: None,
        job_id: None,
        preview_id: None,
        requested_by: "Provider Bridge".to_owned(),
        started_at: at,
        finished_at: Some(at),
        outcome: RunOutcome::Complete,
        counts: SubscriptionCounts {
            changed: 1,
            ..SubscriptionCounts::default()
        },
        note: None,
    }
}

fn subscription(at: DateTime<Utc>) -> Subscription {
    Subscription {
        id: ProductSubscriptionId::new(number(3)),
        provider_id: ProviderId::new(number(2)),
        provider_account_id: ProviderAccountId::new(number(4)),
        listed: ListedSubscription {
            external_id: number(5).into(),
            parent_id: None,
            name: "Visio Plan 2 (test)".to_owned(),
            product_id: None,
            unit: Some("Licenses".to_owned()),
            quantity: Decimal::from(7),
            status: "active".to_owned(),
            starts_at: Some(at),
            ends_at: None,
            unit_cost: None,
            currency: None,
            facts: BTreeMap::new(),
        },
        account_id: Some(AccountId::new(number(6))),
        contract_id: Some(BillingContractId::new(number(7))),
        held_for: None,
        selling_price: None,
        first_seen_at: at,
        gone_since: None,
        updated_at: at,
        version: 2,
    }
}

fn exception(at: DateTime<Utc>) -> OpenException {
    let kind = ExceptionKind::SubscriptionWithoutContract;
    OpenException {
        id: ExceptionId::new(number(8)),
        kind,
        subject: format!("subscription/{}", number(3)),
        detail: "subscription Visio Plan 2 (test) fits no default billing contract of its account"
            .to_owned(),
        remedy: kind.remedy().to_owned(),
        opened_at: at,
    }
}
