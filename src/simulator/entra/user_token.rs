//! Tokens of a user: by a code and its proof, or by a refresh token. The access token is in the v1 format, the id_token in
//! the v2 format, as Entra gives them for Partner Center.

use actix_web::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::claims::Claims;
use super::errors::{self, Problem};
use super::grants::{Grant, Redeemed};
use super::metadata::{issuer_v1, issuer_v2};
use super::token::{Form, known_resource};
use crate::simulator::exchange::{Answer, Call};
use crate::simulator::faults::FaultKind;
use crate::simulator::simulation::Simulation;

/// Answers a request for a user's tokens.
pub(super) fn issue(
    simulation: &Simulation,
    call: &Call,
    form: &Form,
    tenant: &str,
    life: i64,
    faults: &[FaultKind],
) -> Result<Answer, Problem> {
    let now = simulation.context.now().timestamp();
    let grant = match form.get("grant_type")? {
        "authorization_code" => simulation.grants.redeem(
            &Redeemed {
                code: form.get("code")?,
                tenant,
                client_id: &form.client_id,
                redirect_uri: form.find("redirect_uri"),
                verifier: form.find("code_verifier"),
            },
            now,
        )?,
        "refresh_token" => {
            let token = form.get("refresh_token")?;
            let strict = faults.contains(&FaultKind::StrictRotation);
            simulation
                .grants
                .refresh(token, &form.client_id, strict, now)?
        }
        _ => return Err(errors::GRANT_UNSUPPORTED),
    };
    let consented = simulation
        .grants
        .has_consent(grant.person.tenant, &grant.client_id);
    if !consented {
        return Err(errors::CONSENT_MISSING);
    }
    let scope = form.find("scope").unwrap_or(&grant.scope);
    let resource = scope
        .split_whitespace()
        .find_map(|word| word.rsplit_once('/').filter(|_| word.contains("://")))
        .map(|(resource, _)| resource)
        .ok_or(errors::MISSING_PARAMETER)?;
    let resource = known_resource(call, resource)?;
    let access = simulation.access_claims(call, &grant, &resource, life);
    let mut identity = simulation.identity_claims(call, &grant, life);
    let changes = faults.iter().filter_map(|fault| match fault {
        FaultKind::IdTokenClaim { claim, value } => Some((claim, value)),
        _ => None,
    });
    for (claim, value) in changes {
        if let Some(claims) = identity.as_object_mut() {
            claims.insert(claim.clone(), value.clone());
        }
    }
    let tokens = simulation.user_tokens(&grant, &access, &identity, life);
    Ok(tokens.unwrap_or_else(|| Answer::empty(StatusCode::INTERNAL_SERVER_ERROR)))
}

impl Simulation {
    fn access_claims(&self, call: &Call, grant: &Grant, resource: &str, life: i64) -> Claims {
        let person = grant.person;
        let now = self.context.now().timestamp();
        let mut amr = vec!["pwd".to_owned()];
        if person.multi_factor {
            amr.push("mfa".to_owned());
        }
        Claims {
            aud: resource.to_owned(),
            iss: issuer_v1(&call.origin, person.tenant),
            iat: now,
            nbf: now,
            exp: now + life,
            appid: grant.client_id.clone(),
            appidacr: "1".to_owned(),
            idp: issuer_v1(&call.origin, person.tenant),
            oid: person.object_id.to_owned(),
            sub: format!("pairwise-{}", person.object_id),
            tid: person.tenant.to_owned(),
            uti: URL_SAFE_NO_PAD.encode(self.context.bytes::<16>()),
            ver: "1.0".to_owned(),
            scp: Some("user_impersonation".to_owned()),
            amr,
            upn: Some(person.upn.to_owned()),
        }
    }

    fn identity_claims(&self, call: &Call, grant: &Grant, life: i64) -> Value {
        let person = grant.person;
        let now = self.context.now().timestamp();
        json!({
            "ver": "2.0",
            "iss": issuer_v2(&call.origin, person.tenant),
            "aud": grant.client_id,
            "iat": now,
            "nbf": now,
            "exp": now + life,
            "sub": format!("pairwise-{}", person.object_id),
            "oid": person.object_id,
            "tid": person.tenant,
            "name": person.name,
            "preferred_username": person.upn,
            "nonce": grant.nonce,
        })
    }

    fn user_tokens(
        &self,
        grant: &Grant,
        access: &Claims,
        identity: &Value,
        life: i64,
    ) -> Option<Answer> {
        let mut id_token = self.keys.sign(identity)?;
        if identity.get("signature").is_some() {
            let (signed, signature) = id_token.rsplit_once('.')?;
            let spoilt: String = signature.chars().rev().collect();
            id_token = format!("{signed}.{spoilt}");
        }
        let body = json!({
            "token_type": "Bearer",
            "scope": format!("{}/user_impersonation", access.aud),
            "expires_in": life,
            "ext_expires_in": life,
            "access_token": self.keys.sign(access)?,
            "refresh_token": self.grants.give_refresh(grant.clone(), &self.context),
            "id_token": id_token,
        });
        let answer = Answer::json(StatusCode::OK, &body);
        Some(answer.with("cache-control", "no-store, no-cache"))
    }
}
