//! The gate before `/v1`: nothing behind it runs without a credential, but for [`PUBLIC_OPERATIONS`] and for polling a Job
//! with the token of its Location. What is not listed is closed, so a new operation cannot be left open by mistake.
//!
//! Who is let in is counted against its rate limit and put into the request as a [`Call`]; a call with an `Idempotency-Key`
//! goes on through `super::idempotency`, without a layer of its own that every call would pay for.

use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::rc::Rc;

use actix_web::body::BoxBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::Method;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage};

use super::call::Call;
use super::credential;
use super::idempotency;
use super::problem::Problem;
use super::reading::refuse_unknown_parameters;
use super::state::ApiState;

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
    credential::call_of(state, request).await.map(Some)
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
                    let owner = idempotency::concerns(&request).then(|| call.caller.actor.key());
                    request.extensions_mut().insert(call);
                    if let Err(problem) = refuse_unknown_parameters(&request) {
                        return Ok(request.error_response(problem));
                    }
                    if let Some(owner) = owner {
                        return idempotency::once(&state, owner, request, &*service).await;
                    }
                }
                Ok(None) => {}
                Err(problem) => return Ok(request.error_response(problem)),
            }
            drop(state);
            service.call(request).await
        })
    }
}
