//! The OpenAPI document (3.1), made of the route table. utoipa gives what the annotations say; [`openapi`] adds what is
//! the same everywhere and what Power Platform asks for, so that no annotation repeats it.

mod common;
mod consent_events;
mod events;
mod power_platform;
mod subscription_events;

use actix_web::App;
use serde_json::Value;
use utoipa::OpenApi;
use utoipa_actix_web::AppExt;

use super::problem::{ProblemCode, ProblemDocument};
use super::routes;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Provider Bridge",
        description = "Maps the customers of cloud subscription providers to Dynamics 365 accounts, and tells flows when \
                       something changes.",
        contact(name = "Provider Bridge", url = "https://provider-bridge.example/support", email = "support@provider-bridge.example"),
        license(name = "Proprietary"),
    ),
    components(schemas(
        ProblemDocument,
        ProblemCode,
        events::ProviderAccountCreatedEvent,
        events::ProviderAccountMappedEvent,
        subscription_events::SubscriptionChangedEvent,
        subscription_events::SubscriptionSyncFinishedEvent,
        subscription_events::SubscriptionSyncFailedEvent,
        subscription_events::ExceptionRaisedEvent,
        consent_events::ConsentLapsingEvent,
        consent_events::ConsentLostEvent,
    )),
    tags(
        (name = "Provider Accounts", description = "Customers as the providers know them, and their mapping to accounts."),
        (name = "Matching", description = "Plans of auto-match: look, apply, undo."),
        (name = "Accounts", description = "Customer accounts in Dynamics 365."),
        (name = "Billing Contracts", description = "Containers of an account's subscriptions for billing."),
        (name = "Subscriptions", description = "What customers hold at providers, its syncs and its change log."),
        (name = "Exceptions", description = "What will break billing later, and how to mend it."),
        (name = "Providers", description = "Connected sources of cloud subscriptions."),
        (name = "Jobs", description = "Background work."),
        (name = "Triggers", description = "Telling flows of events."),
        (name = "Settings", description = "What operators change at run time."),
        (name = "API Keys", description = "Credentials of callers."),
        (name = "Webhooks", description = "What Dynamics posts."),
        (name = "Service", description = "Health, metrics and descriptions."),
    ),
)]
struct Skeleton;

/// The OpenAPI document.
#[must_use]
pub fn openapi() -> Value {
    let mut document = collect();
    common::finish(&mut document);
    power_platform::finish(&mut document);
    in_one_order(document)
}

/// Extensions come out of a hash map: they are put last and sorted, so that the same code always gives the same document.
fn in_one_order(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let (mut extensions, plain): (Vec<_>, Vec<_>) = members
                .into_iter()
                .partition(|(name, _)| name.starts_with("x-"));
            extensions.sort_by(|one, other| one.0.cmp(&other.0));
            let ordered = plain.into_iter().chain(extensions);
            Value::Object(
                ordered
                    .map(|(name, value)| (name, in_one_order(value)))
                    .collect(),
            )
        }
        Value::Array(items) => Value::Array(items.into_iter().map(in_one_order).collect()),
        other => other,
    }
}

/// What the annotations say.
fn collect() -> Value {
    let (_, document) = App::new()
        .into_utoipa_app()
        .openapi(Skeleton::openapi())
        .configure(routes)
        .split_for_parts();
    serde_json::to_value(document).unwrap_or_default()
}

/// One operation of the route table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Name of its resource in the route table: the handler's.
    pub resource: String,
    /// `operationId`: the same in PascalCase.
    pub id: String,
    /// HTTP method, in capitals.
    pub method: String,
    /// Path with its parameters in braces.
    pub path: String,
    /// Names of its query parameters.
    pub query: Vec<String>,
}

fn query_parameters(operation: &Value) -> Vec<String> {
    let parameters = operation.get("parameters").and_then(Value::as_array);
    let text = |parameter: &Value, key: &str| {
        let value = parameter.get(key).and_then(Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    parameters
        .into_iter()
        .flatten()
        .filter(|parameter| text(parameter, "in") == "query")
        .map(|parameter| text(parameter, "name"))
        .collect()
}

/// Every operation of the route table.
#[derive(Debug, Clone)]
pub struct Operations(Vec<Operation>);

impl Operations {
    /// Reads the route table.
    #[must_use]
    pub fn of_routes() -> Self {
        let document = collect();
        let mut operations = Vec::new();
        for (path, item) in document
            .get("paths")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            for (method, operation) in item.as_object().into_iter().flatten() {
                let Some(name) = operation.get("operationId").and_then(Value::as_str) else {
                    continue;
                };
                operations.push(Operation {
                    resource: name.to_owned(),
                    id: common::pascal_case(name),
                    method: method.to_uppercase(),
                    path: path.clone(),
                    query: query_parameters(operation),
                });
            }
        }
        Self(operations)
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = &Operation> {
        self.0.iter()
    }
}
