//! The stand-in for Microsoft Entra: the pages for signing in and for consenting, token endpoints (v1 and v2), OpenID
//! metadata and keys. Tokens are real RS256 JWTs of a
//! key made at start, so that whoever checks them checks something.
//!
//! Tokens are in the v1 format for both endpoints, as Entra issues them for Partner Center and Dataverse: the format is the
//! resource's choice, not the endpoint's.

mod authorize;
mod claims;
mod errors;
mod grants;
mod keys;
mod metadata;
mod people;
mod token;
mod user_token;

pub(super) use claims::Claims;
pub use errors::DOCUMENTED;
pub(super) use grants::Grants;
pub(super) use keys::Keys;
pub(super) use people::by_object_id;
pub use people::{PEOPLE, Person};

use actix_web::http::{Method, StatusCode};

use super::exchange::{Answer, Call};
use super::faults::FaultKind;
use super::simulation::Simulation;

/// What a request wants.
enum Wanted<'c> {
    Token(&'c str, token::Version),
    Metadata(&'c str, metadata::Version),
    Keys,
    SignIn(&'c str),
    AdminConsent(&'c str),
}

fn wanted(call: &Call) -> Option<Wanted<'_>> {
    Some(match (&call.method, call.segments().as_slice()) {
        (&Method::POST, [tenant, "oauth2", "v2.0", "token"]) => {
            Wanted::Token(tenant, token::Version::Two)
        }
        (&Method::POST, [tenant, "oauth2", "token"]) => Wanted::Token(tenant, token::Version::One),
        (&Method::GET, [tenant, "v2.0", ".well-known", "openid-configuration"]) => {
            Wanted::Metadata(tenant, metadata::Version::Two)
        }
        (&Method::GET, [tenant, ".well-known", "openid-configuration"]) => {
            Wanted::Metadata(tenant, metadata::Version::One)
        }
        (&Method::GET, [tenant, "oauth2", "v2.0", "authorize"]) => Wanted::SignIn(tenant),
        (&Method::GET, [tenant, "v2.0", "adminconsent"]) => Wanted::AdminConsent(tenant),
        (&Method::GET, [_, "discovery", "v2.0", "keys"] | [_, "discovery", "keys"]) => Wanted::Keys,
        _ => return None,
    })
}

/// The operation a request is counted under; `None` when the path is not Entra's.
pub(super) fn operation(call: &Call) -> Option<&'static str> {
    Some(match wanted(call)? {
        Wanted::Token(..) => "token",
        Wanted::Metadata(..) => "metadata",
        Wanted::Keys => "keys",
        Wanted::SignIn(_) => "authorize",
        Wanted::AdminConsent(_) => "admin-consent",
    })
}

/// Answers a request. Some faults lie inside a token and are handed in.
pub(super) fn answer(simulation: &Simulation, call: &Call, faults: &[FaultKind]) -> Answer {
    match wanted(call) {
        Some(Wanted::Token(tenant, version)) => {
            token::issue(simulation, call, tenant, version, faults)
        }
        Some(Wanted::Metadata(tenant, version)) => metadata::document(call, tenant, version),
        Some(Wanted::SignIn(tenant)) => authorize::sign_in(simulation, call, tenant, faults),
        Some(Wanted::AdminConsent(tenant)) => {
            authorize::admin_consent(simulation, call, tenant, faults)
        }
        Some(Wanted::Keys) => Answer::json(StatusCode::OK, &simulation.keys.key_set()),
        None => Answer::empty(StatusCode::NOT_FOUND),
    }
}
