//! The shapes of the events about subscriptions and exceptions, for the document alone, as in [`super::events`].

use chrono::{DateTime, Utc};
use utoipa::ToSchema;
use uuid::Uuid;

/// One field that changed.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes JSON that is made elsewhere")]
pub struct SubscriptionDifference {
    /// The field.
    field: String,
    /// Its value before.
    old: Option<String>,
    /// Its value after.
    new: Option<String>,
}

/// An event: a subscription came, changed or went.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes JSON that is made elsewhere")]
pub struct SubscriptionChangedEvent {
    /// Id of the event; the same in every delivery of it.
    event_id: Uuid,
    /// Always `subscription.changed`.
    event_type: String,
    /// Version of the shape of data.
    schema_version: i32,
    /// When it happened.
    occurred_at: DateTime<Utc>,
    /// Name of the deployment it happened in.
    environment: String,
    /// What it is about.
    subject: String,
    /// The subscription, and what changed.
    data: SubscriptionChangedData,
}

/// The subscription, and what changed.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes JSON that is made elsewhere")]
pub struct SubscriptionChangedData {
    /// Id of the subscription.
    subscription_id: Uuid,
    /// The provider.
    provider_id: Uuid,
    /// The provider account it belongs to.
    provider_account_id: Uuid,
    /// The provider's own id of the subscription.
    external_id: String,
    /// What people call it.
    name: String,
    /// What happened: `new`, `changed` or `gone`.
    change: String,
    /// Its quantity now, as a decimal text.
    quantity: String,
    /// The provider's word for its state now.
    status: String,
    /// The account it belongs to.
    account_id: Option<Uuid>,
    /// The billing contract it sits in.
    billing_contract_id: Option<Uuid>,
    /// Every field that changed.
    differences: Vec<SubscriptionDifference>,
    /// Whether the sync was `manual` or `automatic`.
    source: String,
    /// The sync run, for its report.
    sync_run_id: Uuid,
    /// Present and true in a test event only.
    #[schema(nullable = false)]
    test: Option<bool>,
}

/// An event: a sync of subscriptions ended.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes JSON that is made elsewhere")]
pub struct SubscriptionSyncFinishedEvent {
    /// Id of the event; the same in every delivery of it.
    event_id: Uuid,
    /// Always `subscription-sync.finished`.
    event_type: String,
    /// Version of the shape of data.
    schema_version: i32,
    /// When it happened.
    occurred_at: DateTime<Utc>,
    /// Name of the deployment it happened in.
    environment: String,
    /// What it is about.
    subject: String,
    /// How the sync ended.
    data: SubscriptionSyncFinishedData,
}

/// How the sync ended.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes JSON that is made elsewhere")]
pub struct SubscriptionSyncFinishedData {
    /// The sync run, for its report.
    sync_run_id: Uuid,
    /// Whether it was `manual` or `automatic`.
    source: String,
    /// The provider, for a run over all of its customers.
    provider_id: Option<Uuid>,
    /// The billing contract it was done for.
    billing_contract_id: Option<Uuid>,
    /// Who asked for it.
    requested_by: String,
    /// `complete` or `incomplete`.
    outcome: String,
    /// Subscriptions seen for the first time.
    new: i64,
    /// Subscriptions in which something differed.
    changed: i64,
    /// Subscriptions no longer listed.
    gone: i64,
    /// Subscriptions left without a billing contract.
    held: i64,
    /// Customers that could not be read.
    failed_customers: i64,
    /// Why it is incomplete.
    reason: Option<String>,
    /// Present and true in a test event only.
    #[schema(nullable = false)]
    test: Option<bool>,
}

/// An event: a sync of subscriptions broke off or left something out.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes JSON that is made elsewhere")]
pub struct SubscriptionSyncFailedEvent {
    /// Id of the event; the same in every delivery of it.
    event_id: Uuid,
    /// Always `subscription-sync.failed`.
    event_type: String,
    /// Version of the shape of data.
    schema_version: i32,
    /// When it happened.
    occurred_at: DateTime<Utc>,
    /// Name of the deployment it happened in.
    environment: String,
    /// What it is about.
    subject: String,
    /// How the sync ended, and why.
    data: SubscriptionSyncFailedData,
}

/// How the sync ended, and why.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes JSON that is made elsewhere")]
pub struct SubscriptionSyncFailedData {
    /// The sync run, for its report.
    sync_run_id: Uuid,
    /// Whether it was `manual` or `automatic`.
    source: String,
    /// The provider, for a run over all of its customers.
    provider_id: Option<Uuid>,
    /// The billing contract it was done for.
    billing_contract_id: Option<Uuid>,
    /// Who asked for it.
    requested_by: String,
    /// `complete` or `incomplete`.
    outcome: String,
    /// Subscriptions seen for the first time.
    new: i64,
    /// Subscriptions in which something differed.
    changed: i64,
    /// Subscriptions no longer listed.
    gone: i64,
    /// Subscriptions left without a billing contract.
    held: i64,
    /// Customers that could not be read.
    failed_customers: i64,
    /// Why it is incomplete.
    reason: Option<String>,
    /// Present and true in a test event only.
    #[schema(nullable = false)]
    test: Option<bool>,
}

/// An event: something came up that will break billing later.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes JSON that is made elsewhere")]
pub struct ExceptionRaisedEvent {
    /// Id of the event; the same in every delivery of it.
    event_id: Uuid,
    /// Always `exception.raised`.
    event_type: String,
    /// Version of the shape of data.
    schema_version: i32,
    /// When it happened.
    occurred_at: DateTime<Utc>,
    /// Name of the deployment it happened in.
    environment: String,
    /// What it is about.
    subject: String,
    /// The exception.
    data: ExceptionRaisedData,
}

/// The exception.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes JSON that is made elsewhere")]
pub struct ExceptionRaisedData {
    /// Id of the exception; empty when the event tells of several.
    exception_id: Option<Uuid>,
    /// What is wrong.
    kind: String,
    /// What it is about, as kind and id.
    subject: String,
    /// What is wrong, in words.
    detail: String,
    /// What to do about it.
    remedy: String,
    /// Since when.
    raised_at: DateTime<Utc>,
    /// Whether it came with the first import of a provider's subscriptions. Those are told of together, one event for each kind.
    initial_import: bool,
    /// How many exceptions the event tells of: one, or all of the kind that a first import raised.
    count: i64,
    /// Present and true in a test event only.
    #[schema(nullable = false)]
    test: Option<bool>,
}
