//! Entra's error answers: OAuth fields, with its own code in the text and as a number.

use actix_web::http::StatusCode;
use serde_json::json;

use crate::simulator::exchange::Answer;
use crate::simulator::simulation::Simulation;

/// What went wrong, in Entra's terms.
#[derive(Debug, Clone, Copy)]
pub(super) struct Problem {
    pub status: StatusCode,
    /// OAuth error.
    pub error: &'static str,
    /// Number after `AADSTS`.
    pub code: u32,
    pub text: &'static str,
}

const fn problem(
    status: StatusCode,
    error: &'static str,
    code: u32,
    text: &'static str,
) -> Problem {
    Problem {
        status,
        error,
        code,
        text,
    }
}

pub(super) const TENANT_NOT_FOUND: Problem = problem(
    StatusCode::BAD_REQUEST,
    "invalid_request",
    90002,
    "Tenant not found. Check that the tenant is right and that this is its cloud.",
);
pub(super) const APP_NOT_IN_TENANT: Problem = problem(
    StatusCode::BAD_REQUEST,
    "unauthorized_client",
    700_016,
    "Application was not found in the directory.",
);
pub(super) const WRONG_SECRET: Problem = problem(
    StatusCode::UNAUTHORIZED,
    "invalid_client",
    7_000_215,
    "Invalid client secret provided.",
);
pub(super) const UNKNOWN_RESOURCE: Problem = problem(
    StatusCode::BAD_REQUEST,
    "invalid_resource",
    500_011,
    "The resource principal was not found in the tenant.",
);
pub(super) const SCOPE_NOT_DEFAULT: Problem = problem(
    StatusCode::BAD_REQUEST,
    "invalid_scope",
    70011,
    "The scope of a client credentials request must end in /.default.",
);
pub(super) const RESOURCE_ON_V2: Problem = problem(
    StatusCode::BAD_REQUEST,
    "invalid_request",
    901_002,
    "The 'resource' request parameter is not supported.",
);
pub(super) const GRANT_UNSUPPORTED: Problem = problem(
    StatusCode::BAD_REQUEST,
    "unsupported_grant_type",
    70003,
    "The grant type is not supported.",
);
pub(super) const MISSING_PARAMETER: Problem = problem(
    StatusCode::BAD_REQUEST,
    "invalid_request",
    900_144,
    "The request body must contain the parameters grant_type, client_id and scope or resource.",
);

pub(super) const TENANT_NOT_NAMED: Problem = problem(
    StatusCode::BAD_REQUEST,
    "invalid_request",
    9_001_023,
    "The grant type is not supported over the /common or /consumers endpoints.",
);
pub(super) const CODE_INVALID: Problem = problem(
    StatusCode::BAD_REQUEST,
    "invalid_grant",
    70000,
    "The provided authorization code is not valid.",
);
pub(super) const CODE_USED: Problem = problem(
    StatusCode::BAD_REQUEST,
    "invalid_grant",
    54_005,
    "The authorization code was already redeemed.",
);
pub(super) const CODE_EXPIRED: Problem = problem(
    StatusCode::BAD_REQUEST,
    "invalid_grant",
    70008,
    "The authorization code has expired.",
);
pub(super) const CODE_OTHER_TENANT: Problem = problem(
    StatusCode::BAD_REQUEST,
    "invalid_grant",
    700_005,
    "The authorization code must be redeemed at the tenant it was acquired for.",
);
pub(super) const CODE_REDIRECT: Problem = problem(
    StatusCode::BAD_REQUEST,
    "invalid_grant",
    50011,
    "The redirect URI does not match that of the authorization request.",
);
pub(super) const VERIFIER_WRONG: Problem = problem(
    StatusCode::BAD_REQUEST,
    "invalid_grant",
    501_481,
    "The code verifier does not match the code challenge.",
);
pub(super) const REFRESH_INVALID: Problem = problem(
    StatusCode::BAD_REQUEST,
    "invalid_grant",
    70000,
    "The provided refresh token is not valid.",
);
pub(super) const REFRESH_REVOKED: Problem = problem(
    StatusCode::BAD_REQUEST,
    "invalid_grant",
    50173,
    "The grant was revoked; a fresh sign-in is needed.",
);
pub(super) const REFRESH_IDLE: Problem = problem(
    StatusCode::BAD_REQUEST,
    "invalid_grant",
    700_082,
    "The refresh token has expired due to inactivity.",
);
pub(super) const CONSENT_MISSING: Problem = problem(
    StatusCode::BAD_REQUEST,
    "invalid_grant",
    65001,
    "Nobody has consented to use the application.",
);

/// The refusals that Microsoft documents for signing in and for tokens, by number, as the token endpoint words their class.
pub const DOCUMENTED: [(u32, &str); 40] = [
    (65_001, "invalid_grant"),
    (65_004, "access_denied"),
    (90_094, "access_denied"),
    (90_095, "access_denied"),
    (90_008, "invalid_client"),
    (650_056, "invalid_client"),
    (650_057, "invalid_resource"),
    (650_052, "invalid_resource"),
    (500_011, "invalid_resource"),
    (90_099, "invalid_request"),
    (700_016, "unauthorized_client"),
    (50_194, "invalid_request"),
    (90_002, "invalid_request"),
    (50_076, "invalid_grant"),
    (50_079, "interaction_required"),
    (50_074, "interaction_required"),
    (50_072, "interaction_required"),
    (50_078, "invalid_grant"),
    (70_043, "invalid_grant"),
    (53_003, "access_denied"),
    (530_032, "invalid_grant"),
    (530_034, "invalid_grant"),
    (700_082, "invalid_grant"),
    (70_008, "invalid_grant"),
    (50_173, "invalid_grant"),
    (70_000, "invalid_grant"),
    (7_000_215, "invalid_client"),
    (7_000_222, "invalid_client"),
    (700_027, "invalid_client"),
    (50_196, "invalid_grant"),
    (90_033, "temporarily_unavailable"),
    (90_006, "temporarily_unavailable"),
    (50_033, "temporarily_unavailable"),
    (90_024, "temporarily_unavailable"),
    (700_022, "invalid_request"),
    (901_002, "invalid_request"),
    (9_001_023, "invalid_request"),
    (700_005, "invalid_grant"),
    (54_005, "invalid_grant"),
    (501_481, "invalid_grant"),
];

impl Problem {
    /// The answer.
    pub fn answer(self, simulation: &Simulation) -> Answer {
        let now = simulation
            .context
            .now()
            .format("%Y-%m-%d %H:%M:%SZ")
            .to_string();
        let trace = simulation.context.new_uuid();
        let correlation = simulation.context.new_uuid();
        let code = self.code;
        let description = format!(
            "AADSTS{code}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {now}",
            self.text
        );
        let body = json!({
            "error": self.error,
            "error_description": description,
            "error_codes": [code],
            "timestamp": now,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("https://login.microsoftonline.com/error?code={code}"),
        });
        Answer::json(self.status, &body).with("cache-control", "no-store, no-cache")
    }
}
