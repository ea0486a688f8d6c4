//! The OpenID metadata documents of v1 and v2. Their issuers differ, as Entra's do.

use actix_web::http::StatusCode;
use serde_json::json;

use crate::simulator::exchange::{Answer, Call};

/// Which document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    One,
    Two,
}

/// Issuer of v1-format tokens.
pub(super) fn issuer_v1(origin: &str, tenant: &str) -> String {
    format!("{origin}/{tenant}/")
}

/// Issuer of v2-format tokens.
pub(super) fn issuer_v2(origin: &str, tenant: &str) -> String {
    format!("{origin}/{tenant}/v2.0")
}

/// The metadata of a tenant.
pub(super) fn document(call: &Call, tenant: &str, version: Version) -> Answer {
    let base = format!("{}/{tenant}", call.origin);
    let (issuer, middle, keys) = if version == Version::Two {
        (
            issuer_v2(&call.origin, tenant),
            "oauth2/v2.0",
            "discovery/v2.0/keys",
        )
    } else {
        (issuer_v1(&call.origin, tenant), "oauth2", "discovery/keys")
    };
    Answer::json(
        StatusCode::OK,
        &json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{base}/{middle}/authorize"),
            "token_endpoint": format!("{base}/{middle}/token"),
            "jwks_uri": format!("{base}/{keys}"),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "scopes_supported": ["openid"],
            "claims_supported": ["sub", "iss", "aud", "exp", "iat", "nbf", "tid", "oid", "appid"],
        }),
    )
}
