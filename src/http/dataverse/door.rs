//! Who may post webhooks: the one who knows a secret, from our organisation.

use std::sync::{Mutex, PoisonError};

use actix_web::HttpRequest;
use actix_web::http::header::HeaderName;
use actix_web::web::Query;
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use subtle::{Choice, ConstantTimeEq};
use uuid::Uuid;

use crate::flows::receive_crm_notice::{NoticeInbox, REFUSALS_EVERY};
use crate::http::problem::{Problem, ProblemCode};

static ORGANIZATION: HeaderName = HeaderName::from_static("x-ms-dynamics-organization");

/// Whose webhooks are taken.
pub struct NoticeSettings {
    /// The secrets; two while one takes the place of the other. None: no webhook is taken.
    pub secrets: Vec<SecretString>,
    /// The header that carries one.
    pub header: HeaderName,
    /// The host of our organisation.
    pub organization_host: Option<String>,
    /// Its id, where it is known.
    pub organization_id: Option<Uuid>,
}

/// Where webhooks come in.
pub struct NoticeDoor {
    settings: NoticeSettings,
    inbox: NoticeInbox,
    reported_at: Mutex<Option<DateTime<Utc>>>,
}

/// Why one was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    NotSetUp,
    NoSecret,
    UnknownSecret,
    OtherOrganization,
}

impl Refused {
    pub(super) const fn why(self) -> &'static str {
        match self {
            Self::NotSetUp => "this deployment takes no webhooks of Dataverse",
            Self::NoSecret => "it carried no secret",
            Self::UnknownSecret => "its secret is not one of ours",
            Self::OtherOrganization => "it came from another organisation",
        }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let (code, detail) = match refused {
            Refused::NotSetUp => (
                ProblemCode::NotFound,
                "This deployment takes no webhooks of Dataverse; set dataverse.webhook_secrets to take them.",
            ),
            Refused::NoSecret | Refused::UnknownSecret => (
                ProblemCode::Unauthenticated,
                "The webhook's secret is missing or unknown; give its registration one of dataverse.webhook_secrets.",
            ),
            Refused::OtherOrganization => (
                ProblemCode::Forbidden,
                "The webhook comes from another organisation than dataverse.org_url names.",
            ),
        };
        Self::new(code, detail)
    }
}

/// What the query may carry: `code` for WebhookKey, `secret` for HttpQueryString.
#[derive(Deserialize)]
struct InQuery {
    code: Option<SecretString>,
    secret: Option<SecretString>,
}

impl NoticeDoor {
    /// A door.
    #[must_use]
    pub fn new(settings: NoticeSettings, inbox: NoticeInbox) -> Self {
        Self {
            settings,
            inbox,
            reported_at: Mutex::default(),
        }
    }

    pub(super) const fn inbox(&self) -> &NoticeInbox {
        &self.inbox
    }

    /// Whether this may come in; nothing of its body is read for it.
    pub(super) fn admit(&self, request: &HttpRequest) -> Result<(), Refused> {
        if self.settings.secrets.is_empty() {
            return Err(Refused::NotSetUp);
        }
        let given = self.given(request).ok_or(Refused::NoSecret)?;
        if !self.knows(&given) {
            return Err(Refused::UnknownSecret);
        }
        if self.names_us(request) {
            Ok(())
        } else {
            Err(Refused::OtherOrganization)
        }
    }

    fn given(&self, request: &HttpRequest) -> Option<SecretString> {
        if let Some(value) = request.headers().get(&self.settings.header) {
            return value.to_str().ok().map(SecretString::from);
        }
        let query = Query::<InQuery>::from_query(request.query_string())
            .ok()?
            .into_inner();
        query.code.or(query.secret)
    }

    /// Compares with every secret, and takes as long whether one fits or not.
    fn knows(&self, given: &SecretString) -> bool {
        let given = given.expose_secret().as_bytes();
        let fits = self
            .settings
            .secrets
            .iter()
            .fold(Choice::from(0), |fits, secret| {
                fits | secret.expose_secret().as_bytes().ct_eq(given)
            });
        fits.into()
    }

    fn names_us(&self, request: &HttpRequest) -> bool {
        let named = request
            .headers()
            .get(&ORGANIZATION)
            .and_then(|value| value.to_str().ok());
        match (named, &self.settings.organization_host) {
            (Some(named), Some(ours)) => named.trim().eq_ignore_ascii_case(ours),
            _ => false,
        }
    }

    /// The body's own word on where it comes from. Absent in none of the documented shapes.
    pub(super) fn check_organization(&self, named: Option<Uuid>) -> Result<(), Problem> {
        match self.settings.organization_id {
            Some(ours) if named != Some(ours) => Err(Refused::OtherOrganization.into()),
            _ => Ok(()),
        }
    }

    /// Whether a refusal should become an exception: an unknown secret, once in a while.
    pub(super) fn worth_reporting(&self, refused: &Refused, now: DateTime<Utc>) -> bool {
        if !matches!(refused, Refused::NoSecret | Refused::UnknownSecret) {
            return false;
        }
        let mut reported_at = self
            .reported_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if reported_at.is_some_and(|at| now - at < REFUSALS_EVERY) {
            return false;
        }
        *reported_at = Some(now);
        true
    }
}
