//! The credential of a call: an API key, a bearer token, or, for looking at one Job, the token of its Location. Two at once
//! are refused, because nobody could say as whom the call was meant; a header that is there but empty counts as absent, since
//! Power Platform sends one for a connection parameter that was left blank.

use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, HeaderMap};

use super::call::{Call, correlation_id};
use super::problem::{Problem, ProblemCode};
use super::problem_from::sentence;
use super::state::ApiState;
use crate::domain::caller::{Caller, Channel};
use crate::domain::ids::JobId;
use crate::identity::bearer::BearerRefusal;
use crate::identity::error::AccessError;
use crate::identity::standings::Standings;

/// The header that carries an API key.
const API_KEY: &str = "x-api-key";

/// What a caller without any is told.
pub(super) const MISSING: &str =
    "Send an API key in the header X-Api-Key, or a bearer token in the header Authorization.";

/// Who calls.
pub(super) async fn call_of(state: &ApiState, request: &ServiceRequest) -> Result<Call, Problem> {
    let keys = texts(request.headers(), API_KEY)?;
    let authorizations = texts(request.headers(), AUTHORIZATION.as_str())?;
    match (keys.as_slice(), authorizations.as_slice()) {
        ([], []) => by_poll_token(state, request).await,
        ([key], []) => by_key(state, request, key).await,
        ([], [authorization]) => by_bearer(state, request, authorization).await,
        _ => Err(Problem::invalid(
            "Send one credential, either X-Api-Key or Authorization, and send it once.",
        )),
    }
}

/// The values of a header that are not empty.
fn texts<'r>(headers: &'r HeaderMap, name: &str) -> Result<Vec<&'r str>, Problem> {
    let unreadable = || {
        let detail = "The credential is not valid: its header holds something that is no text.";
        Problem::new(ProblemCode::Unauthenticated, detail)
    };
    let texts = headers
        .get_all(name)
        .map(|value| value.to_str().map(str::trim).map_err(|_| unreadable()));
    texts
        .filter(|text| !matches!(text, Ok("")))
        .collect::<Result<_, _>>()
}

async fn by_key(state: &ApiState, request: &ServiceRequest, text: &str) -> Result<Call, Problem> {
    let verified = state
        .keys
        .verify(text)
        .await
        .map_err(|error| Problem::from(AccessError::Store(error)))?;
    let Some(key) = verified else {
        return Err(Problem::new(
            ProblemCode::Unauthenticated,
            "The API key in X-Api-Key is not valid: it is mistyped, was revoked, or belongs to another deployment. Ask an \
             administrator for a new one.",
        ));
    };
    limit(state, &key.owner)?;
    Ok(whole(request, &key.caller))
}

async fn by_bearer(
    state: &ApiState,
    request: &ServiceRequest,
    authorization: &str,
) -> Result<Call, Problem> {
    let token = authorization
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    let Some(token) = token else {
        let detail = "Authorization must be `Bearer` and a token; an API key goes into the header X-Api-Key.";
        return Err(Problem::new(ProblemCode::Unauthenticated, detail));
    };
    let verified = state.bearer.verify(token).await?;
    limit(state, &verified.owner)?;
    Ok(whole(request, &verified.caller))
}

/// The call with the name that the caller's side has for it.
fn whole(request: &ServiceRequest, caller: &Arc<Caller>) -> Call {
    let caller = match correlation_id(request.headers()) {
        None => caller.clone(),
        correlation_id => Arc::new(Caller {
            correlation_id,
            ..Caller::clone(caller)
        }),
    };
    Call {
        caller,
        by_poll_token: false,
    }
}

fn limit(state: &ApiState, owner: &str) -> Result<(), Problem> {
    state.rate_limit.check(owner).map_err(|wait: Duration| {
        let detail = "This caller has sent more requests than it may in a minute; wait as long as Retry-After says.";
        Problem::new(ProblemCode::TooManyRequests, detail).retry_after(wait)
    })
}

/// Power Automate follows the Location of a 202 without credentials: its token names the Job and whoever asked for it, who
/// must still be allowed to look.
async fn by_poll_token(state: &ApiState, request: &ServiceRequest) -> Result<Call, Problem> {
    let missing = || Problem::new(ProblemCode::Unauthenticated, MISSING);
    let job = poll_target(request).ok_or_else(missing)?;
    let token = query_value(request.query_string(), "token").ok_or_else(missing)?;
    let refuse = |detail: &'static str| Problem::new(ProblemCode::Unauthenticated, detail);
    let poll = state
        .tokens
        .read_poll(&token)
        .ok()
        .filter(|poll| poll.job == job)
        .ok_or_else(|| {
            refuse("The token of this Location is not valid any more; ask for the job with a credential.")
        })?;
    limit(state, &poll.owner)?;
    let standings = Standings {
        keys: state.keys.clone(),
        bearer: state.bearer.clone(),
    };
    let principal = standings
        .principal(&poll.owner)
        .await
        .map_err(|error| Problem::from(AccessError::Store(error)))?
        .ok_or_else(|| refuse("Whoever asked for this job may not call any more."))?;
    let caller = principal.to_caller(Channel::Flow, correlation_id(request.headers()));
    Ok(Call {
        caller: Arc::new(caller),
        by_poll_token: true,
    })
}

fn poll_target(request: &ServiceRequest) -> Option<JobId> {
    let id = request.path().strip_prefix("/v1/jobs/")?;
    (request.method() == Method::GET)
        .then(|| id.parse().ok())
        .flatten()
}

fn query_value(query: &str, name: &str) -> Option<String> {
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

impl From<BearerRefusal> for Problem {
    fn from(refusal: BearerRefusal) -> Self {
        let text = format!("{}.", sentence(&refusal.to_string()));
        match refusal {
            BearerRefusal::NotTaken | BearerRefusal::Invalid(_) => {
                Self::new(ProblemCode::Unauthenticated, text)
            }
            BearerRefusal::Forbidden(_) => Self::new(ProblemCode::Forbidden, text),
            BearerRefusal::KeysUnavailable { retry_after } => {
                Self::new(ProblemCode::Unavailable, text).retry_after(retry_after)
            }
            BearerRefusal::Store(cause) => AccessError::Store(cause).into(),
        }
    }
}
