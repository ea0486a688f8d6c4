//! How a provider fares, as the API says it (A2): part of every provider that is given.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::provider_health::{Credential, LastError, ProviderHealth};
use crate::http::words;

/// How a provider fares.
#[derive(Serialize, ToSchema)]
#[schema(as = ProviderHealth)]
#[serde(rename_all = "camelCase")]
pub(super) struct HealthBody {
    /// `ok`, or `degraded` when there are issues.
    #[schema(example = "ok")]
    status: &'static str,
    /// What is the matter, each in a word: consent-lapsing, consent-lost, client-secret-expiring, client-secret-expired or
    /// sync-failing.
    issues: Vec<&'static str>,
    /// When the user's consent lapses unless it is used before: 90 days after its last use. Absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    consent_lapses_at: Option<DateTime<Utc>>,
    /// Days until then, estimated; never below 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    consent_days_left: Option<i64>,
    /// When the client secret expires; absent where nobody said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    client_secret_expires_at: Option<DateTime<Utc>>,
    /// Days until then; never below 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    client_secret_days_left: Option<i64>,
    /// When its customers were last read to the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_complete_sync_at: Option<DateTime<Utc>>,
    /// What last went wrong with its consent or its sync.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_error: Option<LastErrorBody>,
}

/// What last went wrong.
#[derive(Serialize, ToSchema)]
#[schema(as = ProviderLastError)]
#[serde(rename_all = "camelCase")]
pub(super) struct LastErrorBody {
    #[schema(schema_with = words::trouble)]
    class: &'static str,
    /// What went wrong, and what to do about it.
    detail: String,
    /// When.
    at: DateTime<Utc>,
}

impl From<LastError> for LastErrorBody {
    fn from(error: LastError) -> Self {
        Self {
            class: error.trouble.name(),
            detail: error.text,
            at: error.at,
        }
    }
}

impl HealthBody {
    /// As it is at `now`.
    pub(super) fn at(health: &ProviderHealth, now: DateTime<Utc>) -> Self {
        let issues = health.issues(now);
        let ends = |credential| health.ends_at(credential);
        let left = |credential| ends(credential).map(|at| (at - now).num_days().max(0));
        Self {
            status: if issues.is_empty() { "ok" } else { "degraded" },
            issues: issues.into_iter().map(|issue| issue.name()).collect(),
            consent_lapses_at: ends(Credential::UserConsent),
            consent_days_left: left(Credential::UserConsent),
            client_secret_expires_at: ends(Credential::ClientSecret),
            client_secret_days_left: left(Credential::ClientSecret),
            last_complete_sync_at: health.last_complete_sync_at,
            last_error: health.last_error().map(Into::into),
        }
    }
}
