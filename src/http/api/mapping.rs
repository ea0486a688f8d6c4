//! The mapping of a Provider Account: map, remap, unmap, exclude (B4).

use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, delete, get, post, put};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::domain::ids::{AccountId, ProviderAccountId};
use crate::domain::mapping::{Mapping, MatchEvidence, Reason};
use crate::domain::provider_account::ProviderAccount;
use crate::flows::map_provider_account::MapRequest;
use crate::flows::mapping::Expectation;
use crate::http::call::{Call, IfMatch, PathId, etag};
use crate::http::problem::Outcome;
use crate::http::reading::{Body, Question, null_too};
use crate::http::state::ApiState;
use crate::http::words;

/// The link of a provider account to an account.
#[derive(Serialize, ToSchema)]
#[schema(as = Mapping)]
#[serde(rename_all = "camelCase")]
pub(super) struct MappingBody {
    #[schema(schema_with = words::mapping_state)]
    state: &'static str,
    /// The account, when mapped.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    account_id: Option<Uuid>,
    /// Name of the account when the mapping was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    account_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = words::mapped_by)]
    mapped_by: Option<&'static str>,
    /// Why it is excluded.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<String>,
    /// Between 0 and 1, when auto-match made the mapping and it is asked for alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0, maximum = 1)]
    confidence: Option<f64>,
    /// What the mapping rests on, when auto-match made it and it is asked for alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    evidence: Vec<EvidenceBody>,
    /// Since when it is in this state.
    changed_at: DateTime<Utc>,
    /// Grows by one with each change of the mapping; also the ETag.
    version: i64,
}

impl MappingBody {
    /// The mapping of `account`.
    pub(super) fn of(account: &ProviderAccount) -> Self {
        let state = account.mapping.state().name();
        let version = account.mapping_version;
        let blank = |changed_at| Self {
            state,
            account_id: None,
            account_name: None,
            mapped_by: None,
            reason: None,
            confidence: None,
            evidence: Vec::new(),
            changed_at,
            version,
        };
        match &account.mapping {
            Mapping::Unmapped { since } => blank(*since),
            Mapping::Mapped {
                account_id,
                account_name,
                by,
                at,
            } => Self {
                account_id: Some(account_id.as_uuid()),
                account_name: Some(account_name.clone()),
                mapped_by: Some(by.name()),
                ..blank(*at)
            },
            Mapping::Excluded { at, reason } => Self {
                reason: Some(reason.clone()),
                ..blank(*at)
            },
        }
    }
}

impl MappingBody {
    /// With what an automatic mapping rests on.
    pub(super) fn resting_on(mut self, evidence: Option<MatchEvidence>) -> Self {
        if let Some(evidence) = evidence {
            self.confidence = Some(evidence.confidence);
            self.evidence = evidence.reasons.into_iter().map(Into::into).collect();
        }
        self
    }
}

/// The account to map to.
#[derive(Deserialize, ToSchema)]
#[schema(as = MapRequest)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct MapBody {
    /// The account. It is read live: it must exist and be active; a merged one means the one that survived.
    account_id: Uuid,
    /// Why, for the audit trail.
    #[schema(nullable = false, max_length = 500)]
    reason: Option<String>,
    /// The account you believe to be mapped now, or null for none; if it is another, nothing is changed.
    #[serde(default, deserialize_with = "null_too")]
    #[schema(value_type = Option<Uuid>)]
    expected_account_id: Option<Option<Uuid>>,
    /// With another account: what became effective before this day and is not invoiced stays in its billing contract. Without it
    /// everything that is not invoiced moves.
    #[schema(nullable = false)]
    cut_over_date: Option<NaiveDate>,
}

/// Why a provider account is excluded.
#[derive(Deserialize, ToSchema)]
#[schema(as = ExcludeRequest)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ExcludeBody {
    /// Why, so that the next person knows.
    #[schema(max_length = 500, example = "Internal test tenant")]
    reason: String,
    /// The account you believe to be mapped now, or null for none; if it is another, nothing is changed.
    #[serde(default, deserialize_with = "null_too")]
    #[schema(value_type = Option<Uuid>)]
    expected_account_id: Option<Option<Uuid>>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub(super) struct UndoQuery {
    /// Why, for the audit trail.
    #[param(nullable = false, max_length = 500)]
    reason: Option<String>,
}

/// A ranked candidate.
#[derive(Serialize, ToSchema)]
#[schema(as = Suggestion)]
#[serde(rename_all = "camelCase")]
pub(super) struct SuggestionBody {
    /// The account.
    account_id: Uuid,
    /// Name of the account when the suggestion was made.
    account_name: String,
    /// Between 0 and 1.
    #[schema(minimum = 0, maximum = 1, example = 0.9)]
    confidence: f64,
    /// Evidence in plain words, the strongest first.
    reasons: Vec<String>,
    /// The same evidence with its weights.
    evidence: Vec<EvidenceBody>,
}

