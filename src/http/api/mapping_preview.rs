//! What a mapping would move, before it is made (B4, B15).

use actix_web::post;
use actix_web::web::{Data, Json};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::subscriptions::number;
use crate::domain::exception::ExceptionKind;
use crate::domain::ids::{AccountId, BillingContractId, ProviderAccountId};
use crate::flows::map_provider_account::MapRequest;
use crate::flows::mapping::Expectation;
use crate::flows::mapping_preview::{MappingPreview, MovingSubscription};
use crate::http::call::{Call, PathId};
use crate::http::problem::Outcome;
use crate::http::reading::Body;
use crate::http::state::ApiState;
use crate::http::words;

/// Subscriptions named at most; their number is told in full.
const MOST_NAMED: usize = 500;

/// The mapping to look at.
#[derive(Deserialize, ToSchema)]
#[schema(as = MappingPreviewRequest)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PreviewBody {
    /// The account to map to.
    account_id: Uuid,
    /// What became effective before this day and is not invoiced stays in its billing contract.
    #[schema(nullable = false)]
    cut_over_date: Option<NaiveDate>,
}

/// A subscription that would move.
#[derive(Serialize, ToSchema)]
#[schema(as = MovingSubscription)]
#[serde(rename_all = "camelCase")]
struct MovingBody {
    /// Id of the subscription.
    subscription_id: Uuid,
    /// What people call it.
    name: String,
    /// How many.
    quantity: f64,
    /// The billing contract it sits in now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    from_billing_contract_id: Option<Uuid>,
    /// The billing contract it would land in; absent when it would be held.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    to_billing_contract_id: Option<Uuid>,
}

/// How many exceptions of one kind.
#[derive(Serialize, ToSchema)]
#[schema(as = ExceptionChange)]
#[serde(rename_all = "camelCase")]
struct KindBody {
    #[schema(schema_with = words::exception_kind)]
    kind: &'static str,
    /// How many.
    count: usize,
}

/// What a mapping would move.
#[derive(Serialize, ToSchema)]
#[schema(as = MappingPreview)]
#[serde(rename_all = "camelCase")]
pub(super) struct MappingPreviewBody {
    /// The provider account.
    provider_account_id: Uuid,
    /// The account it is mapped to now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    from_account_id: Option<Uuid>,
    /// The account it would be mapped to; of a merged one the survivor.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    to_account_id: Option<Uuid>,
    /// Version of the mapping now, for If-Match.
    version: i64,
    /// How many subscriptions would move.
    subscription_count: usize,
    /// The subscriptions that would move, 500 at most.
    subscriptions: Vec<MovingBody>,
    /// Billing contracts that subscriptions would leave.
    billing_contracts: Vec<Uuid>,
    /// Changes in the log, not invoiced, that would move along.
    license_changes_moving: usize,
    /// Changes in the log, not invoiced, that would stay in their billing contract.
    license_changes_staying: usize,
    /// Changes in the log that would be written off, because they became effective before the go-live date of the new billing contract.
    license_changes_written_off: usize,
    /// Exceptions that would come up.
    exceptions_raised: Vec<KindBody>,
    /// Exceptions that would close.
    exceptions_closed: Vec<KindBody>,
}

fn moving(it: &MovingSubscription) -> MovingBody {
    let subscription = &it.subscription;
    MovingBody {
        subscription_id: subscription.id.as_uuid(),
        name: subscription.listed.name.clone(),
        quantity: number(subscription.listed.quantity),
        from_billing_contract_id: it.from.map(BillingContractId::as_uuid),
        to_billing_contract_id: subscription.contract_id.map(BillingContractId::as_uuid),
    }
}

fn kinds(counts: std::collections::BTreeMap<ExceptionKind, usize>) -> Vec<KindBody> {
    let body = |(kind, count): (ExceptionKind, usize)| KindBody {
        kind: kind.name(),
        count,
    };
    counts.into_iter().map(body).collect()
}

fn body(it: MappingPreview) -> MappingPreviewBody {
    let mut left: Vec<Uuid> = it
        .subscriptions
        .iter()
        .filter_map(|it| it.from.map(BillingContractId::as_uuid))
        .collect();
    left.sort_unstable();
    left.dedup();
    MappingPreviewBody {
        provider_account_id: it.account.id.as_uuid(),
        from_account_id: it.from.map(AccountId::as_uuid),
        to_account_id: it.account.mapping.account_id().map(AccountId::as_uuid),
        version: it.version,
        subscription_count: it.subscriptions.len(),
        subscriptions: it
            .subscriptions
            .iter()
            .take(MOST_NAMED)
            .map(moving)
            .collect(),
        billing_contracts: left,
        license_changes_moving: it.moving,
        license_changes_staying: it.staying,
        license_changes_written_off: it.written_off,
        exceptions_raised: kinds(it.raised),
        exceptions_closed: kinds(it.closed),
    }
}

/// Preview a mapping
///
/// Says what mapping a provider account to an account would move: subscriptions, the billing contracts they would leave, changes in
/// the log that are not invoiced, and the exceptions that would come and go. Nothing is changed.
#[utoipa::path(
    tag = "Provider Accounts",
    request_body = PreviewBody,
    params(("providerAccountId" = Uuid, Path, description = "Id of the provider account.")),
    responses(
        (status = 200, description = "What would move.", body = MappingPreviewBody),
        (status = 404, description = "There is no such provider account."),
        (status = 409, description = "Another mapping stands against it; current shows it."),
        (status = 422, description = "The account does not exist or is not active, or the cut-over date lies ahead."),
        (status = 502, description = "Dynamics 365 refused or could not be understood."),
    ),
)]
#[post("/provider-accounts/{providerAccountId}/mapping-preview")]
pub(in crate::http) async fn preview_mapping(
    state: Data<ApiState>,
    call: Call,
    id: PathId<ProviderAccountId>,
    Body(asked): Body<PreviewBody>,
) -> Outcome<Json<MappingPreviewBody>> {
    let request = MapRequest {
        account_id: AccountId::new(asked.account_id),
        reason: None,
        expected: Expectation::default(),
    };
    let flows = &state.flows;
    let preview = flows
        .preview_mapping(&call.caller, id.0, &request, asked.cut_over_date)
        .await?;
    Ok(Json(body(preview)))
}
