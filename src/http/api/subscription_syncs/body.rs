//! What goes in and out of previews, decisions and reports.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::ids::{
    BillingContractId, JobId, PreviewId, ProductSubscriptionId, ProviderId, SubscriptionRunId,
};
use crate::domain::subscription::FieldDifference;
use crate::domain::subscription_run::{ReportLine, SubscriptionRun};
use crate::domain::subscription_sync::ChangeKind;
use crate::flows::subscriptions::preview::{Preview, PreviewFailure, PreviewItem};
use crate::flows::subscriptions::proceed::{ChangedSince, Proceeded};
use crate::http::words;

/// One field that differs.
#[derive(Serialize, ToSchema)]
#[schema(as = FieldDifference)]
#[serde(rename_all = "camelCase")]
pub(in crate::http::api) struct DifferenceBody {
    /// The field.
    #[schema(example = "quantity")]
    field: String,
    /// What we have.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    old: Option<String>,
    /// What the provider has.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    new: Option<String>,
}

impl From<FieldDifference> for DifferenceBody {
    fn from(it: FieldDifference) -> Self {
        Self {
            field: it.field,
            old: it.old,
            new: it.new,
        }
    }
}

/// What a sync would do to one subscription.
#[derive(Serialize, ToSchema)]
#[schema(as = PreviewItem)]
#[serde(rename_all = "camelCase")]
pub(in crate::http::api) struct ItemBody {
    /// The provider's own id of the subscription; choose by it.
    external_id: String,
    /// Id of the subscription, where it is known already.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    subscription_id: Option<Uuid>,
    /// The provider account it belongs to.
    provider_account_id: Uuid,
    /// Name of that provider account.
    provider_account_name: String,
    /// The provider's id of the subscription it is an add-on of.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    parent_external_id: Option<String>,
    /// What people call it.
    name: String,
    #[schema(schema_with = words::change_kind)]
    kind: &'static str,
    /// Whether it would be put into the contract.
    attaches: bool,
    /// Its quantity at the provider.
    quantity: String,
    /// The provider's word for its state.
    status: String,
    /// Whether the quantity is all that differs.
    quantity_only: bool,
    /// Where they differ.
    differences: Vec<DifferenceBody>,
    /// Why it would not be put into the contract, where that is not plain.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    note: Option<String>,
}

impl From<PreviewItem> for ItemBody {
    fn from(it: PreviewItem) -> Self {
        Self {
            external_id: it.external_id,
            subscription_id: it.subscription_id.map(ProductSubscriptionId::as_uuid),
            provider_account_id: it.provider_account_id.as_uuid(),
            provider_account_name: it.provider_account_name,
            parent_external_id: it.parent_external_id,
            name: it.name,
            kind: it.kind.name(),
            attaches: it.attaches,
            quantity: it.quantity,
            status: it.status,
            quantity_only: it.quantity_only,
            differences: it.differences.into_iter().map(Into::into).collect(),
            note: it.note,
        }
    }
}

/// A customer that could not be read.
#[derive(Serialize, ToSchema)]
#[schema(as = PreviewFailure)]
#[serde(rename_all = "camelCase")]
pub(in crate::http::api) struct FailureBody {
    /// The provider account.
    provider_account_id: Uuid,
    /// Its name.
    provider_account_name: String,
    /// Why, in the provider's own words.
    message: String,
    /// Id under which the provider's support finds the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    correlation_id: Option<String>,
}

impl From<PreviewFailure> for FailureBody {
    fn from(it: PreviewFailure) -> Self {
        Self {
            provider_account_id: it.provider_account_id.as_uuid(),
            provider_account_name: it.provider_account_name,
            message: it.message,
            correlation_id: it.correlation_id,
        }
    }
}

