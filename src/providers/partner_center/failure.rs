//! What an answer that is not a success means, and what to do about it. The code decides where it is known, the status
//! otherwise. (Partner Center REST error codes; 900420 and 900421 are newer than the published list.)

use std::time::Duration;

use super::body::Body;
use super::wire::ErrorBody;
use crate::domain::ports::provider::{FailureKind, ProviderError};

/// An answer that is not a success, before it is judged.
pub(super) struct Refusal<'a> {
    /// What we wanted, as a verb phrase: "list customers".
    pub(super) what: &'a str,
    /// The status of the answer.
    pub(super) status: u16,
    /// Its body.
    pub(super) body: &'a [u8],
    /// `Retry-After`, where it was sent.
    pub(super) retry_after: Option<Duration>,
    /// For the provider's support.
    pub(super) correlation_id: String,
}

/// What kind of failure, why, and what to do.
type Meaning = (FailureKind, &'static str);

impl Refusal<'_> {
    /// Judges it.
    pub(super) fn into_error(self) -> ProviderError {
        let body = Body::new(self.body);
        let read: ErrorBody<'_> = body.read().ok().flatten().unwrap_or_default();
        let (code, text) = code_and_text(&read);
        let (kind, meaning) = code
            .and_then(of_code)
            .unwrap_or_else(|| of_status(self.status));
        let said = said(code, text);
        let message = format!(
            "Partner Center would not {}: {meaning} (HTTP {}{said})",
            self.what, self.status
        );
        let throttled = kind == FailureKind::Throttled;
        let in_text = text.filter(|_| throttled).and_then(seconds_in_text);
        ProviderError {
            kind,
            message,
            code: code.map(|code| code.chars().take(40).collect()),
            retry_after: self.retry_after.or(in_text),
            correlation_id: Some(self.correlation_id),
        }
    }
}

/// The code of an error body, when it is one; the rest of the judgement does not need it.
pub(super) fn code_of(body: &[u8]) -> Option<String> {
    let body = Body::new(body);
    let read: ErrorBody<'_> = body.read().ok().flatten()?;
    code_and_text(&read).0.map(str::to_owned)
}

fn code_and_text<'a>(read: &'a ErrorBody<'_>) -> (Option<&'a str>, Option<&'a str>) {
    let inner = read.error.0.as_ref();
    let code = read
        .code
        .get()
        .or_else(|| inner.and_then(|inner| inner.code.get()))
        .or_else(|| read.status_code.get());
    let text = read
        .description
        .get()
        .or_else(|| read.message.get())
        .or_else(|| {
            inner.and_then(|inner| inner.description.get().or_else(|| inner.message.get()))
        });
    (code, text)
}

fn said(code: Option<&str>, text: Option<&str>) -> String {
    let short = |text: &str, most| -> String {
        text.chars()
            .filter(|character| !character.is_control())
            .take(most)
            .collect()
    };
    match (code, text) {
        (Some(code), Some(text)) => format!(", code {}: {}", short(code, 40), short(text, 200)),
        (Some(code), None) => format!(", code {}", short(code, 40)),
        (None, Some(text)) => format!(": {}", short(text, 200)),
        (None, None) => String::new(),
    }
}

fn of_code(code: &str) -> Option<Meaning> {
    use FailureKind::{
        Configuration, Consent, CustomerLeft, NotFound, Permission, Rejected, Transient,
    };
    Some(match code {
        "20002" => (
            CustomerLeft,
            "the customer has no relationship with this partner any more",
        ),
        "900420" => (
            Configuration,
            "the token is for another audience; correct the scope setting",
        ),
        "900421" => (
            Consent,
            "it wants a token with multi-factor authentication; give user consent, signing in with it",
        ),
        "900329" => (
            Configuration,
            "it does not let an application sign in by itself here; give user consent to this connection",
        ),
        "2032" | "900150" | "900308" => (
            Permission,
            "the application lacks the role; register it under App management in Partner Center, or give it the role",
        ),
        "1002" => (
            Permission,
            "the partner account has no access to the API (indirect resellers have none); check the account's kind",
        ),
        "900309" => (
            Permission,
            "a Conditional Access policy blocks the token; ask the tenant's administrator to allow the application",
        ),
        "900123" | "900124" | "900149" => (
            Permission,
            "the partner agreement is not signed or the programme not active; mend it in Partner Center",
        ),
        "13605" => (
            Rejected,
            "the customer has not accepted the customer agreement; have it accepted",
        ),
        "1000" | "20000" | "20003" | "60003" => (NotFound, "there is no such record"),
        "2055" => (
            Rejected,
            "the record was changed meanwhile; read it again and repeat the change",
        ),
        "800014" | "800082" | "900112" | "900216" | "900278" => (
            Rejected,
            "an earlier change of it is still being made; repeat it later",
        ),
        "800031" | "900135" | "900192" => (Transient, "it has a passing fault; it is tried again"),
        _ => return None,
    })
}

fn of_status(status: u16) -> Meaning {
    use FailureKind::{
        Configuration, Consent, NotFound, Permission, Protocol, Rejected, Throttled, Transient,
    };
    match status {
        204 => (Transient, "the answer is not ready; it is tried again"),
        200..=299 => (
            Protocol,
            "the answer could not be understood; verify the connection",
        ),
        300..=399 => (
            Configuration,
            "it redirects elsewhere; correct the address in the settings",
        ),
        401 => (
            Consent,
            "it refused the token; check that the application is registered there and has consent",
        ),
        403 => (
            Permission,
            "the application lacks the right; give it the role in Partner Center",
        ),
        404 | 410 => (NotFound, "there is no such record"),
        408 => (Transient, "it gave up waiting; it is tried again"),
        429 => (Throttled, "it was asked too often; it is tried again later"),
        500.. => (Transient, "it has a fault; it is tried again"),
        _ => (Rejected, "it refused the request; see its reason"),
    }
}

/// The gateway's 429 says how long only in words: "Rate limit is exceeded. Try again in 57 seconds."
fn seconds_in_text(text: &str) -> Option<Duration> {
    let (_, after) = text.split_once("Try again in ")?;
    let digits = after.split_once(' ').map_or(after, |(digits, _)| digits);
    let seconds: u64 = digits.parse().ok()?;
    Some(Duration::from_secs(seconds).min(crate::net::retry_after::LONGEST))
}
