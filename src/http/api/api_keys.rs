//! API keys: list, make, revoke. Admins only; the text of a key is shown once.

use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, delete, get, post};
use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::api_key::ApiKey;
use crate::domain::caller::{Role, Roles};
use crate::domain::ids::ApiKeyId;
use crate::http::call::{Call, PathId};
use crate::http::problem::{Outcome, Problem};
use crate::http::reading::Body;
use crate::http::state::ApiState;
use crate::http::words;

/// An API key, without its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKey)]
#[serde(rename_all = "camelCase")]
pub(super) struct ApiKeyBody {
    /// Public id of the key; also a part of its text.
    api_key_id: Uuid,
    /// What people call it.
    #[schema(example = "Flows of the billing team")]
    name: String,
    #[schema(schema_with = words::roles)]
    roles: Vec<String>,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// Who made it.
    created_by: String,
    /// Since when it is no longer taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    revoked_at: Option<DateTime<Utc>>,
    /// When it was last used, to the hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_used_at: Option<DateTime<Utc>>,
}

/// The API keys.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKeyList)]
pub(super) struct ApiKeyListBody {
    /// The keys, newest first, revoked ones too.
    value: Vec<ApiKeyBody>,
}

/// What it takes to make a key.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewApiKey)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewApiKeyBody {
    /// What people will call it.
    #[schema(example = "Flows of the billing team")]
    name: String,
    #[schema(schema_with = words::roles)]
    roles: Vec<String>,
}

/// A new key with its text, which is shown this once.
#[derive(Serialize, ToSchema)]
#[schema(as = CreatedApiKey)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreatedApiKeyBody {
    /// The text to send in X-Api-Key. It is kept nowhere: store it now.
    api_key: String,
    /// The key without its text.
    details: ApiKeyBody,
}

impl From<ApiKey> for ApiKeyBody {
    fn from(key: ApiKey) -> Self {
        Self {
            api_key_id: key.id.as_uuid(),
            name: key.name,
            roles: key.roles.iter().map(ToString::to_string).collect(),
            created_at: key.created_at,
            created_by: key.created_by,
            revoked_at: key.revoked_at,
            last_used_at: key.last_used_at,
        }
    }
}

/// List API keys
///
/// Gives every API key without its text, the newest first.
#[utoipa::path(
    tag = "API Keys",
    responses((status = 200, description = "The keys.", body = ApiKeyListBody)),
)]
#[get("/api-keys")]
pub(in crate::http) async fn list_api_keys(
    state: Data<ApiState>,
    call: Call,
) -> Outcome<Json<ApiKeyListBody>> {
    let keys = state.keys.list(&call.caller).await?;
    Ok(Json(ApiKeyListBody {
        value: keys.into_iter().map(Into::into).collect(),
    }))
}

/// Create an API key
///
/// Makes an API key with the given roles and shows its text this once.
#[utoipa::path(
    tag = "API Keys",
    request_body = NewApiKeyBody,
    responses(
        (status = 201, description = "The key, with its text.", body = CreatedApiKeyBody),
        (status = 422, description = "Name or roles break a rule; the detail says which."),
    ),
)]
#[post("/api-keys")]
pub(in crate::http) async fn create_api_key(
    state: Data<ApiState>,
    call: Call,
    Body(body): Body<NewApiKeyBody>,
) -> Outcome<HttpResponse> {
    let roles = body
        .roles
        .iter()
        .map(|role| role.parse::<Role>())
        .collect::<Result<Roles, _>>();
    let roles =
        roles.map_err(|error| Problem::invalid(format!("`roles` cannot be read: {error}.")))?;
    let (key, text) = state.keys.create(&call.caller, &body.name, roles).await?;
    let api_key = text.expose_secret().to_owned();
    Ok(HttpResponse::Created().json(CreatedApiKeyBody {
        api_key,
        details: key.into(),
    }))
}

/// Revoke an API key
///
/// Revokes an API key: it is no longer taken, and the trigger subscriptions it owns get no more events. Doing it again
/// changes nothing.
#[utoipa::path(
    tag = "API Keys",
    params(("apiKeyId" = Uuid, Path, description = "Public id of the key.")),
    responses(
        (status = 204, description = "The key is revoked."),
        (status = 404, description = "There is no such key."),
    ),
)]
#[delete("/api-keys/{apiKeyId}")]
pub(in crate::http) async fn revoke_api_key(
    state: Data<ApiState>,
    call: Call,
    id: PathId<ApiKeyId>,
) -> Outcome<HttpResponse> {
    state.keys.revoke(&call.caller, id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
