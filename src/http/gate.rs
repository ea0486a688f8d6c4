//! The gate before `/v1`: nothing behind it runs without a credential, but for [`PUBLIC_OPERATIONS`] and for polling a Job
//! with the token of its Location. What is not listed is closed, so a new operation cannot be left open by mistake.
//!
//! Who is let in is counted against its rate limit and put into the request as a [`Call`]; a call with an `Idempotency-Key`
//! goes on through [`super::idempotency`], without a layer of its own that every call would pay for.

use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::Method;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage};

use super::call::{Call, correlation_id};
use super::idempotency;
use super::problem::{Problem, ProblemCode};
use super::state::ApiState;
use crate::domain::caller::{Caller, Channel};
use crate::domain::ids::{ApiKeyId, JobId};
use crate::identity::error::AccessError;

/// The header that carries an API key.
pub const API_KEY: &str = "x-api-key";

/// The operations that answer without a credential: method, path, operation id. Nothing else does.
pub const PUBLIC_OPERATIONS: [(Method, &str, &str); 8] = [
    (
        Method::DELETE,
        "/v1/trigger-subscriptions/{unsubscribeToken}",
        "Unsubscribe",
    ),
    (Method::GET, "/health/live", "GetLiveness"),
    (Method::GET, "/health/ready", "GetReadiness"),
    (Method::GET, "/metrics", "GetMetrics"),
    (Method::GET, "/openapi.json", "GetOpenApiDocument"),
    (
        Method::GET,
        "/connector/apiDefinition.swagger.json",
        "GetConnectorDefinition",
    ),
    (Method::GET, "/docs", "GetDocumentation"),
    (Method::GET, "/docs/{file}", "GetDocumentationFile"),
];

/// Whether `path` is one that `template` describes.
#[must_use]
pub fn fits(template: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    let fits = template.split('/').all(|expected| {
        segments.next().is_some_and(|segment| {
            segment == expected || (expected.starts_with('{') && !segment.is_empty())
        })
    });
    fits && segments.next().is_none()
}

/// Only what stands behind the gate is compared: `GET /v1/…` must not pay for `/health`.
fn is_public(request: &ServiceRequest) -> bool {
    PUBLIC_OPERATIONS.iter().any(|(method, template, _)| {
        template.starts_with("/v1/") && method == request.method() && fits(template, request.path())
    })
}

/// A public operation takes no notice of credentials: a flow whose key was revoked must still be able to unsubscribe.
async fn admit(state: &ApiState, request: &ServiceRequest) -> Result<Option<Call>, Problem> {
    if is_public(request) {
        return Ok(None);
    }
    let mut keys = request
        .headers()
        .get_all(API_KEY)
        .filter(|value| !value.is_empty());
    let call = match (keys.next(), keys.next()) {
        (Some(_), Some(_)) => Err(Problem::invalid("Send one X-Api-Key, not several.")),
        (Some(key), None) => by_key(state, request, key.to_str().unwrap_or_default()).await,
        (None, _) => by_poll_token(state, request).await,
    };
    call.map(Some)
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
    let caller = match correlation_id(request.headers()) {
        None => key.caller.clone(),
        correlation_id => Arc::new(Caller {
            correlation_id,
            ..Caller::clone(&key.caller)
        }),
    };
    Ok(Call {
        caller,
        by_poll_token: false,
    })
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
    let missing = || {
        Problem::new(
            ProblemCode::Unauthenticated,
            "Send an API key in the header X-Api-Key.",
        )
    };
    let job = poll_target(request).ok_or_else(missing)?;
    let token = query_value(request.query_string(), "token").ok_or_else(missing)?;
    let refuse = |detail: &'static str| Problem::new(ProblemCode::Unauthenticated, detail);
    let poll = state
        .tokens
        .read_poll(&token)
        .ok()
        .filter(|poll| poll.job == job)
        .ok_or_else(|| refuse("The token of this Location is not valid any more; ask for the job with an API key."))?;
    limit(state, &poll.owner)?;
    let id = poll
        .owner
        .strip_prefix("key:")
        .and_then(|id| id.parse::<ApiKeyId>().ok());
    let id = id.ok_or_else(|| refuse("Whoever asked for this job cannot be checked any more."))?;
    let principal = state
        .keys
        .standing(id)
        .await
        .map_err(|error| Problem::from(AccessError::Store(error)))?
        .ok_or_else(|| refuse("The API key that asked for this job was revoked."))?;
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

/// The gate as a middleware.
pub struct Gate;

impl<S> Transform<S, ServiceRequest> for Gate
where
    S: Service<ServiceRequest, Response = ServiceResponse<BoxBody>, Error = Error> + 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = Error;
    type Transform = GateService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(GateService {
            service: Rc::new(service),
        }))
    }
}

/// The gate before one worker's service.
pub struct GateService<S> {
    service: Rc<S>,
}

impl<S> Service<ServiceRequest> for GateService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<BoxBody>, Error = Error> + 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let service = self.service.clone();
        Box::pin(async move {
            let Some(state) = request.app_data::<Data<ApiState>>().cloned() else {
                return Ok(request.error_response(Problem::internal()));
            };
            match admit(&state, &request).await {
                Ok(Some(call)) => {
                    if idempotency::concerns(&request) {
                        let owner = call.caller.actor.key();
                        request.extensions_mut().insert(call);
                        return idempotency::once(&state, owner, request, &*service).await;
                    }
                    request.extensions_mut().insert(call);
                }
                Ok(None) => {}
                Err(problem) => return Ok(request.error_response(problem)),
            }
            drop(state);
            service.call(request).await
        })
    }
}
