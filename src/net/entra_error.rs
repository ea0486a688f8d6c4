//! Why Entra refused a token, and who can do something about it: a setting of ours, a consent, a policy of the tenant, or
//! just time. Decided by `error` and `suberror`, refined by `error_codes`; the description is for people, may change, and
//! is neither read nor passed on. (Entra: "AADSTS error codes"; codes are explanations, not a contract, so an unknown one
//! falls back to its `error`.)

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::ports::provider::FailureKind;

/// The body of a refusal (RFC 6749, 5.2, with Entra's additions). Everything but `error` may be missing.
#[derive(Clone, Default, Deserialize, Serialize)]
pub struct EntraErrorBody {
    /// The class, e.g. `invalid_client`.
    pub error: String,
    /// A finer class, e.g. `consent_required`, `basic_action`.
    #[serde(default)]
    pub suberror: Option<String>,
    /// The AADSTS numbers, most telling first.
    #[serde(default)]
    pub error_codes: Vec<u32>,
    /// For Microsoft's support.
    #[serde(default)]
    pub trace_id: Option<String>,
    /// For Microsoft's support.
    #[serde(default)]
    pub correlation_id: Option<String>,
}

/// What a refusal means for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Consent, Permission, Configuration, Throttled, Transient or Protocol.
    pub kind: FailureKind,
    /// What is wrong and what to do, as two clauses joined by a semicolon.
    pub meaning: &'static str,
}

impl EntraErrorBody {
    /// Sorts the refusal.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.error_codes
            .iter()
            .find_map(|code| of_code(*code))
            .unwrap_or_else(|| of_class(&self.error, self.suberror.as_deref()))
    }

    /// The code to show: the first AADSTS number, or else the class.
    #[must_use]
    pub fn code(&self) -> String {
        match self.error_codes.first() {
            Some(code) => format!("AADSTS{code}"),
            None => self.error.chars().take(60).collect(),
        }
    }
}

const fn verdict(kind: FailureKind, meaning: &'static str) -> Verdict {
    Verdict { kind, meaning }
}

fn of_code(code: u32) -> Option<Verdict> {
    use FailureKind::{Configuration, Consent, Permission, Throttled, Transient};
    Some(match code {
        7_000_215 => verdict(
            Configuration,
            "the client secret is wrong; enter the secret's value, not its id",
        ),
        7_000_222 => verdict(
            Configuration,
            "the client secret has expired; make a new one in the app registration and enter it",
        ),
        700_027 => verdict(
            Configuration,
            "the client assertion was refused; check the certificate",
        ),
        700_016 => verdict(
            Configuration,
            "the application is not known in this tenant; check the tenant and the client id",
        ),
        7_000_112 => verdict(
            Configuration,
            "the application is disabled in this tenant; enable it",
        ),
        7_000_229 | 65_001 => verdict(
            Consent,
            "nobody has consented to the application for this resource in this tenant; give admin consent",
        ),
        65_004 => verdict(Consent, "consent was declined; give it again"),
        90_094 | 90_095 => verdict(
            Consent,
            "an administrator has to consent; give admin consent",
        ),
        90_099 => verdict(
            Consent,
            "the customer's tenant has not been given consent; consent on its behalf",
        ),
        90_002 | 900_021 | 900_023 | 90_019 => verdict(
            Configuration,
            "there is no such tenant in this cloud; check tenant and cloud",
        ),
        50_194 | 9_001_023 => verdict(
            Configuration,
            "the tenant has to be named; use its id in place of `common`",
        ),
        500_011 | 650_052 => verdict(
            Configuration,
            "the resource is not known in this tenant; check that it is the tenant that hosts it",
        ),
        90_008 | 650_056 | 650_057 => verdict(
            Configuration,
            "the application does not ask for this resource; add it to its API permissions and give admin consent",
        ),
        901_002 | 700_022 | 70_011 | 1_002_012 => verdict(
            Configuration,
            "the scope is wrong; ask for one resource with `/.default`",
        ),
        50_076 | 50_079 | 50_074 | 50_072 | 50_078 => verdict(
            Consent,
            "multi-factor authentication is needed; sign in again",
        ),
        70_043 => verdict(
            Consent,
            "a sign-in policy wants a fresh sign-in; sign in again",
        ),
        700_082 | 70_008 | 50_173 | 70_000 => verdict(
            Consent,
            "the sign-in has lapsed or was revoked; sign in again",
        ),
        53_003 | 530_032 | 530_034 => verdict(
            Permission,
            "a Conditional Access policy blocks it; ask the tenant's administrator to allow the application",
        ),
        50_196 => verdict(Throttled, "the same token was asked for too often; wait"),
        90_033 | 90_006 | 50_033 | 90_024 => verdict(
            Transient,
            "the sign-in service has a passing fault; it is tried again",
        ),
        _ => return of_redemption(code),
    })
}

/// What can be wrong with an authorization code.
fn of_redemption(code: u32) -> Option<Verdict> {
    let meaning = match code {
        54_005 => "this sign-in was used before; sign in again",
        501_481 | 700_005 => "the sign-in was begun elsewhere; sign in again from here",
        _ => return None,
    };
    Some(verdict(FailureKind::Consent, meaning))
}

fn of_class(error: &str, suberror: Option<&str>) -> Verdict {
    use FailureKind::{Configuration, Consent, Permission, Protocol, Throttled, Transient};
    match (error, suberror) {
        (_, Some("consent_required")) => verdict(Consent, "consent is missing; give admin consent"),
        ("consent_required" | "invalid_grant" | "interaction_required" | "login_required", _) => {
            verdict(
                Consent,
                "consent or a sign-in is needed; give consent again",
            )
        }
        ("access_denied", _) => verdict(
            Permission,
            "the tenant's policy refuses it; ask the tenant's administrator to allow the application",
        ),
        ("invalid_client" | "unauthorized_client", _) => verdict(
            Configuration,
            "the application's credential was refused; check client id and secret",
        ),
        (
            "invalid_request"
            | "invalid_scope"
            | "invalid_resource"
            | "invalid_target"
            | "unsupported_grant_type",
            _,
        ) => verdict(
            Configuration,
            "the request does not fit; check tenant, cloud and scope",
        ),
        ("slow_down", _) => verdict(Throttled, "it was asked too often; wait"),
        ("temporarily_unavailable" | "server_error" | "service_unavailable", _) => verdict(
            Transient,
            "the sign-in service has a passing fault; it is tried again",
        ),
        _ => verdict(
            Protocol,
            "the refusal is of an unknown kind; look it up by its code",
        ),
    }
}

impl fmt::Debug for EntraErrorBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntraErrorBody")
            .field("error", &self.error)
            .field("suberror", &self.suberror)
            .field("error_codes", &self.error_codes)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for EntraErrorBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.code())
    }
}

impl oauth2::ErrorResponse for EntraErrorBody {}
