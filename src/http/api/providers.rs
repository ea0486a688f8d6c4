//! Providers: connect, read, change, sync, verify (A1, A3, B1).

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse, get, http::header, patch, post};
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::jobs::accepted;
use super::provider_health::HealthBody;
use crate::domain::ids::ProviderId;
use crate::domain::provider::ProviderKind;
use crate::domain::verify::VerifyReport;
use crate::flows::providers::{NewProvider, ProviderChange, ScheduledProvider, SyncSchedule};
use crate::http::call::{Call, IfMatch, PathId, etag};
use crate::http::problem::Outcome;
use crate::http::reading::{Body, not_null, null_too};
use crate::http::state::ApiState;
use crate::http::words;

/// A connected provider. Its client secret is never given back.
#[derive(Serialize, ToSchema)]
#[schema(as = Provider)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProviderBody {
    /// Id of the provider.
    provider_id: Uuid,
    #[schema(schema_with = words::provider_kind)]
    kind: &'static str,
    /// What people call it.
    #[schema(example = "Partner Center Europe")]
    name: String,
    /// A disabled provider is listed but not synced.
    enabled: bool,
    /// Id or domain name of the tenant that hosts Partner Center.
    #[schema(example = "contoso-partner.onmicrosoft.com")]
    partner_tenant: String,
    /// Application id with which the service signs in.
    client_id: String,
    /// When it is synced by itself; absent when only by hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    schedule: Option<ProviderScheduleBody>,
    /// How it fares.
    health: HealthBody,
    /// When it was connected.
    created_at: DateTime<Utc>,
    /// When it last changed.
    updated_at: DateTime<Utc>,
    /// Grows by one with each change; also the ETag.
    version: i64,
}

/// When a provider is synced by itself, and when next.
#[derive(Serialize, ToSchema)]
#[schema(as = ProviderSchedule)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProviderScheduleBody {
    /// Cron expression of five fields.
    #[schema(example = "0 */4 * * *")]
    cron: String,
    /// IANA name of the time zone it is in.
    #[schema(example = "Europe/Berlin")]
    time_zone: String,
    /// A schedule that is off is kept but does not fire.
    enabled: bool,
    /// When it fires next; absent while it is off.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_run_at: Option<DateTime<Utc>>,
}

/// The connected providers.
#[derive(Serialize, ToSchema)]
#[schema(as = ProviderList)]
pub(super) struct ProviderListBody {
    /// The providers, by name.
    value: Vec<ProviderBody>,
}

/// When a provider is synced by itself.
#[derive(Deserialize, ToSchema)]
#[schema(as = SyncSchedule)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ScheduleBody {
    /// Cron expression of five fields.
    #[schema(example = "0 */4 * * *")]
    cron: String,
    /// IANA name of the time zone it is in.
    #[schema(example = "Europe/Berlin")]
    time_zone: String,
    /// A schedule that is off is kept but does not fire.
    #[serde(default = "on")]
    #[schema(default = true)]
    enabled: bool,
}

const fn on() -> bool {
    true
}

/// What it takes to connect a provider.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewProvider)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewProviderBody {
    #[schema(schema_with = words::provider_kind)]
    kind: String,
    /// What people will call it; no two providers have the same name.
    #[schema(example = "Partner Center Europe")]
    name: String,
    /// Id or domain name of the tenant that hosts Partner Center.
    #[schema(example = "contoso-partner.onmicrosoft.com")]
    partner_tenant: String,
    /// Application id with which the service signs in.
    client_id: String,
    /// Its client secret. It is sealed at once and never given back.
    #[schema(format = Password, value_type = String)]
    client_secret: SecretString,
    /// When the client secret expires, as Microsoft Entra shows it; you are told in time.
    #[schema(nullable = false)]
    client_secret_expires_at: Option<DateTime<Utc>>,
    /// When to sync by itself.
    #[schema(nullable = false)]
    schedule: Option<ScheduleBody>,
}

/// What to change; whatever is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[schema(as = ProviderChange)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ProviderChangeBody {
    /// New name.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    name: Option<String>,
    /// Whether it is synced.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    enabled: Option<bool>,
    /// New tenant that hosts Partner Center.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    partner_tenant: Option<String>,
    /// New application id.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    client_id: Option<String>,
    /// New client secret. It is sealed at once and never given back.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false, format = Password, value_type = Option<String>)]
    client_secret: Option<SecretString>,
    /// When the client secret expires; null forgets it, and so does a new client secret without it.
    #[serde(default, deserialize_with = "null_too")]
    #[schema(value_type = Option<DateTime<Utc>>)]
    client_secret_expires_at: Option<Option<DateTime<Utc>>>,
    /// New schedule; null takes the present one away.
    #[serde(default, deserialize_with = "null_too")]
    #[schema(value_type = Option<ScheduleBody>)]
    schedule: Option<Option<ScheduleBody>>,
}