/// What a sync from a billing contract would do.
#[derive(Serialize, ToSchema)]
#[schema(as = SubscriptionPreview)]
#[serde(rename_all = "camelCase")]
pub(in crate::http::api) struct PreviewBody {
    /// Id of the preview.
    preview_id: Uuid,
    /// The billing contract.
    billing_contract_id: Uuid,
    /// Who asked for it.
    made_by: String,
    /// When it was made.
    made_at: DateTime<Utc>,
    /// Subscriptions the provider has and we have not.
    new: usize,
    /// Subscriptions that differ.
    changed: usize,
    /// Subscriptions that are alike.
    unchanged: usize,
    /// Subscriptions the provider lists no more.
    gone: usize,
    /// The subscriptions, by name.
    items: Vec<ItemBody>,
    /// The customers that could not be read.
    failures: Vec<FailureBody>,
    /// The sync run in which it was decided on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    sync_run_id: Option<Uuid>,
}

impl From<Preview> for PreviewBody {
    fn from(it: Preview) -> Self {
        let count = |kind: ChangeKind| it.items.iter().filter(|item| item.kind == kind).count();
        Self {
            preview_id: PreviewId::as_uuid(it.id),
            billing_contract_id: it.contract_id.as_uuid(),
            made_at: it.made_at,
            new: count(ChangeKind::New),
            changed: count(ChangeKind::Changed),
            unchanged: count(ChangeKind::Unchanged),
            gone: count(ChangeKind::Gone),
            made_by: it.made_by,
            items: it.items.into_iter().map(Into::into).collect(),
            failures: it.failures.into_iter().map(Into::into).collect(),
            sync_run_id: it.run_id.map(SubscriptionRunId::as_uuid),
        }
    }
}

/// What to take over of a preview.
#[derive(Deserialize, ToSchema)]
#[schema(as = PreviewDecision)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::http::api) struct DecisionBody {
    /// The provider's ids of the chosen subscriptions; everything that changes anything when left out.
    #[schema(nullable = false)]
    pub(super) external_ids: Option<Vec<String>>,
}

/// A subscription that is no longer as the preview showed it.
#[derive(Serialize, ToSchema)]
#[schema(as = ChangedSincePreview)]
#[serde(rename_all = "camelCase")]
pub(in crate::http::api) struct ChangedSinceBody {
    /// The provider's own id of the subscription.
    external_id: String,
    /// What people call it.
    name: String,
    /// What the preview showed, and what is now.
    reason: String,
    /// Where they differ now.
    differences: Vec<DifferenceBody>,
}

impl From<ChangedSince> for ChangedSinceBody {
    fn from(it: ChangedSince) -> Self {
        let then = it.then.kind.name();
        let reason = match &it.now {
            None => format!("it was {then}, and the provider has it no more"),
            Some(now) if now.kind == it.then.kind => {
                format!("it was {then} and still is, but not in the same way")
            }
            Some(now) => format!("it was {then}, and is {} now", now.kind.name()),
        };
        let differences = it.now.map(|now| now.differences).unwrap_or_default();
        Self {
            external_id: it.then.external_id,
            name: it.then.name,
            reason,
            differences: differences.into_iter().map(Into::into).collect(),
        }
    }
}

/// How a decision on a preview ended.
#[derive(Serialize, ToSchema)]
#[schema(as = PreviewOutcome)]
#[serde(rename_all = "camelCase")]
pub(in crate::http::api) struct OutcomeBody {
    /// The sync run, with its report.
    run: RunBody,
    /// Subscriptions that were taken over.
    applied: usize,
    /// Subscriptions that were not, because they changed since the preview.
    changed_since: Vec<ChangedSinceBody>,
    /// Subscriptions that were not, because their customer could not be read or is no longer the contract's to sync; the
    /// report says why.
    unread: Vec<ItemBody>,
}

impl From<Proceeded> for OutcomeBody {
    fn from(it: Proceeded) -> Self {
        Self {
            run: it.run.into(),
            applied: it.applied,
            changed_since: it.changed_since.into_iter().map(Into::into).collect(),
            unread: it.unread.into_iter().map(Into::into).collect(),
        }
    }
}

