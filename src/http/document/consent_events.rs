//! The shapes of the events about consent, for the document alone, as in [`super::events`].

use chrono::{DateTime, Utc};
use utoipa::ToSchema;
use uuid::Uuid;

/// An event: the consent or the client secret of a provider lapses soon.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes JSON that is made elsewhere")]
pub struct ConsentLapsingEvent {
    /// Id of the event; the same in every delivery of it.
    event_id: Uuid,
    /// Always `consent.lapsing`.
    event_type: String,
    /// Version of the shape of data.
    schema_version: i32,
    /// When it happened.
    occurred_at: DateTime<Utc>,
    /// Name of the deployment it happened in.
    environment: String,
    /// What it is about.
    subject: String,
    /// What lapses, and when.
    data: ConsentLapsingData,
}

/// What lapses.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes JSON that is made elsewhere")]
pub struct ConsentLapsingData {
    /// The provider.
    provider_id: Uuid,
    /// Name of the provider.
    provider_name: String,
    /// Kind of the provider.
    provider_kind: String,
    /// The tenant that hosts Partner Center.
    partner_tenant: String,
    /// What it is: `user-consent` or `client-secret`.
    credential: String,
    /// When it ends unless it is renewed.
    lapses_at: DateTime<Utc>,
    /// Days until then.
    days_left: i64,
    /// What to do about it.
    remedy: String,
    /// Present and true in a test event only.
    #[schema(nullable = false)]
    test: Option<bool>,
}

/// An event: the consent or the client secret of a provider is of no use any more.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes JSON that is made elsewhere")]
pub struct ConsentLostEvent {
    /// Id of the event; the same in every delivery of it.
    event_id: Uuid,
    /// Always `consent.lost`.
    event_type: String,
    /// Version of the shape of data.
    schema_version: i32,
    /// When it happened.
    occurred_at: DateTime<Utc>,
    /// Name of the deployment it happened in.
    environment: String,
    /// What it is about.
    subject: String,
    /// What was lost, and why.
    data: ConsentLostData,
}

/// What was lost.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes JSON that is made elsewhere")]
pub struct ConsentLostData {
    /// The provider.
    provider_id: Uuid,
    /// Name of the provider.
    provider_name: String,
    /// Kind of the provider.
    provider_kind: String,
    /// The tenant that hosts Partner Center.
    partner_tenant: String,
    /// What it is: `user-consent` or `client-secret`.
    credential: String,
    /// Why: `lapsed`, `refused` or `revoked`.
    reason: String,
    /// The same in words.
    detail: String,
    /// What to do about it.
    remedy: String,
    /// Present and true in a test event only.
    #[schema(nullable = false)]
    test: Option<bool>,
}