/// One step of a live test.
#[derive(Serialize, ToSchema)]
#[schema(as = ConnectivityStep)]
pub(super) struct StepBody {
    /// What was tested.
    #[schema(example = "token issued")]
    name: String,
    /// Whether it passed. The first step that does not is the last one.
    passed: bool,
    /// What was found, or why it failed and what to do about it.
    detail: String,
}

/// The report of a live test.
#[derive(Serialize, ToSchema)]
#[schema(as = ConnectivityReport)]
pub(super) struct ReportBody {
    /// Whether every step passed.
    passed: bool,
    /// The steps, in the order they ran.
    steps: Vec<StepBody>,
}

impl ProviderBody {
    fn at(scheduled: ScheduledProvider, now: DateTime<Utc>) -> Self {
        let ScheduledProvider {
            provider,
            schedule,
            health,
        } = scheduled;
        let schedule = schedule.map(|schedule| ProviderScheduleBody {
            cron: schedule.cron,
            time_zone: schedule.time_zone,
            enabled: schedule.enabled,
            next_run_at: schedule.enabled.then_some(schedule.next_run_at),
        });
        Self {
            schedule,
            health: HealthBody::at(&health, now),
            provider_id: provider.id.as_uuid(),
            kind: provider.kind.name(),
            name: provider.name,
            enabled: provider.enabled,
            partner_tenant: provider.partner_tenant,
            client_id: provider.client_id,
            created_at: provider.created_at,
            updated_at: provider.updated_at,
            version: provider.version,
        }
    }
}

impl From<ScheduleBody> for SyncSchedule {
    fn from(body: ScheduleBody) -> Self {
        Self {
            cron: body.cron,
            time_zone: body.time_zone,
            enabled: body.enabled,
        }
    }
}

impl From<VerifyReport> for ReportBody {
    fn from(report: VerifyReport) -> Self {
        let step = |step: crate::domain::verify::VerifyStep| StepBody {
            name: step.name,
            passed: step.passed,
            detail: step.detail,
        };
        Self {
            passed: report.passed,
            steps: report.steps.into_iter().map(step).collect(),
        }
    }
}

fn answer(state: &ApiState, provider: ScheduledProvider) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(etag(provider.version))
        .json(ProviderBody::at(provider, state.flows.context.now()))
}

/// List providers
///
/// Gives every connected provider, by name.
#[utoipa::path(
    tag = "Providers",
    responses((status = 200, description = "The connected providers.", body = ProviderListBody)),
)]
#[get("/providers")]
pub(in crate::http) async fn list_providers(
    state: Data<ApiState>,
    call: Call,
) -> Outcome<Json<ProviderListBody>> {
    let providers = state.flows.list_providers(&call.caller).await?;
    let now = state.flows.context.now();
    let bodies = providers.into_iter().map(|it| ProviderBody::at(it, now));
    Ok(Json(ProviderListBody {
        value: bodies.collect(),
    }))
}

/// Connect a provider
///
/// Connects a provider with the application that may read its customers. Nothing is called yet: verify the connectivity
/// next.
#[utoipa::path(
    tag = "Providers",
    request_body = NewProviderBody,
    responses(
        (status = 201, description = "The provider is connected.", body = ProviderBody, headers(
            ("Location" = String, description = "URL of the provider."),
            ("ETag" = String, description = "Version of the provider, for If-Match."),
        )),
        (status = 409, description = "Another provider has this name."),
        (status = 422, description = "A value breaks a rule; the detail says which."),
    ),
)]
#[post("/providers")]
pub(in crate::http) async fn connect_provider(
    state: Data<ApiState>,
    call: Call,
    request: HttpRequest,
    Body(body): Body<NewProviderBody>,
) -> Outcome<HttpResponse> {
    let known = [ProviderKind::PartnerCenter.name()];
    let new = NewProvider {
        kind: words::read("kind", &body.kind, &known, ProviderKind::from_name)?,
        name: body.name,
        partner_tenant: body.partner_tenant,
        client_id: body.client_id,
        client_secret: body.client_secret,
        client_secret_expires_at: body.client_secret_expires_at,
        schedule: body.schedule.map(Into::into),
    };
    let provider = state.flows.connect_provider(&call.caller, new).await?;
    let location = state
        .links
        .absolute(&request, &format!("/v1/providers/{}", provider.id));
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, location))
        .insert_header(etag(provider.version))
        .json(ProviderBody::at(provider, state.flows.context.now())))
}

