//! The closed word lists of the API as schemas, made of the domain's own lists, so that document and code cannot differ.

use utoipa::openapi::schema::{Array, ArrayBuilder, Object, ObjectBuilder, Type};

use super::problem::Problem;
use crate::domain::billing_contract::{BillingPolicy, Frequency};
use crate::domain::caller::Role;
use crate::domain::consent::Trouble;
use crate::domain::exception::ExceptionKind;
use crate::domain::mapping::{MappedBy, MappingState};
use crate::domain::match_plan::PlanItemState;
use crate::domain::provider::ProviderKind;
use crate::domain::provider_health::HealthIssue;
use crate::domain::setting::AutoMatchMode;
use crate::domain::subscription::{HeldFor, SubscriptionState as Standing};
use crate::domain::subscription_run::{LineKind, RunSource};
use crate::domain::subscription_sync::{ChangeKind, LogKind};
use crate::domain::trigger::{DeliveryState, SubscriptionState};

fn words(description: &str, words: impl IntoIterator<Item = &'static str>) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .enum_values(Some(words))
        .build()
}

/// `unmapped`, `mapped`, `excluded`.
pub fn mapping_state() -> Object {
    words(
        "Unmapped, mapped, or excluded from mapping.",
        MappingState::ALL.map(MappingState::name),
    )
}

/// `person`, `auto-match`.
pub fn mapped_by() -> Object {
    words(
        "Who made the mapping.",
        [MappedBy::Person, MappedBy::AutoMatch].map(MappedBy::name),
    )
}

/// The kinds of provider.
pub fn provider_kind() -> Object {
    words(
        "The kind of provider, which decides how it is spoken to.",
        [ProviderKind::PartnerCenter.name()],
    )
}

/// What is the matter with a provider.
pub fn health_issue() -> Object {
    words(
        "What is the matter.",
        HealthIssue::ALL.map(HealthIssue::name),
    )
}

/// Who can mend an error.
pub fn trouble() -> Object {
    let classes = [Trouble::ReConsent, Trouble::Operator, Trouble::Transient];
    words(
        "Who can mend it: somebody who consents again, an operator, or time alone.",
        classes.map(Trouble::name),
    )
}

/// `active`, `inactive`, `merged`.
pub fn account_state() -> Object {
    words(
        "Only active accounts can be mapped.",
        ["active", "inactive", "merged"],
    )
}

/// The name of a mode of auto-match.
pub const fn auto_match_name(mode: AutoMatchMode) -> &'static str {
    match mode {
        AutoMatchMode::Off => "off",
        AutoMatchMode::Classic => "classic",
        AutoMatchMode::Engine => "engine",
    }
}

/// `off`, `classic`, `engine`.
pub fn auto_match_mode() -> Object {
    words(
        "How provider accounts are mapped by themselves: not at all, when their domains lead to exactly one account, or by all evidence from a confidence on.",
        AutoMatchMode::ALL.map(auto_match_name),
    )
}

/// `monthly`, `quarterly`, `annual`.
pub fn frequency() -> Object {
    words(
        "How often it is invoiced.",
        Frequency::ALL.map(Frequency::name),
    )
}

/// `advance`, `arrears`.
pub fn billing_policy() -> Object {
    words(
        "Whether a period is invoiced when it begins or when it has ended.",
        BillingPolicy::ALL.map(BillingPolicy::name),
    )
}

/// What became of one mapping of a plan.
pub fn plan_item_state() -> Object {
    words(
        "What became of the mapping.",
        PlanItemState::ALL.map(PlanItemState::name),
    )
}

/// The states of a Job.
pub fn job_state() -> Object {
    let states = [
        "waiting",
        "in-progress",
        "retry",
        "succeeded",
        "failed",
        "not-applicable",
        "cancelled",
    ];
    words("Where the job stands.", states)
}

/// The states of a trigger subscription.
pub fn subscription_state() -> Object {
    let states = [
        SubscriptionState::Active,
        SubscriptionState::Suspended,
        SubscriptionState::Retired,
    ];
    words(
        "Where the subscription stands.",
        states.map(SubscriptionState::name),
    )
}

/// The states of a delivery.
pub fn delivery_state() -> Object {
    let states = [
        DeliveryState::Pending,
        DeliveryState::Delivered,
        DeliveryState::Dead,
        DeliveryState::Cancelled,
    ];
    words(
        "Where the delivery stands.",
        states.map(DeliveryState::name),
    )
}

/// The states whose deliveries are listed.
pub fn listed_delivery_state() -> Object {
    words(
        "Only deliveries that were given up; no others are listed so far.",
        [DeliveryState::Dead.name()],
    )
}

/// How a sync run ended.
pub fn run_outcome() -> Object {
    words(
        "Whether the whole listing was read; only then accounts can become missing.",
        ["running", "complete", "incomplete"],
    )
}

/// The states of a subscription.
pub fn subscription_standing() -> Object {
    words(
        "Where the subscription stands; absent while the provider's word for it is unknown.",
        Standing::ALL.map(Standing::name),
    )
}

/// Why a subscription sits in no contract.
pub fn held_for() -> Object {
    words(
        "Why it sits in no billing contract: its provider account is not mapped, no contract fits, or several do.",
        HeldFor::ALL.map(HeldFor::name),
    )
}

/// What a sync would do.
pub fn change_kind() -> Object {
    words(
        "What a sync would do to it.",
        ChangeKind::ALL.map(ChangeKind::name),
    )
}

/// What an entry of the change log is about.
pub fn log_kind() -> Object {
    words("What changed.", LogKind::ALL.map(LogKind::name))
}

/// What set a sync going.
pub fn run_source() -> Object {
    words(
        "Whether a person decided on it, a job did it, or a mapping or billing contract brought it about.",
        RunSource::ALL.map(RunSource::name),
    )
}

/// How a sync of subscriptions ended.
pub fn subscription_run_outcome() -> Object {
    words(
        "Whether everything was read and taken over.",
        ["running", "complete", "incomplete"],
    )
}

/// What a line of a report tells.
pub fn line_kind() -> Object {
    words("What the line tells.", LineKind::ALL.map(LineKind::name))
}

/// The kinds of exception.
pub fn exception_kind() -> Object {
    words(
        "What is wrong.",
        ExceptionKind::ALL.iter().map(|kind| kind.name()),
    )
}

/// The roles a key can have.
pub fn roles() -> Array {
    let roles = Role::ALL
        .into_iter()
        .filter(|role| *role != Role::Service)
        .map(Role::name);
    let role = words("A role.", roles);
    ArrayBuilder::new()
        .items(role)
        .min_items(Some(1))
        .description(Some("What the key may do, additively."))
        .build()
}

/// A word of a closed list, or the list in the refusal.
pub fn read<T>(
    name: &str,
    word: &str,
    known: &[&str],
    parse: impl Fn(&str) -> Option<T>,
) -> Result<T, Problem> {
    parse(word)
        .ok_or_else(|| Problem::invalid(format!("`{name}` must be one of: {}.", known.join(", "))))
}