/// One piece of evidence.
#[derive(Serialize, ToSchema)]
#[schema(as = Evidence)]
pub(super) struct EvidenceBody {
    /// In plain words.
    text: String,
    /// How much it weighs, in points of log-odds: above zero it speaks for the account, below against it. Absent where a rule
    /// decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    weight: Option<f64>,
}

impl From<Reason> for EvidenceBody {
    fn from(reason: Reason) -> Self {
        Self {
            text: reason.text,
            weight: reason.weight,
        }
    }
}

fn texts(reasons: &[Reason]) -> Vec<String> {
    reasons.iter().map(|reason| reason.text.clone()).collect()
}

/// The suggestions for a provider account.
#[derive(Serialize, ToSchema)]
#[schema(as = SuggestionList)]
pub(super) struct SuggestionListBody {
    /// The candidates, the best first; none for a provider account that is mapped or excluded.
    value: Vec<SuggestionBody>,
}

async fn expectation(
    state: &ApiState,
    call: &Call,
    id: ProviderAccountId,
    if_match: &IfMatch,
    account: Option<Option<Uuid>>,
) -> Outcome<Expectation> {
    let version = if_match.expected(async {
        let now = state.flows.get_provider_account(&call.caller, id).await?;
        Ok(now.mapping_version)
    });
    Ok(Expectation {
        version: version.await?,
        account_id: account.map(|account| account.map(AccountId::new)),
    })
}

fn answer(account: &ProviderAccount) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(etag(account.mapping_version))
        .json(MappingBody::of(account))
}

/// Get a mapping
///
/// Gives the mapping of a provider account and its version.
#[utoipa::path(
    tag = "Provider Accounts",
    params(("providerAccountId" = Uuid, Path, description = "Id of the provider account.")),
    responses(
        (status = 200, description = "The mapping.", body = MappingBody, headers(
            ("ETag" = String, description = "Version of the mapping, for If-Match."),
        )),
        (status = 404, description = "There is no such provider account."),
    ),
)]
#[get("/provider-accounts/{providerAccountId}/mapping")]
pub(in crate::http) async fn get_mapping(
    state: Data<ApiState>,
    call: Call,
    id: PathId<ProviderAccountId>,
) -> Outcome<HttpResponse> {
    let account = state.flows.get_provider_account(&call.caller, id.0).await?;
    let evidence = state.flows.mapping_evidence(&account).await?;
    Ok(HttpResponse::Ok()
        .insert_header(etag(account.mapping_version))
        .json(MappingBody::of(&account).resting_on(evidence)))
}

/// Map a provider account
///
/// Maps a provider account to an account, in place of an older mapping. Doing it again changes nothing.
#[utoipa::path(
    tag = "Provider Accounts",
    request_body = MapBody,
    params(
        ("providerAccountId" = Uuid, Path, description = "Id of the provider account."),
        ("If-Match" = Option<String>, Header, description = "ETag of the mapping as last read; a newer one is not overwritten."),
    ),
    responses(
        (status = 200, description = "The mapping as it is now.", body = MappingBody, headers(
            ("ETag" = String, description = "Version of the mapping, for If-Match."),
        )),
        (status = 404, description = "There is no such provider account."),
        (status = 409, description = "Another mapping stands against it; current shows it."),
        (status = 412, description = "The mapping changed since it was read."),
        (status = 422, description = "The account does not exist or is not active, or a value breaks a rule."),
        (status = 502, description = "Dynamics 365 refused or could not be understood."),
    ),
)]
#[put("/provider-accounts/{providerAccountId}/mapping")]
pub(in crate::http) async fn map_provider_account(
    state: Data<ApiState>,
    call: Call,
    id: PathId<ProviderAccountId>,
    if_match: IfMatch,
    Body(body): Body<MapBody>,
) -> Outcome<HttpResponse> {
    let request = MapRequest {
        account_id: AccountId::new(body.account_id),
        reason: body.reason,
        expected: expectation(&state, &call, id.0, &if_match, body.expected_account_id).await?,
    };
    Ok(answer(
        &state
            .flows
            .map_from(&call.caller, id.0, &request, body.cut_over_date)
            .await?
            .account,
    ))
}

