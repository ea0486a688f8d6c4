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
