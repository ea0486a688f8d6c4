//! What Entra remembers between two requests: codes that were given out, refresh tokens, who consented, whose sessions were
//! revoked. Old refresh tokens stay valid, as Entra's do, until strict rotation is switched on.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::errors::{self, Problem};
use super::people::Person;
use crate::domain::context::Context;

/// A code lives so long.
const CODE_SECONDS: i64 = 600;
/// A refresh token lives so long after it was issued.
const REFRESH_SECONDS: i64 = 90 * 86_400;

/// What somebody granted to an application.
#[derive(Debug, Clone)]
pub(super) struct Grant {
    pub person: &'static Person,
    pub client_id: String,
    pub scope: String,
    pub nonce: Option<String>,
}

#[derive(Debug)]
struct Code {
    grant: Grant,
    /// As it stood in the path: a code is redeemed where it was asked for.
    tenant: String,
    redirect_uri: String,
    challenge: Option<String>,
    given_at: i64,
    used: bool,
}

#[derive(Debug)]
struct Refresh {
    grant: Grant,
    issued_at: i64,
    used: bool,
}

#[derive(Debug, Default)]
struct State {
    codes: HashMap<String, Code>,
    refresh: HashMap<String, Refresh>,
    consents: HashSet<(String, String)>,
    revoked_at: HashMap<&'static str, i64>,
}

/// The memory of Entra.
#[derive(Debug, Default)]
pub(in crate::simulator) struct Grants(Mutex<State>);

/// A code's conditions.
pub(super) struct CodeRequest {
    pub tenant: String,
    pub redirect_uri: String,
    pub challenge: Option<String>,
}

/// What a client says when it redeems a code.
pub(super) struct Redeemed<'r> {
    pub code: &'r str,
    pub tenant: &'r str,
    pub client_id: &'r str,
    pub redirect_uri: Option<&'r str>,
    pub verifier: Option<&'r str>,
}

impl Grants {
    /// Remembers that a tenant's administrator consented.
    pub(super) fn consent(&self, tenant: &str, client_id: &str) {
        self.state()
            .consents
            .insert((tenant.to_owned(), client_id.to_owned()));
    }

    /// Takes consent away again.
    pub fn withdraw_consents(&self) {
        self.state().consents.clear();
    }

    pub(super) fn has_consent(&self, tenant: &str, client_id: &str) -> bool {
        self.state()
            .consents
            .contains(&(tenant.to_owned(), client_id.to_owned()))
    }

    /// Ends every session of somebody: their refresh tokens until now are worth nothing.
    pub fn revoke(&self, person: &'static Person, context: &Context) {
        let now = context.now().timestamp();
        self.state().revoked_at.insert(person.object_id, now);
    }

    pub(super) fn give_code(
        &self,
        grant: Grant,
        request: CodeRequest,
        context: &Context,
    ) -> String {
        let text = URL_SAFE_NO_PAD.encode(context.bytes::<32>());
        let code = Code {
            grant,
            tenant: request.tenant,
            redirect_uri: request.redirect_uri,
            challenge: request.challenge,
            given_at: context.now().timestamp(),
            used: false,
        };
        self.state().codes.insert(text.clone(), code);
        text
    }

    pub(super) fn redeem(&self, said: &Redeemed<'_>, now: i64) -> Result<Grant, Problem> {
        let mut state = self.state();
        let code = state.codes.get_mut(said.code).ok_or(errors::CODE_INVALID)?;
        if code.grant.client_id != said.client_id {
            return Err(errors::CODE_INVALID);
        }
        if code.used {
            return Err(errors::CODE_USED);
        }
        if now - code.given_at >= CODE_SECONDS {
            return Err(errors::CODE_EXPIRED);
        }
        if !code.tenant.eq_ignore_ascii_case(said.tenant) {
            return Err(errors::CODE_OTHER_TENANT);
        }
        if said.redirect_uri != Some(&code.redirect_uri) {
            return Err(errors::CODE_REDIRECT);
        }
        let proved = code.challenge.as_deref().is_none_or(|challenge| {
            said.verifier.is_some_and(|verifier| {
                URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())) == challenge
            })
        });
        if !proved {
            return Err(errors::VERIFIER_WRONG);
        }
        code.used = true;
        Ok(code.grant.clone())
    }

    pub(super) fn give_refresh(&self, grant: Grant, context: &Context) -> String {
        let text = format!("1.{}", URL_SAFE_NO_PAD.encode(context.bytes::<48>()));
        let refresh = Refresh {
            grant: Grant {
                nonce: None,
                ..grant
            },
            issued_at: context.now().timestamp(),
            used: false,
        };
        self.state().refresh.insert(text.clone(), refresh);
        text
    }

    pub(super) fn refresh(
        &self,
        token: &str,
        client_id: &str,
        strict: bool,
        now: i64,
    ) -> Result<Grant, Problem> {
        let mut state = self.state();
        let State {
            refresh,
            revoked_at,
            ..
        } = &mut *state;
        let known = refresh
            .get_mut(token)
            .filter(|known| known.grant.client_id == client_id)
            .ok_or(errors::REFRESH_INVALID)?;
        let revoked = revoked_at.get(known.grant.person.object_id);
        if revoked.is_some_and(|at| known.issued_at <= *at) {
            return Err(errors::REFRESH_REVOKED);
        }
        if now - known.issued_at >= REFRESH_SECONDS {
            return Err(errors::REFRESH_IDLE);
        }
        if strict && known.used {
            return Err(errors::REFRESH_INVALID);
        }
        known.used = true;
        Ok(known.grant.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
