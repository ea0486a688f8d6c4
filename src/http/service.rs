//! What is there for operators and machines rather than for flows: health, metrics, and the documents that describe the
//! API. All of it is public and tells nothing of any customer.

use std::borrow::Cow;

use actix_web::web::{Bytes, Data, Json};
use actix_web::{HttpResponse, get, http::header};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::problem::{Outcome, Problem};
use super::state::ApiState;
use super::words;

/// The state of this instance.
#[derive(Serialize, ToSchema)]
#[schema(as = Health)]
pub(super) struct HealthBody {
    /// Always `ok`; anything else is a problem.
    #[schema(example = "ok")]
    status: Cow<'static, str>,
}

/// The state of this instance, and of what it depends on.
#[derive(Serialize, ToSchema)]
#[schema(as = Readiness)]
pub(super) struct ReadinessBody {
    /// `ok`, or `degraded` when the instance can work but something else is in a bad way.
    #[schema(example = "ok")]
    status: &'static str,
    /// What is in a bad way; empty when the status is `ok`.
    degraded: Vec<DegradedBody>,
}

/// Something that works less well than it should.
#[derive(Serialize, ToSchema)]
#[schema(as = Degraded)]
#[serde(rename_all = "camelCase")]
pub(super) struct DegradedBody {
    #[schema(schema_with = words::health_issue)]
    issue: &'static str,
    /// The provider it is about.
    provider_id: Uuid,
}

const OK: HealthBody = HealthBody {
    status: Cow::Borrowed("ok"),
};

fn document(content_type: &'static str, body: &Bytes) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(content_type)
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .body(body.clone())
}

/// Get liveness
///
/// Answers as long as this instance runs at all.
#[utoipa::path(tag = "Service", responses((status = 200, description = "The instance runs.", body = HealthBody)))]
#[get("/health/live")]
pub(super) async fn get_liveness() -> Json<HealthBody> {
    Json(OK)
}

/// Get readiness
///
/// Answers as long as this instance can do its work: its database answers and takes writes. What is in a bad way besides is
/// named, and leaves the instance ready.
#[utoipa::path(
    tag = "Service",
    responses(
        (status = 200, description = "The instance can work; what is degraded is named.", body = ReadinessBody),
        (status = 503, description = "The database does not answer, or has no room left."),
    ),
)]
#[get("/health/ready")]
pub(super) async fn get_readiness(state: Data<ApiState>) -> Outcome<Json<ReadinessBody>> {
    let degraded = state.flows.check_readiness().await?;
    let status = if degraded.is_empty() {
        "ok"
    } else {
        "degraded"
    };
    let degraded = degraded.into_iter().map(|it| DegradedBody {
        issue: it.issue.name(),
        provider_id: it.provider_id.as_uuid(),
    });
    Ok(Json(ReadinessBody {
        status,
        degraded: degraded.collect(),
    }))
}

/// Get metrics
///
/// Gives the numbers of this instance in the text format of Prometheus.
#[utoipa::path(
    tag = "Service",
    responses((status = 200, description = "The numbers.", body = String, content_type = "text/plain")),
)]
#[get("/metrics")]
pub(super) async fn get_metrics(state: Data<ApiState>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body((state.metrics)())
}

/// Get the OpenAPI document
///
/// Gives the description of this API as OpenAPI 3.1.
#[utoipa::path(
    tag = "Service",
    responses((status = 200, description = "The document.", body = Object, content_type = "application/json")),
)]
#[get("/openapi.json")]
pub(super) async fn get_open_api_document(state: Data<ApiState>) -> HttpResponse {
    document("application/json", &state.documents.openapi)
}

/// Get the connector definition
///
/// Gives the description of the Power Platform connector as Swagger 2.0.
#[utoipa::path(
    tag = "Service",
    responses(
        (status = 200, description = "The definition.", body = Object, content_type = "application/json"),
        (status = 404, description = "This deployment has no connector."),
    ),
)]
#[get("/connector/apiDefinition.swagger.json")]
pub(super) async fn get_connector_definition(state: Data<ApiState>) -> Outcome<HttpResponse> {
    if state.documents.connector.is_empty() {
        return Err(Problem::not_found(
            "This deployment has no connector definition.",
        ));
    }
    Ok(document("application/json", &state.documents.connector))
}