/// Unmap a provider account
///
/// Takes the account away from a provider account. Auto-match does not bring the same one back, but is run to
/// suggest others. Doing it again changes nothing.
#[utoipa::path(
    tag = "Provider Accounts",
    params(
        ("providerAccountId" = Uuid, Path, description = "Id of the provider account."),
        ("If-Match" = Option<String>, Header, description = "ETag of the mapping as last read; a newer one is not overwritten."),
        UndoQuery,
    ),
    responses(
        (status = 200, description = "The mapping as it is now.", body = MappingBody, headers(
            ("ETag" = String, description = "Version of the mapping, for If-Match."),
        )),
        (status = 404, description = "There is no such provider account."),
        (status = 412, description = "The mapping changed since it was read."),
        (status = 422, description = "A value breaks a rule; the detail says which."),
    ),
)]
#[delete("/provider-accounts/{providerAccountId}/mapping")]
pub(in crate::http) async fn unmap_provider_account(
    state: Data<ApiState>,
    call: Call,
    id: PathId<ProviderAccountId>,
    if_match: IfMatch,
    Question(query): Question<UndoQuery>,
) -> Outcome<HttpResponse> {
    let (flows, reason) = (&state.flows, query.reason.as_deref());
    let expected = expectation(&state, &call, id.0, &if_match, None).await?;
    Ok(answer(
        &flows
            .unmap_provider_account(&call.caller, id.0, reason, expected)
            .await?
            .account,
    ))
}

/// Exclude a provider account
///
/// Says that a provider account is never to be mapped, for example an internal test tenant. A mapping it has is taken away.
/// Doing it again with another reason keeps the new one.
#[utoipa::path(
    tag = "Provider Accounts",
    request_body = ExcludeBody,
    params(
        ("providerAccountId" = Uuid, Path, description = "Id of the provider account."),
        ("If-Match" = Option<String>, Header, description = "ETag of the mapping as last read; a newer one is not overwritten."),
    ),
    responses(
        (status = 200, description = "The mapping as it is now.", body = MappingBody, headers(
            ("ETag" = String, description = "Version of the mapping, for If-Match."),
        )),
        (status = 404, description = "There is no such provider account."),
        (status = 409, description = "Another mapping stands against it; current shows it."),
        (status = 412, description = "The mapping changed since it was read."),
        (status = 422, description = "There is no reason, or it breaks a rule."),
    ),
)]
#[post("/provider-accounts/{providerAccountId}/exclusion")]
pub(in crate::http) async fn exclude_provider_account(
    state: Data<ApiState>,
    call: Call,
    id: PathId<ProviderAccountId>,
    if_match: IfMatch,
    Body(body): Body<ExcludeBody>,
) -> Outcome<HttpResponse> {
    let expected = expectation(&state, &call, id.0, &if_match, body.expected_account_id).await?;
    let flows = &state.flows;
    Ok(answer(
        &flows
            .exclude_provider_account(&call.caller, id.0, &body.reason, expected)
            .await?
            .account,
    ))
}

/// Include a provider account
///
/// Takes an exclusion back: the provider account is unmapped again and may be mapped. Doing it again changes nothing.
#[utoipa::path(
    tag = "Provider Accounts",
    params(
        ("providerAccountId" = Uuid, Path, description = "Id of the provider account."),
        ("If-Match" = Option<String>, Header, description = "ETag of the mapping as last read; a newer one is not overwritten."),
        UndoQuery,
    ),
    responses(
        (status = 200, description = "The mapping as it is now.", body = MappingBody, headers(
            ("ETag" = String, description = "Version of the mapping, for If-Match."),
        )),
        (status = 404, description = "There is no such provider account."),
        (status = 412, description = "The mapping changed since it was read."),
        (status = 422, description = "A value breaks a rule; the detail says which."),
    ),
)]
#[delete("/provider-accounts/{providerAccountId}/exclusion")]
pub(in crate::http) async fn include_provider_account(
    state: Data<ApiState>,
    call: Call,
    id: PathId<ProviderAccountId>,
    if_match: IfMatch,
    Question(query): Question<UndoQuery>,
) -> Outcome<HttpResponse> {
    let (flows, reason) = (&state.flows, query.reason.as_deref());
    let expected = expectation(&state, &call, id.0, &if_match, None).await?;
    Ok(answer(
        &flows
            .include_provider_account(&call.caller, id.0, reason, expected)
            .await?
            .account,
    ))
}

/// List suggestions
///
/// Gives the accounts a provider account may belong to, the best first, with what speaks for each.
#[utoipa::path(
    tag = "Provider Accounts",
    params(("providerAccountId" = Uuid, Path, description = "Id of the provider account.")),
    responses(
        (status = 200, description = "The candidates.", body = SuggestionListBody),
        (status = 404, description = "There is no such provider account."),
    ),
)]
#[get("/provider-accounts/{providerAccountId}/suggestions")]
pub(in crate::http) async fn list_suggestions(
    state: Data<ApiState>,
    call: Call,
    id: PathId<ProviderAccountId>,
) -> Outcome<Json<SuggestionListBody>> {
    let named = state.flows.list_suggestions(&call.caller, id.0).await?;
    let value = named.into_iter().map(|named| SuggestionBody {
        account_id: named.suggestion.account_id.as_uuid(),
        account_name: named.account_name,
        confidence: named.suggestion.confidence,
        reasons: texts(&named.suggestion.reasons),
        evidence: named
            .suggestion
            .reasons
            .into_iter()
            .map(Into::into)
            .collect(),
    });
    Ok(Json(SuggestionListBody {
        value: value.collect(),
    }))
}
