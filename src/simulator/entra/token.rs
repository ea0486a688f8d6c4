//! The token endpoints. Here are application-only tokens (client credentials); a user's are in [`super::user_token`].

use std::collections::HashMap;

use actix_web::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;

use super::claims::Claims;
use super::errors::{self, Problem};
use super::metadata::issuer_v1;
use super::user_token;
use crate::simulator::credentials;
use crate::simulator::exchange::{Answer, Call};
use crate::simulator::faults::FaultKind;
use crate::simulator::simulation::Simulation;

/// Which endpoint: they differ in parameters and in how numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// `resource`; numbers are texts.
    One,
    /// `scope`; numbers are numbers.
    Two,
}

/// Answers a token request.
pub(super) fn issue(
    simulation: &Simulation,
    call: &Call,
    tenant: &str,
    version: Version,
    faults: &[FaultKind],
) -> Answer {
    let life = faults.iter().find_map(life_of).unwrap_or(3599);
    let answer = Form::read(call, tenant).and_then(|form| {
        if form.get("grant_type")? == "client_credentials" {
            let grant = granted(call, &form, version)?;
            return Ok(simulation.token_answer(call, tenant, version, &grant, life));
        }
        user_token::issue(simulation, call, &form, tenant, life, faults)
    });
    answer.unwrap_or_else(|problem| problem.answer(simulation))
}

fn life_of(fault: &FaultKind) -> Option<i64> {
    match fault {
        FaultKind::ShortLivedTokens { seconds } => Some(i64::from(*seconds)),
        _ => None,
    }
}

struct Grant {
    client_id: String,
    resource: String,
}

/// A request whose client proved itself.
pub(super) struct Form {
    pub client_id: String,
    fields: HashMap<String, String>,
}

impl Form {
    /// Reads it, and checks the client where it is registered. `organizations` stands for any tenant.
    fn read(call: &Call, tenant: &str) -> Result<Self, Problem> {
        let fields: HashMap<String, String> = url::form_urlencoded::parse(&call.body)
            .into_owned()
            .collect();
        let (client_id, secret) = client(call, &fields).ok_or(errors::MISSING_PARAMETER)?;
        let known = credentials::KNOWN
            .iter()
            .find(|known| known.client_id == client_id)
            .ok_or(errors::APP_NOT_IN_TENANT)?;
        let any = ["common", "organizations"].contains(&tenant);
        if any && fields.get("grant_type").map(String::as_str) == Some("client_credentials") {
            return Err(errors::TENANT_NOT_NAMED);
        }
        if !any && !credentials::TENANTS.contains(&tenant.to_ascii_lowercase().as_str()) {
            return Err(errors::TENANT_NOT_FOUND);
        }
        if !any && !known.tenant.eq_ignore_ascii_case(tenant) {
            return Err(errors::APP_NOT_IN_TENANT);
        }
        if secret != known.client_secret {
            return Err(errors::WRONG_SECRET);
        }
        Ok(Self { client_id, fields })
    }

    pub(super) fn get(&self, name: &str) -> Result<&str, Problem> {
        self.find(name).ok_or(errors::MISSING_PARAMETER)
    }

    pub(super) fn find(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }
}

fn granted(call: &Call, form: &Form, version: Version) -> Result<Grant, Problem> {
    let resource = match version {
        Version::One => form.get("resource")?,
        Version::Two if form.find("resource").is_some() => return Err(errors::RESOURCE_ON_V2),
        Version::Two => form
            .get("scope")?
            .strip_suffix("/.default")
            .ok_or(errors::SCOPE_NOT_DEFAULT)?,
    };
    Ok(Grant {
        client_id: form.client_id.clone(),
        resource: known_resource(call, resource)?,
    })
}

/// Dataverse and Partner Center are both behind this very address; the real Partner Center has a name of its own.
pub(super) fn known_resource(call: &Call, resource: &str) -> Result<String, Problem> {
    let resource = resource.trim_end_matches('/');
    if resource != call.origin && resource != credentials::PARTNER_CENTER_RESOURCE {
        return Err(errors::UNKNOWN_RESOURCE);
    }
    Ok(resource.to_owned())
}

/// Client id and secret, from the form or from basic authentication.
fn client(call: &Call, form: &HashMap<String, String>) -> Option<(String, String)> {
    if let Some(id) = form
        .get("client_id")
        .filter(|_| form.contains_key("client_secret"))
    {
        return Some((id.clone(), form.get("client_secret")?.clone()));
    }
    let encoded = call.header("authorization")?.strip_prefix("Basic ")?;
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let decode = |part: &str| {
        url::form_urlencoded::parse(format!("v={part}").as_bytes())
            .next()
            .map(|(_, value)| value.into_owned())
    };
    Some((decode(id)?, decode(secret)?))
}

impl Simulation {
    fn token_answer(
        &self,
        call: &Call,
        tenant: &str,
        version: Version,
        grant: &Grant,
        life: i64,
    ) -> Answer {
        let now = self.context.now().timestamp();
        // Each application has its own object in the tenant; any stable id will do.
        let object = uuid::Uuid::parse_str(&grant.client_id)
            .map(|id| uuid::Uuid::from_u128(id.as_u128().rotate_left(64)))
            .unwrap_or_default()
            .to_string();
        let claims = Claims {
            aud: grant.resource.clone(),
            iss: issuer_v1(&call.origin, tenant),
            iat: now,
            nbf: now,
            exp: now + life,
            appid: grant.client_id.clone(),
            appidacr: "1".to_owned(),
            idp: issuer_v1(&call.origin, tenant),
            oid: object.clone(),
            sub: object,
            tid: tenant.to_ascii_lowercase(),
            uti: URL_SAFE_NO_PAD.encode(self.context.bytes::<16>()),
            ver: "1.0".to_owned(),
            scp: None,
            amr: Vec::new(),
            upn: None,
        };
        let Some(token) = self.keys.sign(&claims) else {
            return Answer::empty(StatusCode::INTERNAL_SERVER_ERROR);
        };
        let body = if version == Version::One {
            json!({
                "token_type": "Bearer",
                "expires_in": life.to_string(),
                "ext_expires_in": life.to_string(),
                "expires_on": claims.exp.to_string(),
                "not_before": claims.nbf.to_string(),
                "resource": grant.resource,
                "access_token": token,
            })
        } else {
            json!({
                "token_type": "Bearer",
                "expires_in": life,
                "ext_expires_in": life,
                "access_token": token,
            })
        };
        Answer::json(StatusCode::OK, &body).with("cache-control", "no-store, no-cache")
    }
}
