//! The mapping of a Provider Account: map, remap, unmap, exclude (B4).

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::mapping::Mapping;
use crate::domain::provider_account::ProviderAccount;
use crate::http::words;

/// The link of a provider account to an account.
#[derive(Serialize, ToSchema)]
#[schema(as = Mapping)]
#[serde(rename_all = "camelCase")]
pub(super) struct MappingBody {
    #[schema(schema_with = words::mapping_state)]
    state: &'static str,
    /// The account, when mapped.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    account_id: Option<Uuid>,
    /// Name of the account when the mapping was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    account_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = words::mapped_by)]
    mapped_by: Option<&'static str>,
    /// Why it is excluded.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<String>,
    /// Since when it is in this state.
    since: DateTime<Utc>,
    /// Grows by one with each change of the mapping; also the ETag.
    version: i64,
}

impl MappingBody {
    /// The mapping of `account`.
    pub(super) fn of(account: &ProviderAccount) -> Self {
        let state = account.mapping.state().name();
        let version = account.mapping_version;
        let blank = |since| Self {
            state,
            account_id: None,
            account_name: None,
            mapped_by: None,
            reason: None,
            since,
            version,
        };
        match &account.mapping {
            Mapping::Unmapped { since } => blank(*since),
            Mapping::Mapped {
                account_id,
                account_name,
                by,
                at,
            } => Self {
                account_id: Some(account_id.as_uuid()),
                account_name: Some(account_name.clone()),
                mapped_by: Some(by.name()),
                ..blank(*at)
            },
            Mapping::Excluded { at, reason } => Self {
                reason: Some(reason.clone()),
                ..blank(*at)
            },
        }
    }
}
