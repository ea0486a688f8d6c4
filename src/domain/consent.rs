//! Consent of a provider's tenant (A2): what was given, by whom, and what is the matter with it.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ids::ProviderId;
use super::ports::provider::FailureKind;

/// A refresh token that nobody used for so long is void (Microsoft: refresh tokens, lifetime).
pub const LAPSE_DAYS: i64 = 90;

/// Whether a second factor stands behind the sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MultiFactor {
    /// The provider said so.
    Verified,
    /// The provider did not say.
    Unverified,
}

impl MultiFactor {
    /// In the store and on pages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Unverified => "unverified",
        }
    }
}

/// Who can mend a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trouble {
    /// Somebody has to consent or sign in again.
    ReConsent,
    /// An operator has to mend a setting, a secret or a policy; the consent itself stands.
    Operator,
    /// Time: it is tried again, and nothing is disconnected.
    Transient,
}

impl Trouble {
    /// In the store and on pages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReConsent => "re-consent",
            Self::Operator => "operator",
            Self::Transient => "transient",
        }
    }

    /// Reads [`Self::name`] back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::ReConsent, Self::Operator, Self::Transient]
            .into_iter()
            .find(|trouble| trouble.name() == name)
    }

    /// The class of a failure.
    #[must_use]
    pub const fn of(kind: FailureKind) -> Self {
        match kind {
            FailureKind::Consent => Self::ReConsent,
            FailureKind::Throttled | FailureKind::Transient => Self::Transient,
            _ => Self::Operator,
        }
    }
}

/// Something that went wrong with a consent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentFailure {
    /// Who can mend it.
    pub trouble: Trouble,
    /// What went wrong, and what to do. Nothing secret.
    pub text: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// Somebody who gave a consent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub by: String,
}

/// A tenant that somebody signed in to and nobody confirmed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingTenant {
    /// The signed `tid`.
    pub tenant_id: Uuid,
    /// Who signed in.
    pub by: String,
}

/// The consent of one provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// Whose.
    pub provider_id: ProviderId,
    /// The tenant it is pinned to.
    pub tenant_id: Option<Uuid>,
    /// Admin Consent, as reported by the sign-in service.
    pub admin: Option<Given>,
    /// User Consent: a sign-in whose refresh token is kept.
    pub user: Option<Given>,
    /// The second factor behind it.
    pub multi_factor: MultiFactor,
    /// When the refresh token was last exchanged.
    pub refreshed_at: Option<DateTime<Utc>>,
    /// Grows with each refresh token that is kept.
    pub version: i64,
    /// A sign-in that waits for a person to confirm its tenant.
    pub pending: Option<PendingTenant>,
    /// What went wrong last, until something goes right.
    pub failure: Option<ConsentFailure>,
}

impl Consent {
    /// Nothing given yet.
    #[must_use]
    pub const fn none(provider_id: ProviderId) -> Self {
        Self {
            provider_id,
            tenant_id: None,
            admin: None,
            user: None,
            multi_factor: MultiFactor::Unverified,
            refreshed_at: None,
            version: 0,
            pending: None,
            failure: None,
        }
    }

    /// When the refresh token lapses unless it is used before.
    #[must_use]
    pub fn lapses_at(&self) -> Option<DateTime<Utc>> {
        self.user.as_ref()?;
        self.refreshed_at.map(|at| at + TimeDelta::days(LAPSE_DAYS))
    }
}
