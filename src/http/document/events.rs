//! The shapes of the events that triggers deliver, for the document alone: `domain::event` makes the events themselves, and a
//! test below holds the two together.

use chrono::{DateTime, Utc};
use utoipa::ToSchema;
use uuid::Uuid;

/// An event: a provider listed a customer for the first time.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes JSON that is made elsewhere")]
pub struct ProviderAccountCreatedEvent {
    /// Id of the event; the same in every delivery of it.
    event_id: Uuid,
    /// Always `provider-account.created`.
    event_type: String,
    /// Version of the shape of data.
    schema_version: i32,
    /// When it happened.
    occurred_at: DateTime<Utc>,
    /// Name of the deployment it happened in.
    environment: String,
    /// What it is about.
    subject: String,
    /// The provider account.
    data: ProviderAccountCreatedData,
}

/// The provider account that was created.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes JSON that is made elsewhere")]
pub struct ProviderAccountCreatedData {
    /// Id of the provider account.
    provider_account_id: Uuid,
    /// The provider it belongs to.
    provider_id: Uuid,
    /// Name of the provider.
    provider_name: String,
    /// Kind of the provider.
    provider_kind: String,
    /// The provider's own id of the customer.
    external_id: String,
    /// Name of the customer at the provider.
    name: String,
    /// Microsoft tenant of the customer, where known.
    tenant_id: Option<String>,
    /// Every known domain of the customer.
    domains: Vec<String>,
    /// The relationship to the customer, as the provider words it.
    relationship: String,
    /// Whether its details, and with them its custom domains, have been fetched.
    details_complete: bool,
    /// Whether it came with the first import of its provider.
    initial_import: bool,
    /// Present and true in a test event only.
    #[schema(nullable = false)]
    test: Option<bool>,
}

/// An event: a provider account was mapped to an account.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes JSON that is made elsewhere")]
pub struct ProviderAccountMappedEvent {
    /// Id of the event; the same in every delivery of it.
    event_id: Uuid,
    /// Always `provider-account.mapped`.
    event_type: String,
    /// Version of the shape of data.
    schema_version: i32,
    /// When it happened.
    occurred_at: DateTime<Utc>,
    /// Name of the deployment it happened in.
    environment: String,
    /// What it is about.
    subject: String,
    /// The provider account and its account.
    data: ProviderAccountMappedData,
}

/// The provider account that was mapped, and its account.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes JSON that is made elsewhere")]
pub struct ProviderAccountMappedData {
    /// Id of the provider account.
    provider_account_id: Uuid,
    /// The provider it belongs to.
    provider_id: Uuid,
    /// Name of the provider.
    provider_name: String,
    /// Kind of the provider.
    provider_kind: String,
    /// The provider's own id of the customer.
    external_id: String,
    /// Name of the customer at the provider.
    name: String,
    /// Microsoft tenant of the customer, where known.
    tenant_id: Option<String>,
    /// Every known domain of the customer.
    domains: Vec<String>,
    /// The relationship to the customer, as the provider words it.
    relationship: String,
    /// The account it is mapped to.
    account_id: Uuid,
    /// Name of that account.
    account_name: String,
    /// Who made the mapping: `person` or `auto-match`.
    mapped_by: String,
    /// Between 0 and 1, when auto-match made the mapping.
    confidence: Option<f64>,
    /// What an automatic mapping rests on; empty for a person's.
    evidence: Vec<MappedEvidence>,
    /// The account it was mapped to before.
    previous_account_id: Option<Uuid>,
    /// Name of whoever made the mapping.
    actor: String,
    /// Why, in their words.
    reason: Option<String>,
    /// Present and true in a test event only.
    #[schema(nullable = false)]
    test: Option<bool>,
}

/// One piece of evidence that an automatic mapping rests on.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes JSON that is made elsewhere")]
pub struct MappedEvidence {
    /// In plain words.
    text: String,
    /// Points of log-odds: above zero it speaks for the account, below against it. Absent where a rule decides.
    #[schema(nullable = false)]
    weight: Option<f64>,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use crate::domain::event::EventType;
    use crate::domain::event_sample::sample;

    #[test]
    fn the_document_describes_the_events_that_are_made() {
        let document = super::super::openapi();
        for (event_type, schema) in [
            (
                EventType::ProviderAccountCreated,
                "ProviderAccountCreatedData",
            ),
            (
                EventType::ProviderAccountMapped,
                "ProviderAccountMappedData",
            ),
            (EventType::ConsentLapsing, "ConsentLapsingData"),
            (EventType::ConsentLost, "ConsentLostData"),
            (EventType::SubscriptionChanged, "SubscriptionChangedData"),
            (
                EventType::SubscriptionSyncFinished,
                "SubscriptionSyncFinishedData",
            ),
            (
                EventType::SubscriptionSyncFailed,
                "SubscriptionSyncFailedData",
            ),
            (EventType::ExceptionRaised, "ExceptionRaisedData"),
        ] {
            let at = chrono::DateTime::from_timestamp(0, 0).unwrap();
            let made = sample(event_type, at).data;
            let made: BTreeSet<_> = made.as_object().unwrap().keys().cloned().collect();
            let pointer = format!("/components/schemas/{schema}/properties");
            let described = document
                .pointer(&pointer)
                .and_then(Value::as_object)
                .unwrap();
            let described: BTreeSet<_> = described.keys().cloned().collect();
            assert_eq!(made, described, "{schema}");
        }
    }
}
