//! The pages people see: choosing an account to sign in with, and consenting for a tenant. A choice is a link back to the
//! same address, so that a test or a demo can make it without a browser. Answers go to the redirect URI as Entra's do:
//! `admin_consent=True` stands there after a refusal too.

use std::collections::HashMap;
use std::fmt::Write as _;

use actix_web::http::StatusCode;

use super::errors::{self, Problem};
use super::grants::{CodeRequest, Grant};
use super::people::{self, PEOPLE, Person};
use crate::simulator::credentials;
use crate::simulator::exchange::{Answer, Call, encode};
use crate::simulator::faults::FaultKind;
use crate::simulator::simulation::Simulation;

/// The parameter that names the account that was chosen.
const CHOICE: &str = "simulated_account";
const DECLINED: &str = "decline";

struct Request {
    tenant: String,
    parameters: HashMap<String, String>,
    redirect_uri: String,
}

impl Request {
    /// Without a redirect URI and a known application nobody may be sent anywhere.
    fn read(call: &Call, tenant: &str) -> Result<Self, Problem> {
        let parameters: HashMap<String, String> =
            url::form_urlencoded::parse(call.query.as_bytes())
                .into_owned()
                .collect();
        let client = parameters
            .get("client_id")
            .ok_or(errors::MISSING_PARAMETER)?;
        let known = credentials::KNOWN.iter().any(|it| it.client_id == client);
        if !known {
            return Err(errors::APP_NOT_IN_TENANT);
        }
        let is_tenant = credentials::TENANTS.contains(&tenant.to_ascii_lowercase().as_str());
        if !is_tenant && !["common", "organizations"].contains(&tenant) {
            return Err(errors::TENANT_NOT_FOUND);
        }
        let redirect_uri = parameters
            .get("redirect_uri")
            .filter(|uri| url::Url::parse(uri).is_ok())
            .ok_or(errors::MISSING_PARAMETER)?
            .clone();
        Ok(Self {
            tenant: tenant.to_owned(),
            parameters,
            redirect_uri,
        })
    }

    fn get(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }

    /// Sends the browser back.
    fn back(&self, answer: &[(&str, &str)]) -> Answer {
        let separator = if self.redirect_uri.contains('?') {
            '&'
        } else {
            '?'
        };
        let mut target = format!("{}{separator}", self.redirect_uri);
        let state = [("state", self.get("state"))];
        for (name, value) in answer.iter().chain(&state) {
            // Writing to a String cannot fail.
            let _ = write!(target, "{name}={}&", encode(value));
        }
        Answer::empty(StatusCode::FOUND)
            .with("location", target.trim_end_matches('&'))
            .with("cache-control", "no-store")
    }

    fn refused(&self, error: &str, code: u32, extra: &[(&str, &str)]) -> Answer {
        let description = format!("AADSTS{code}: Simulated refusal.");
        let mut answer = vec![("error", error), ("error_description", &description)];
        answer.extend(extra);
        self.back(&answer)
    }
}

/// Signing in.
pub(super) fn sign_in(
    simulation: &Simulation,
    call: &Call,
    tenant: &str,
    faults: &[FaultKind],
) -> Answer {
    let request = match Request::read(call, tenant) {
        Ok(request) => request,
        Err(problem) => return problem.answer(simulation),
    };
    if let Some((error, code)) = fault_of(faults) {
        return request.refused(error, code, &[]);
    }
    if request.get("response_type") != "code" || request.get("scope").is_empty() {
        return request.refused("invalid_request", 900_144, &[]);
    }
    let method = request.get("code_challenge_method");
    if !request.get("code_challenge").is_empty() && method != "S256" {
        return request.refused("invalid_request", 501_491, &[]);
    }
    let chosen = [request.get(CHOICE), request.get("login_hint")];
    let Some(chosen) = chosen.into_iter().find(|it| !it.is_empty()) else {
        return choice_page(call, "Choose an account", &PEOPLE);
    };
    if chosen == DECLINED {
        return request.refused("access_denied", 65_004, &[]);
    }
    let Some(person) = people::by_upn(chosen) else {
        return choice_page(call, "Choose an account", &PEOPLE);
    };
    let client_id = request.get("client_id").to_owned();
    if !simulation.grants.has_consent(person.tenant, &client_id) {
        return request.refused("consent_required", 65_001, &[]);
    }
    let grant = Grant {
        person,
        client_id,
        scope: request.get("scope").to_owned(),
        nonce: request.parameters.get("nonce").cloned(),
    };
    let conditions = CodeRequest {
        tenant: request.tenant.clone(),
        redirect_uri: request.redirect_uri.clone(),
        challenge: request.parameters.get("code_challenge").cloned(),
    };
    let code = simulation
        .grants
        .give_code(grant, conditions, &simulation.context);
    request.back(&[("code", &code), ("session_state", "simulated")])
}

/// Consenting for a tenant.
pub(super) fn admin_consent(
    simulation: &Simulation,
    call: &Call,
    tenant: &str,
    faults: &[FaultKind],
) -> Answer {
    let request = match Request::read(call, tenant) {
        Ok(request) => request,
        Err(problem) => return problem.answer(simulation),
    };
    let consented = [("admin_consent", "True")];
    if let Some((error, code)) = fault_of(faults) {
        return request.refused(error, code, &consented);
    }
    let administrators: Vec<Person> = PEOPLE
        .iter()
        .copied()
        .filter(|it| it.administrator)
        .collect();
    match people::by_upn(request.get(CHOICE)) {
        None if request.get(CHOICE) == DECLINED => {
            request.refused("access_denied", 65_004, &consented)
        }
        None => choice_page(call, "Consent for your organisation as", &administrators),
        Some(person) if !person.administrator => {
            request.refused("access_denied", 90_094, &consented)
        }
        Some(person) => {
            let client_id = request.get("client_id");
            simulation.grants.consent(person.tenant, client_id);
            request.back(&[
                ("admin_consent", "True"),
                ("tenant", person.tenant),
                ("scope", request.get("scope")),
            ])
        }
    }
}

fn fault_of(faults: &[FaultKind]) -> Option<(&str, u32)> {
    faults.iter().find_map(|fault| match fault {
        FaultKind::SignInError { error, code } => Some((error.as_str(), *code)),
        _ => None,
    })
}

fn choice_page(call: &Call, title: &str, people: &[Person]) -> Answer {
    let mut items = String::new();
    let choices = people.iter().map(|person| (person.upn, person.name));
    for (id, name) in choices.chain([(DECLINED, "Decline")]) {
        let target = format!("?{}&{CHOICE}={}", call.query, encode(id));
        // Writing to a String cannot fail.
        let _ = write!(
            items,
            "<li><a id=\"{}\" href=\"{}\">{name}</a></li>",
            id.replace(['@', '.'], "-"),
            target.replace('&', "&amp;").replace(['"', '<', '>'], ""),
        );
    }
    let page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Simulated sign-in</title></head>\
         <body><main><h1>{title}</h1><p>This is a stand-in for Microsoft Entra.</p><ul>{items}</ul></main></body></html>"
    );
    Answer {
        status: StatusCode::OK,
        body: page.into(),
        ..Answer::default()
    }
    .with("content-type", "text/html; charset=utf-8")
    .with("cache-control", "no-store")
}
