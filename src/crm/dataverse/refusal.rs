//! What a refusal of the Web API means, and who can mend it. Judged by the error code first and the status second: the
//! same trouble comes under several statuses, and the code is often empty. The body is `{"error":{"code","message"}}`, or
//! whatever page a proxy in between liked to send.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use crate::domain::ports::crm::CrmError;
use crate::domain::ports::provider::FailureKind;
use crate::net::backoff::{Advice, Advise};

/// Error codes that we act on. (Microsoft: "Web service error codes", "Service protection API limits".)
mod code {
    pub(super) const NO_SUCH_ROW: &str = "0x80040217";
    pub(super) const ROW_EXISTS: &str = "0x80040237";
    pub(super) const PRIVILEGE_MISSING: &str = "0x80040220";
    pub(super) const USER_NOT_IN_ORGANISATION: &str = "0x80072560";
    pub(super) const USER_DISABLED: &str = "0x80040225";
    pub(super) const EXPIRED_VERSION_STAMP: &str = "0x80044352";
    /// Requests, execution time and concurrency, in this order.
    pub(super) const THROTTLED: [&str; 3] = ["0x80072322", "0x80072321", "0x80072326"];
}

/// A call that brought no usable answer.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    /// The status, when there was an answer.
    status: Option<u16>,
    /// Whether the body was an error of the Web API, not of something in between.
    from_dataverse: bool,
    /// What to tell.
    pub(super) error: CrmError,
}

impl Failure {
    /// The answer was an error.
    pub(super) fn refused(
        what: &str,
        host: &str,
        status: u16,
        retry_after: Option<Duration>,
        body: &[u8],
    ) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let error = body.get("error");
        let text = |name: &str| error.and_then(|error| error.get(name)?.as_str());
        let code = text("code").map(str::trim).filter(|code| !code.is_empty());
        let code = code.map(str::to_ascii_lowercase);
        let (kind, remedy) = judge(status, code.as_deref(), text("message").unwrap_or_default());
        let mut message = format!("{what} failed: {host} answered {status}");
        if let Some(code) = &code {
            message.push_str(&format!(" ({code})"));
        }
        match text("message")
            .map(one_line)
            .filter(|said| !said.is_empty())
        {
            Some(said) => message.push_str(&format!(" \"{said}\"; {remedy}")),
            None => message.push_str(&format!("; {remedy}")),
        }
        Self {
            status: Some(status),
            from_dataverse: error.is_some_and(Value::is_object),
            error: CrmError {
                kind,
                message,
                code,
                retry_after,
            },
        }
    }

    /// There was no answer, or none that can be read.
    pub(super) fn without_answer(error: CrmError) -> Self {
        Self {
            status: None,
            from_dataverse: false,
            error,
        }
    }

    /// Dataverse itself says that the row does not exist. A 404 of a proxy, or for a wrong address, is no such word: it
    /// would make every Account look deleted.
    pub(super) fn no_such_row(&self) -> bool {
        self.status == Some(404)
            && self.from_dataverse
            && matches!(self.error.code.as_deref(), None | Some(code::NO_SUCH_ROW))
    }

    /// A row of this id exists already, so that nothing was created.
    pub(super) fn already_there(&self) -> bool {
        self.from_dataverse
            && (self.status == Some(412) || self.error.code.as_deref() == Some(code::ROW_EXISTS))
    }

    /// The change token is too old.
    pub(super) fn expired(&self) -> bool {
        self.status == Some(410) || self.error.code.as_deref() == Some(code::EXPIRED_VERSION_STAMP)
    }
}

fn judge(status: u16, code: Option<&str>, said: &str) -> (FailureKind, &'static str) {
    use FailureKind::{
        Configuration, Consent, NotFound, Permission, Protocol, Rejected, Throttled, Transient,
    };
    match (status, code) {
        // Whatever code comes with it: no role mends a token that is too old.
        (401, _) if said.to_ascii_lowercase().contains("expired") => (
            Consent,
            "a fresh token was refused too; check the clocks of this machine and of whatever stands between, and try again",
        ),
        (_, Some(code)) if code::THROTTLED.contains(&code) => (
            Throttled,
            "it limits how much one user may ask; wait and try again",
        ),
        (_, Some(code::USER_NOT_IN_ORGANISATION)) => (
            Permission,
            "the application user is missing: add one for this application in the environment \
             (Power Platform admin centre, application users) and give it a security role",
        ),
        (_, Some(code::USER_DISABLED)) => (
            Permission,
            "the application user is disabled; enable it in the environment",
        ),
        (_, Some(code::PRIVILEGE_MISSING)) => (
            Permission,
            "give the application user a security role with organisation-wide Read on Account and Contact",
        ),
        (_, Some(code::EXPIRED_VERSION_STAMP)) | (410, _) => (
            Rejected,
            "the change token is too old; everything is read again",
        ),
        (401, _) => (
            Consent,
            "the token was refused; check that organisation address, tenant and cloud belong together",
        ),
        (403, _) => (
            Permission,
            "the application user lacks a right; check its security role",
        ),
        (404, Some(code::NO_SUCH_ROW)) => (NotFound, "it does not exist"),
        (404, _) => (Configuration, "check the organisation's address"),
        (429, _) => (Throttled, "wait and try again"),
        (408 | 500 | 502..=504, _) => (Transient, "it may work later"),
        (300..=399, _) => (Protocol, "it redirects; check the organisation's address"),
        (400..=499, _) => (Rejected, "this is not tried again"),
        _ => (Protocol, "the answer is of an unknown kind"),
    }
}

/// The CRM's own words, fit for one line.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().take(300).collect()
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl Advise for Failure {
    fn advice(&self) -> Advice {
        self.error.advice()
    }
}
