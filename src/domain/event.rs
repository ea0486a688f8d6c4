//! The event catalogue (decision 2, H2). The envelope and each type's data are part of the public contract: changes are
//! additive, and a breaking one raises `schemaVersion`. Flows build a [`NewEvent`]; the store writes it in the same
//! transaction as the change it tells of.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::caller::Caller;
use super::ids::{AccountId, EventId, ProviderAccountId};
use super::mapping::{Mapping, MatchEvidence};
use super::provider::Provider;
use super::provider_account::ProviderAccount;
use super::provider_health::Credential;

/// The types of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventType {
    /// A provider listed a customer for the first time (B14).
    ProviderAccountCreated,
    /// A Provider Account was linked to an Account, by a person or by auto-match.
    ProviderAccountMapped,
    /// A Provider Account lost its Account.
    ProviderAccountUnmapped,
    /// A Provider Account was excluded from mapping.
    ProviderAccountExcluded,
    /// One summary of a provider's first import.
    ProviderAccountsImported,
    /// A provider's consent or client secret lapses soon (A2).
    ConsentLapsing,
    /// A provider's consent or client secret is of no use any more.
    ConsentLost,
    /// A subscription came, changed or went.
    SubscriptionChanged,
    /// A sync of subscriptions ended.
    SubscriptionSyncFinished,
    /// A sync of subscriptions broke off, or left something out.
    SubscriptionSyncFailed,
    /// Something came up that will break billing later (D6).
    ExceptionRaised,
}

impl EventType {
    /// Every type.
    pub const ALL: [Self; 11] = [
        Self::ProviderAccountCreated,
        Self::ProviderAccountMapped,
        Self::ProviderAccountUnmapped,
        Self::ProviderAccountExcluded,
        Self::ProviderAccountsImported,
        Self::ConsentLapsing,
        Self::ConsentLost,
        Self::SubscriptionChanged,
        Self::SubscriptionSyncFinished,
        Self::SubscriptionSyncFailed,
        Self::ExceptionRaised,
    ];

    /// The name in the envelope, the API and the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ProviderAccountCreated => "provider-account.created",
            Self::ProviderAccountMapped => "provider-account.mapped",
            Self::ProviderAccountUnmapped => "provider-account.unmapped",
            Self::ProviderAccountExcluded => "provider-account.excluded",
            Self::ProviderAccountsImported => "provider-accounts.imported",
            Self::ConsentLapsing => "consent.lapsing",
            Self::ConsentLost => "consent.lost",
            Self::SubscriptionChanged => "subscription.changed",
            Self::SubscriptionSyncFinished => "subscription-sync.finished",
            Self::SubscriptionSyncFailed => "subscription-sync.failed",
            Self::ExceptionRaised => "exception.raised",
        }
    }

    /// Reads [`Self::name`] back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|event_type| event_type.name() == name)
    }
}

/// An event to be written with the change it tells of.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// Its type.
    pub event_type: EventType,
    /// What it is about, e.g. `provider-account/{id}`. Events of one subject arrive in order.
    pub subject: String,
    /// The data of its type, in the shape of the catalogue.
    pub data: serde_json::Value,
}

/// An event with its place in the order, as it is delivered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    /// Id of the event; the same in every delivery of it.
    pub event_id: EventId,
    /// [`EventType::name`].
    pub event_type: String,
    /// Version of the shape of `data`.
    pub schema_version: i32,
    /// When the change was made.
    pub occurred_at: DateTime<Utc>,
    /// Name and kind of the deployment (A4), e.g. `production`.
    pub environment: String,
    /// What it is about.
    pub subject: String,
    /// The data.
    pub data: serde_json::Value,
}

/// Version of every `data` shape in this catalogue.
pub const SCHEMA_VERSION: i32 = 1;

/// The subject of events about one Provider Account.
#[must_use]
pub fn provider_account_subject(id: ProviderAccountId) -> String {
    format!("provider-account/{id}")
}

/// The subject of what is about one CRM Account.
#[must_use]
pub fn account_subject(id: AccountId) -> String {
    format!("account/{id}")
}

/// Reads [`provider_account_subject`] back.
#[must_use]
pub fn provider_account_of_subject(subject: &str) -> Option<ProviderAccountId> {
    subject.strip_prefix("provider-account/")?.parse().ok()
}

