//! Operator settings (decision 12): what is changed at run time, kept in the database and audited.

use actix_web::web::{Data, Json};
use actix_web::{get, patch};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::setting::{AutoMatchMode, OperatorSettings};
use crate::flows::settings::SettingsChange;
use crate::http::call::Call;
use crate::http::problem::Outcome;
use crate::http::reading::{Body, not_null, null_too};
use crate::http::state::ApiState;
use crate::http::words;

/// The settings in force.
#[derive(Serialize, ToSchema)]
#[schema(as = Settings)]
#[serde(rename_all = "camelCase")]
pub(super) struct SettingsBody {
    #[schema(schema_with = words::auto_match_mode)]
    auto_match: &'static str,
    /// Confidence from which the engine maps by itself.
    #[schema(minimum = 0.5, maximum = 1)]
    auto_match_threshold: f64,
    /// Whether an account takes at most one provider account.
    unique_mapping: bool,
    /// Details older than so many days are fetched again.
    details_refresh_days: u32,
    /// A sync whose last complete run is older than so many hours raises an exception.
    stale_sync_hours: u32,
}

/// What to change; whatever is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[schema(as = SettingsChange)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SettingsChangeBody {
    #[schema(schema_with = words::auto_match_mode)]
    #[serde(default, deserialize_with = "not_null")]
    auto_match: Option<String>,
    /// Confidence from which the engine maps by itself, or null for that of its model.
    #[serde(default, deserialize_with = "null_too")]
    #[schema(value_type = Option<f64>, minimum = 0.5, maximum = 1)]
    auto_match_threshold: Option<Option<f64>>,
    /// Whether an account takes at most one provider account; refused while some have several.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    unique_mapping: Option<bool>,
    /// Details older than so many days are fetched again.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false, minimum = 1, maximum = 365)]
    details_refresh_days: Option<u32>,
    /// A sync whose last complete run is older than so many hours raises an exception.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false, minimum = 1, maximum = 720)]
    stale_sync_hours: Option<u32>,
}

impl SettingsBody {
    fn of(settings: &OperatorSettings, state: &ApiState) -> Self {
        Self {
            auto_match: words::auto_match_name(settings.auto_match),
            auto_match_threshold: settings
                .auto_match_threshold
                .unwrap_or_else(|| state.flows.matcher.model_threshold()),
            unique_mapping: settings.unique_mapping,
            details_refresh_days: settings.details_refresh_days,
            stale_sync_hours: settings.stale_sync_hours,
        }
    }
}

/// Get settings
///
/// Gives the settings in force.
#[utoipa::path(
    tag = "Settings",
    responses((status = 200, description = "The settings.", body = SettingsBody)),
)]
#[get("/settings")]
pub(in crate::http) async fn get_settings(
    state: Data<ApiState>,
    call: Call,
) -> Outcome<Json<SettingsBody>> {
    let settings = state.flows.get_settings(&call.caller).await?;
    Ok(Json(SettingsBody::of(&settings, &state)))
}

/// Change settings
///
/// Changes the settings that are given and leaves the rest as it is.
#[utoipa::path(
    tag = "Settings",
    request_body = SettingsChangeBody,
    responses(
        (status = 200, description = "The settings as they are now.", body = SettingsBody),
        (status = 409, description = "One-to-one mapping is asked for while accounts have several provider accounts; current lists them."),
        (status = 422, description = "A value breaks a rule; the detail says which."),
    ),
)]
#[patch("/settings")]
pub(in crate::http) async fn change_settings(
    state: Data<ApiState>,
    call: Call,
    Body(body): Body<SettingsChangeBody>,
) -> Outcome<Json<SettingsBody>> {
    let modes = AutoMatchMode::ALL;
    let known = modes.map(words::auto_match_name);
    let parse = |word: &str| {
        modes
            .into_iter()
            .find(|mode| words::auto_match_name(*mode) == word)
    };
    let auto_match = body.auto_match.as_deref();
    let change = SettingsChange {
        auto_match: auto_match
            .map(|word| words::read("autoMatch", word, &known, parse))
            .transpose()?,
        auto_match_threshold: body.auto_match_threshold,
        unique_mapping: body.unique_mapping,
        details_refresh_days: body.details_refresh_days,
        stale_sync_hours: body.stale_sync_hours,
    };
    let settings = state.flows.change_settings(&call.caller, &change).await?;
    Ok(Json(SettingsBody::of(&settings, &state)))
}