/// One sync of subscriptions.
#[derive(Serialize, ToSchema)]
#[schema(as = SubscriptionSyncRun)]
#[serde(rename_all = "camelCase")]
pub(in crate::http::api) struct RunBody {
    /// Id of the run.
    sync_run_id: Uuid,
    #[schema(schema_with = words::run_source)]
    source: &'static str,
    #[schema(schema_with = words::subscription_run_outcome)]
    outcome: &'static str,
    /// The provider, for a run over all of its customers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    provider_id: Option<Uuid>,
    /// The billing contract it was done for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    billing_contract_id: Option<Uuid>,
    /// The job that did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    job_id: Option<Uuid>,
    /// The preview that was decided on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    preview_id: Option<Uuid>,
    /// Who asked for it.
    requested_by: String,
    /// When it began.
    started_at: DateTime<Utc>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    finished_at: Option<DateTime<Utc>>,
    /// Customers that were read.
    customers: i64,
    /// Customers that could not be read.
    failed_customers: i64,
    /// Subscriptions the provider listed.
    listed: i64,
    /// Seen for the first time.
    new: i64,
    /// Known, and something differed.
    changed: i64,
    /// Known, and nothing differed.
    unchanged: i64,
    /// Known, and no longer listed.
    gone: i64,
    /// Put into a billing contract.
    attached: i64,
    /// Left without a billing contract.
    held: i64,
    /// Subscriptions that could not be read.
    unreadable: i64,
    /// Why it is incomplete.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    note: Option<String>,
}

impl From<SubscriptionRun> for RunBody {
    fn from(it: SubscriptionRun) -> Self {
        let counts = it.counts;
        Self {
            sync_run_id: it.id.as_uuid(),
            source: it.source.name(),
            outcome: it.outcome.name(),
            provider_id: it.provider_id.map(ProviderId::as_uuid),
            billing_contract_id: it.contract_id.map(BillingContractId::as_uuid),
            job_id: it.job_id.map(JobId::as_uuid),
            preview_id: it.preview_id.map(PreviewId::as_uuid),
            requested_by: it.requested_by,
            started_at: it.started_at,
            finished_at: it.finished_at,
            customers: counts.customers,
            failed_customers: counts.failed_customers,
            listed: counts.listed,
            new: counts.new,
            changed: counts.changed,
            unchanged: counts.unchanged,
            gone: counts.gone,
            attached: counts.attached,
            held: counts.held,
            unreadable: counts.unreadable,
            note: it.note,
        }
    }
}

/// One line of a sync report.
#[derive(Serialize, ToSchema)]
#[schema(as = SyncReportLine)]
#[serde(rename_all = "camelCase")]
pub(in crate::http::api) struct LineBody {
    /// When.
    at: DateTime<Utc>,
    #[schema(schema_with = words::line_kind)]
    kind: &'static str,
    /// The subscription, where it is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    subscription_id: Option<Uuid>,
    /// The provider account.
    provider_account_id: Uuid,
    /// The provider's own id of the subscription.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    external_id: Option<String>,
    /// Name of the subscription, or of the customer.
    name: String,
    /// The field that changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    field: Option<String>,
    /// Its value before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    old: Option<String>,
    /// Its value after.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    new: Option<String>,
    /// The provider's own words about a failure, or why it is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    message: Option<String>,
    /// Id under which the provider's support finds the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    correlation_id: Option<String>,
}

impl From<ReportLine> for LineBody {
    fn from(it: ReportLine) -> Self {
        Self {
            at: it.at,
            kind: it.kind.name(),
            subscription_id: it.subscription_id.map(ProductSubscriptionId::as_uuid),
            provider_account_id: it.provider_account_id.as_uuid(),
            external_id: it.external_id,
            name: it.name,
            field: it.field,
            old: it.old,
            new: it.new,
            message: it.message,
            correlation_id: it.correlation_id,
        }
    }
}
