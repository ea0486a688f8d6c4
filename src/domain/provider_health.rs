//! How a provider's connection fares (A2): what lapses and when, when it was last read to the end, what went wrong last.
//!
//! What surprises: a consent whose change was refused is not lost, because the sign-in before it is still used. It is lost
//! when its own refresh token was refused, or was not used for too long.

use chrono::{DateTime, TimeDelta, Utc};

use super::consent::{Consent, Trouble};

/// People are told this many days before something lapses.
pub const WARN_DAYS: i64 = 14;

/// What lapses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// The sign-in of the user who consented.
    UserConsent,
    /// The secret of the application.
    ClientSecret,
}

impl Credential {
    /// Both.
    pub const ALL: [Self; 2] = [Self::UserConsent, Self::ClientSecret];

    /// In events.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UserConsent => "user-consent",
            Self::ClientSecret => "client-secret",
        }
    }

    /// What to do when it lapses or is lost.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::UserConsent => "give user consent on the provider's page",
            Self::ClientSecret => {
                "make a new client secret at Microsoft Entra and give it to the provider, with the day it expires"
            }
        }
    }
}

/// How one of them stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing to do.
    Good,
    /// It lapses within [`WARN_DAYS`].
    Lapsing,
    /// It is of no use any more.
    Lost,
}

impl Standing {
    /// In the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Lapsing => "lapsing",
            Self::Lost => "lost",
        }
    }

    /// Reads [`Self::name`] back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Good, Self::Lapsing, Self::Lost]
            .into_iter()
            .find(|standing| standing.name() == name)
    }

    fn until(end: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Self {
        match end {
            Some(end) if end <= now => Self::Lost,
            Some(end) if end - now <= TimeDelta::days(WARN_DAYS) => Self::Lapsing,
            _ => Self::Good,
        }
    }
}

/// What is the matter with a provider, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HealthIssue {
    /// The user's sign-in lapses soon.
    ConsentLapsing,
    /// The user's sign-in is of no use any more.
    ConsentLost,
    /// The client secret expires soon.
    ClientSecretExpiring,
    /// The client secret has expired.
    ClientSecretExpired,
    /// The last sync did not come to its end.
    SyncFailing,
}

impl HealthIssue {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::ConsentLapsing,
        Self::ConsentLost,
        Self::ClientSecretExpiring,
        Self::ClientSecretExpired,
        Self::SyncFailing,
    ];

    /// In the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ConsentLapsing => "consent-lapsing",
            Self::ConsentLost => "consent-lost",
            Self::ClientSecretExpiring => "client-secret-expiring",
            Self::ClientSecretExpired => "client-secret-expired",
            Self::SyncFailing => "sync-failing",
        }
    }
}

/// The last thing that went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastError {
    /// Its class: who can mend it.
    pub trouble: Trouble,
    /// What went wrong, and what to do. Nothing secret.
    pub text: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// The health of one provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderHealth {
    /// What was consented to.
    pub consent: Consent,
    /// Why the refresh token in use was refused, until one is taken again.
    pub refresh_refused: Option<String>,
    /// When the client secret expires, where somebody said so.
    pub client_secret_expires_at: Option<DateTime<Utc>>,
    /// When its customers were last read to the end.
    pub last_complete_sync_at: Option<DateTime<Utc>>,
    /// What last broke a sync.
    pub sync_error: Option<LastError>,
}

impl ProviderHealth {
    /// When a credential ends, where that is known.
    #[must_use]
    pub fn ends_at(&self, credential: Credential) -> Option<DateTime<Utc>> {
        match credential {
            Credential::UserConsent => self.consent.lapses_at(),
            Credential::ClientSecret => self.client_secret_expires_at,
        }
    }

    /// How a credential stands. What was never given cannot be lost.
    #[must_use]
    pub fn standing(&self, credential: Credential, now: DateTime<Utc>) -> Standing {
        let is_given = self.consent.user.is_some();
        if credential == Credential::UserConsent && is_given && self.refresh_refused.is_some() {
            return Standing::Lost;
        }
        Standing::until(self.ends_at(credential), now)
    }

    /// The last error of consent or sync, whichever is newer.
    #[must_use]
    pub fn last_error(&self) -> Option<LastError> {
        let of_consent = self.consent.failure.as_ref().map(|failure| LastError {
            trouble: failure.trouble,
            text: failure.text.clone(),
            at: failure.at,
        });
        let both = of_consent.into_iter().chain(self.sync_error.clone());
        both.max_by_key(|error| error.at)
    }

    /// What is the matter; nothing when the list is empty.
    #[must_use]
    pub fn issues(&self, now: DateTime<Utc>) -> Vec<HealthIssue> {
        let of_consent = match self.standing(Credential::UserConsent, now) {
            Standing::Good => None,
            Standing::Lapsing => Some(HealthIssue::ConsentLapsing),
            Standing::Lost => Some(HealthIssue::ConsentLost),
        };
        let of_secret = match self.standing(Credential::ClientSecret, now) {
            Standing::Good => None,
            Standing::Lapsing => Some(HealthIssue::ClientSecretExpiring),
            Standing::Lost => Some(HealthIssue::ClientSecretExpired),
        };
        let failed_since = |error: &LastError| {
            self.last_complete_sync_at
                .is_none_or(|complete| complete < error.at)
        };
        let of_sync = self
            .sync_error
            .as_ref()
            .filter(|error| failed_since(error))
            .map(|_| HealthIssue::SyncFailing);
        [of_consent, of_secret, of_sync]
            .into_iter()
            .flatten()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_is_good_then_lapsing_then_lost() {
        let end = DateTime::UNIX_EPOCH + TimeDelta::days(100);
        let standing = |days| Standing::until(Some(end), end - TimeDelta::days(days));
        assert_eq!(standing(WARN_DAYS + 1), Standing::Good);
        assert_eq!(standing(WARN_DAYS), Standing::Lapsing);
        assert_eq!(standing(1), Standing::Lapsing);
        assert_eq!(standing(0), Standing::Lost);
        assert_eq!(Standing::until(None, end), Standing::Good);
    }
}