fn provider_account_data(provider: &Provider, account: &ProviderAccount) -> serde_json::Value {
    serde_json::json!({
        "providerAccountId": account.id,
        "providerId": provider.id,
        "providerName": provider.name,
        "providerKind": provider.kind,
        "externalId": account.external_id,
        "name": account.name,
        "tenantId": account.tenant_id,
        "domains": account.domain_names(),
        "relationship": account.relationship,
    })
}

fn with(mut data: serde_json::Value, more: serde_json::Value) -> serde_json::Value {
    if let (Some(data), serde_json::Value::Object(more)) = (data.as_object_mut(), more) {
        data.extend(more);
    }
    data
}

impl NewEvent {
    /// "When a provider account is created". `initial_import` is true for a provider's first listing (B14).
    #[must_use]
    pub fn created(provider: &Provider, account: &ProviderAccount, initial_import: bool) -> Self {
        let more = serde_json::json!({
            "detailsComplete": account.details_complete(),
            "initialImport": initial_import,
        });
        Self {
            event_type: EventType::ProviderAccountCreated,
            subject: provider_account_subject(account.id),
            data: with(provider_account_data(provider, account), more),
        }
    }

    /// The change of a mapping: mapped, unmapped or excluded, by the state it is in now. `previous` is the state before.
    #[must_use]
    pub fn mapping_changed(
        provider: &Provider,
        account: &ProviderAccount,
        previous: &Mapping,
        by: &Caller,
        reason: Option<&str>,
        evidence: Option<&MatchEvidence>,
    ) -> Self {
        let (event_type, more) = match &account.mapping {
            Mapping::Mapped {
                account_id,
                account_name,
                by: mapped_by,
                ..
            } => (
                EventType::ProviderAccountMapped,
                serde_json::json!({
                    "accountId": account_id,
                    "accountName": account_name,
                    "mappedBy": mapped_by,
                    "confidence": evidence.map(|it| it.confidence),
                    "evidence": evidence.map_or(&[][..], |it| &it.reasons),
                }),
            ),
            Mapping::Unmapped { .. } => (EventType::ProviderAccountUnmapped, serde_json::json!({})),
            Mapping::Excluded { .. } => (EventType::ProviderAccountExcluded, serde_json::json!({})),
        };
        let always = serde_json::json!({
            "previousAccountId": previous.account_id(),
            "actor": by.actor.name,
            "reason": reason,
        });
        Self {
            event_type,
            subject: provider_account_subject(account.id),
            data: with(with(provider_account_data(provider, account), more), always),
        }
    }

    /// One summary of a provider's first import (B14).
    #[must_use]
    pub fn imported(provider: &Provider, provider_accounts: i64) -> Self {
        Self {
            event_type: EventType::ProviderAccountsImported,
            subject: format!("provider/{}", provider.id),
            data: serde_json::json!({
                "providerId": provider.id,
                "providerName": provider.name,
                "providerAccounts": provider_accounts,
            }),
        }
    }

    /// "When a consent is lapsing": it ends at `ends_at` unless somebody does something.
    #[must_use]
    pub fn consent_lapsing(
        provider: &Provider,
        credential: Credential,
        ends_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Self {
        let more = serde_json::json!({
            "lapsesAt": ends_at,
            "daysLeft": (ends_at - now).num_days().max(0),
        });
        Self {
            event_type: EventType::ConsentLapsing,
            subject: format!("provider/{}", provider.id),
            data: with(consent_data(provider, credential), more),
        }
    }

    /// "When a consent is lost": nothing can be done in the name of whoever gave it. `detail` says why, for people.
    #[must_use]
    pub fn consent_lost(
        provider: &Provider,
        credential: Credential,
        reason: LostBecause,
        detail: &str,
    ) -> Self {
        let more = serde_json::json!({ "reason": reason.name(), "detail": detail });
        Self {
            event_type: EventType::ConsentLost,
            subject: format!("provider/{}", provider.id),
            data: with(consent_data(provider, credential), more),
        }
    }
}

/// Why a consent is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LostBecause {
    /// Its time was over.
    Lapsed,
    /// Microsoft Entra refused it.
    Refused,
    /// Somebody took it away here.
    Revoked,
}

impl LostBecause {
    /// In the event.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lapsed => "lapsed",
            Self::Refused => "refused",
            Self::Revoked => "revoked",
        }
    }
}

fn consent_data(provider: &Provider, credential: Credential) -> serde_json::Value {
    serde_json::json!({
        "providerId": provider.id,
        "providerName": provider.name,
        "providerKind": provider.kind,
        "partnerTenant": provider.partner_tenant,
        "credential": credential.name(),
        "remedy": credential.remedy(),
    })
}
