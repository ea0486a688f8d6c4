//! The outermost layer: every request passes here first and every answer last. It gives the request its id, turns whatever
//! failed (errors, panics, bare statuses) into a problem, sets the security headers, counts, and writes the access log.
//!
//! It sits on the hot path: ids come from a counter, metric handles are made beforehand, a span is made only when somebody
//! listens. Nothing of the path or query is logged: unsubscribe and poll tokens stand there.

use std::future::{Future, Ready, ready};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use actix_web::body::BoxBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::error::InternalError;
use actix_web::http::Method;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{Error, HttpMessage};
use futures_util::FutureExt;
use tracing::Instrument;

use super::answer::{self, Finish};
use super::call::Call;
use super::operation_metrics::{MetricsTable, OperationMetrics};
use super::problem::Problem;
use crate::domain::context::Context;

/// The header that names the request in our answer and our log.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What the layer needs; shared by all workers.
pub struct Edge {
    ids: RequestIds,
    metrics: MetricsTable,
    finish: Finish,
}

impl Edge {
    /// The layer of one process. `https` turns on Strict-Transport-Security.
    #[must_use]
    pub fn new(context: &Context, metrics: MetricsTable, https: bool) -> Self {
        Self {
            ids: RequestIds::new(context),
            metrics,
            finish: Finish::new(https),
        }
    }

    /// Counts an answer and writes its line.
    fn log(&self, id: &str, response: &ServiceResponse, method: &str, started: Instant) {
        let request = response.request();
        let metrics = self.metrics.of(request.match_name());
        let extensions = request.extensions();
        let call = extensions.get::<Call>();
        self.note(
            id,
            metrics,
            response.status().as_u16(),
            method,
            call,
            started,
        );
    }

    fn note(
        &self,
        id: &str,
        metrics: &OperationMetrics,
        status: u16,
        method: &str,
        call: Option<&Call>,
        started: Instant,
    ) {
        let took = started.elapsed();
        metrics.record(status, took);
        if tracing::enabled!(target: "access", tracing::Level::INFO) {
            tracing::info!(
                target: "access",
                request_id = id,
                method,
                operation = metrics.operation,
                status,
                milliseconds = took.as_secs_f64() * 1000.0,
                caller = call.map(|call| call.caller.actor.key()),
                correlation_id = call.and_then(|call| call.caller.correlation_id.as_deref()),
                "answered"
            );
        }
    }

    /// A problem without its request, which is gone with a panic and with an error that a layer let through: it brings its
    /// own answer along, and is counted as of no operation.
    fn lost(&self, problem: Problem, id: &str, method: &str, started: Instant) -> Error {
        let mut response = problem.clone().into_response(id);
        if let Ok(value) = HeaderValue::try_from(id) {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        let none = self.metrics.of(None);
        self.note(id, none, response.status().as_u16(), method, None, started);
        InternalError::from_response(problem, response).into()
    }
}

/// Request ids: unguessable enough to tell processes apart, cheap enough for the hot path.
struct RequestIds {
    process: u32,
    next: AtomicU64,
}

impl RequestIds {
    fn new(context: &Context) -> Self {
        Self {
            process: u32::from_be_bytes(context.bytes()),
            next: AtomicU64::new(1),
        }
    }

    fn next(&self) -> String {
        format!(
            "{:08x}-{:x}",
            self.process,
            self.next.fetch_add(1, Ordering::Relaxed)
        )
    }
}

/// [`Edge`] as a middleware.
#[derive(Clone)]
pub struct EdgeLayer(pub Arc<Edge>);

impl<S> Transform<S, ServiceRequest> for EdgeLayer
where
    S: Service<ServiceRequest, Response = ServiceResponse<BoxBody>, Error = Error> + 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = Error;
    type Transform = EdgeService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(EdgeService {
            service,
            edge: self.0.clone(),
        }))
    }
}

/// The layer around one worker's service.
pub struct EdgeService<S> {
    service: S,
    edge: Arc<Edge>,
}

impl<S> Service<ServiceRequest> for EdgeService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<BoxBody>, Error = Error> + 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    forward_ready!(service);

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let started = Instant::now();
        let edge = self.edge.clone();
        let id = edge.ids.next();
        let method = request.method().clone();
        // HEAD is GET without the body (RFC 9110, 9.3.2), which the server leaves out by itself.
        if method == Method::HEAD {
            request.head_mut().method = Method::GET;
        }
        let inner = AssertUnwindSafe(self.service.call(request)).catch_unwind();
        let whole = |id: String| async move {
            let response = match inner.await {
                Ok(Ok(response)) => response,
                Ok(Err(error)) => {
                    return Err(edge.lost(
                        answer::problem_of(&error),
                        &id,
                        method.as_str(),
                        started,
                    ));
                }
                Err(_panic) => {
                    tracing::error!(
                        request_id = id,
                        method = method.as_str(),
                        "a handler panicked"
                    );
                    return Err(edge.lost(Problem::internal(), &id, method.as_str(), started));
                }
            };
            let mut response = edge.finish.finish(response, &id);
            edge.log(&id, &response, method.as_str(), started);
            if let Ok(value) = HeaderValue::try_from(id) {
                response.headers_mut().insert(REQUEST_ID, value);
            }
            Ok(response)
        };
        if tracing::enabled!(target: "http", tracing::Level::INFO) {
            let span = tracing::info_span!(target: "http", "http.request", request_id = id);
            Box::pin(whole(id).instrument(span))
        } else {
            Box::pin(whole(id))
        }
    }
}