/// Get a provider
///
/// Gives one connected provider.
#[utoipa::path(
    tag = "Providers",
    params(("providerId" = Uuid, Path, description = "Id of the provider.")),
    responses(
        (status = 200, description = "The provider.", body = ProviderBody, headers(
            ("ETag" = String, description = "Version of the provider, for If-Match."),
        )),
        (status = 404, description = "There is no such provider."),
    ),
)]
#[get("/providers/{providerId}")]
pub(in crate::http) async fn get_provider(
    state: Data<ApiState>,
    call: Call,
    id: PathId<ProviderId>,
) -> Outcome<HttpResponse> {
    let provider = state.flows.get_provider(&call.caller, id.0).await?;
    Ok(answer(&state, provider))
}

/// Change a provider
///
/// Changes the values that are given and leaves the rest as it is.
#[utoipa::path(
    tag = "Providers",
    request_body = ProviderChangeBody,
    params(
        ("providerId" = Uuid, Path, description = "Id of the provider."),
        ("If-Match" = Option<String>, Header, description = "ETag of the provider as last read; a newer one is not overwritten."),
    ),
    responses(
        (status = 200, description = "The provider as it is now.", body = ProviderBody, headers(
            ("ETag" = String, description = "Version of the provider, for If-Match."),
        )),
        (status = 404, description = "There is no such provider."),
        (status = 409, description = "Another provider has this name."),
        (status = 412, description = "The provider changed since it was read."),
        (status = 422, description = "A value breaks a rule; the detail says which."),
    ),
)]
#[patch("/providers/{providerId}")]
pub(in crate::http) async fn change_provider(
    state: Data<ApiState>,
    call: Call,
    id: PathId<ProviderId>,
    if_match: IfMatch,
    Body(body): Body<ProviderChangeBody>,
) -> Outcome<HttpResponse> {
    let change = ProviderChange {
        name: body.name,
        enabled: body.enabled,
        partner_tenant: body.partner_tenant,
        client_id: body.client_id,
        client_secret: body.client_secret,
        client_secret_expires_at: body.client_secret_expires_at,
        schedule: body.schedule.map(|schedule| schedule.map(Into::into)),
        expected_version: if_match
            .expected(async {
                let now = state.flows.get_provider(&call.caller, id.0).await?;
                Ok(now.version)
            })
            .await?,
    };
    let changed = state.flows.change_provider(&call.caller, id.0, change);
    Ok(answer(&state, changed.await?))
}

/// Sync provider accounts
///
/// Asks for a job that lists the customers of a provider and brings its provider accounts up to date. While such a job is
/// unfinished, that job is the answer.
#[utoipa::path(
    tag = "Providers",
    params(("providerId" = Uuid, Path, description = "Id of the provider.")),
    responses(
        (status = 202, description = "The job that was asked for, or the unfinished one.", body = super::jobs::JobBody, headers(
            ("Location" = String, description = "URL at which the job can be followed without a credential."),
            ("Retry-After" = i32, description = "Seconds to wait before looking."),
        )),
        (status = 404, description = "There is no such provider."),
        (status = 422, description = "The provider is disabled."),
    ),
)]
#[post("/providers/{providerId}/sync-provider-accounts")]
pub(in crate::http) async fn sync_provider_accounts(
    state: Data<ApiState>,
    call: Call,
    request: HttpRequest,
    id: PathId<ProviderId>,
) -> Outcome<HttpResponse> {
    let job = state.flows.request_sync(&call.caller, id.0).await?;
    Ok(accepted(&state, &request, &call, job))
}

/// Verify connectivity
///
/// Tests the connection of a provider live, step by step, and names the first step that fails and what to do about it.
#[utoipa::path(
    tag = "Providers",
    params(("providerId" = Uuid, Path, description = "Id of the provider.")),
    responses(
        (status = 200, description = "What was tested and found. A failed step is not an error.", body = ReportBody),
        (status = 404, description = "There is no such provider."),
    ),
)]
#[post("/providers/{providerId}/verify-connectivity")]
pub(in crate::http) async fn verify_connectivity(
    state: Data<ApiState>,
    call: Call,
    id: PathId<ProviderId>,
) -> Outcome<Json<ReportBody>> {
    Ok(Json(
        state
            .flows
            .verify_provider(&call.caller, id.0)
            .await?
            .into(),
    ))
}
