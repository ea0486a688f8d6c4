//! What Power Platform wants to know beyond OpenAPI: names for people on everything, what to hide, pickers instead of ids
//! (`x-ms-*`, research of the connector formats). The lowering to Swagger 2.0 takes these along as they are.

use serde_json::{Map, Value, json};

use super::common::each_operation;

/// Parameters whose values are picked from a list: name, operation that lists, value, title.
const PICKERS: [(&str, &str, &str, &str); 4] = [
    ("providerId", "ListProviders", "providerId", "name"),
    ("provider", "ListProviders", "providerId", "name"),
    (
        "providerAccountId",
        "ListProviderAccounts",
        "providerAccountId",
        "name",
    ),
    (
        "billingContractId",
        "ListBillingContracts",
        "billingContractId",
        "name",
    ),
];

/// What triggers deliver: path, schema, description.
const NOTIFICATIONS: [(&str, &str, &str); 8] = [
    (
        "/v1/triggers/subscription-changed",
        "SubscriptionChangedEvent",
        "The subscription, and what changed.",
    ),
    (
        "/v1/triggers/subscription-sync-finished",
        "SubscriptionSyncFinishedEvent",
        "How the sync ended.",
    ),
    (
        "/v1/triggers/subscription-sync-failed",
        "SubscriptionSyncFailedEvent",
        "How the sync ended, and why.",
    ),
    (
        "/v1/triggers/exception-raised",
        "ExceptionRaisedEvent",
        "The exception.",
    ),
    (
        "/v1/triggers/new-provider-account",
        "ProviderAccountCreatedEvent",
        "The provider account that was created.",
    ),
    (
        "/v1/triggers/provider-account-mapped",
        "ProviderAccountMappedEvent",
        "The provider account that was mapped, and its account.",
    ),
    (
        "/v1/triggers/consent-lapsing",
        "ConsentLapsingEvent",
        "What lapses, and when.",
    ),
    (
        "/v1/triggers/consent-lost",
        "ConsentLostEvent",
        "What was lost, and why.",
    ),
];

/// Parameters that only few need.
const ADVANCED: [&str; 3] = ["$top", "If-Match", "Idempotency-Key"];
/// Parameters that only the platform itself sends.
const INTERNAL: [&str; 2] = ["$skiptoken", "token"];
/// Parameters whose names say less to people than to programs.
const SUMMARIES: [(&str, &str); 6] = [
    ("$top", "Most Rows"),
    ("search", "Search Text"),
    ("state", "In State"),
    ("missing", "Only Missing"),
    ("withRetired", "Also Retired"),
    ("If-Match", "Version Last Read (ETag)"),
];
/// Words that are not simply capitalised.
const SPELLINGS: [(&str, &str); 5] = [
    ("id", "ID"),
    ("api", "API"),
    ("url", "URL"),
    ("odata", ""),
    ("etag", "ETag"),
];

/// What certification wants to know of whoever stands behind the connector.
const PUBLIC_FACTS: [(&str, &str); 3] = [
    ("Website", "https://provider-bridge.example"),
    ("Privacy policy", "https://provider-bridge.example/privacy"),
    ("Categories", "Business Management;Finance"),
];

/// What a maker does to see a trigger fire.
const TRIGGER_HINT: &str = "To see it work now, make it happen in a test environment, or use the action that sends a test event.";

/// Adds it all.
pub fn finish(document: &mut Value) {
    if let Some(document) = document.as_object_mut() {
        let facts = PUBLIC_FACTS
            .map(|(name, value)| json!({ "propertyName": name, "propertyValue": value }));
        document.insert("x-ms-connector-metadata".to_owned(), json!(facts));
        // A connection is tested with the cheapest call that every role may make.
        let test =
            json!({ "testConnection": { "operationId": "ListProviders", "parameters": {} } });
        document.insert("x-ms-capabilities".to_owned(), test);
    }
    each_operation(document, |_, _, operation| {
        annotate(operation);
        let parameters = operation
            .get_mut("parameters")
            .and_then(Value::as_array_mut);
        for parameter in parameters
            .into_iter()
            .flatten()
            .filter_map(Value::as_object_mut)
        {
            parameter_hints(parameter);
        }
    });
    notifications(document);
    let schemas = document
        .pointer_mut("/components/schemas")
        .and_then(Value::as_object_mut);
    for (_, schema) in schemas.into_iter().flatten() {
        property_hints(schema);
    }
}

/// Tags of what the platform never calls: health, metrics, documents, and what Dynamics posts.
const NOT_FOR_FLOWS: [&str; 2] = ["Service", "Webhooks"];

fn notifications(document: &mut Value) {
    for (path, schema, description) in NOTIFICATIONS {
        let item = document
            .get_mut("paths")
            .and_then(|paths| paths.get_mut(path));
        if let Some(item) = item.and_then(Value::as_object_mut) {
            let schema = json!({ "$ref": format!("#/components/schemas/{schema}") });
            let content = json!({ "description": description, "schema": schema });
            item.insert("x-ms-notification-content".to_owned(), content);
        }
    }
}

fn annotate(operation: &mut Map<String, Value>) {
    if operation.contains_key("x-ms-trigger") {
        operation.insert("x-ms-trigger-hint".to_owned(), json!(TRIGGER_HINT));
    }
    let tags = operation.get("tags").and_then(Value::as_array);
    let not_for_flows = |tag: &Value| tag.as_str().is_some_and(|tag| NOT_FOR_FLOWS.contains(&tag));
    if tags.is_some_and(|tags| tags.iter().any(not_for_flows)) {
        operation.insert("x-connector-exclude".to_owned(), json!(true));
    }
    let family = operation.get("operationId").cloned().unwrap_or_default();
    operation
        .entry("x-ms-api-annotation")
        .or_insert_with(|| json!({ "family": family, "revision": 1, "status": "Production" }));
}

fn parameter_hints(parameter: &mut Map<String, Value>) {
    let name = parameter
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    parameter
        .entry("x-ms-summary")
        .or_insert_with(|| json!(summary(&name)));
    // A parameter of a closed list has its description on the list.
    let of_schema = parameter
        .get("schema")
        .and_then(|schema| schema.get("description"));
    if let Some(description) = of_schema.cloned() {
        parameter.entry("description").or_insert(description);
    }
    if parameter.get("in").and_then(Value::as_str) == Some("path") {
        parameter.insert("x-ms-url-encoding".to_owned(), json!("single"));
    }
    let visibility = if INTERNAL.contains(&name.as_str()) {
        Some("internal")
    } else if ADVANCED.contains(&name.as_str()) {
        Some("advanced")
    } else {
        None
    };
    if let Some(visibility) = visibility {
        parameter
            .entry("x-ms-visibility")
            .or_insert_with(|| json!(visibility));
    }
    picker(&name, parameter);
}

fn summary(name: &str) -> String {
    let known = SUMMARIES.iter().find(|(parameter, _)| *parameter == name);
    known.map_or_else(|| title_case(name), |(_, summary)| (*summary).to_owned())
}

/// The picker for ids of this name, in both forms the platform knows: the newer one also works inside bodies.
fn picker(name: &str, target: &mut Map<String, Value>) {
    let Some((_, operation, value, title)) = PICKERS.iter().find(|(known, ..)| *known == name)
    else {
        return;
    };
    target.entry("x-ms-dynamic-values").or_insert_with(|| {
        json!({
            "operationId": operation,
            "value-collection": "value",
            "value-path": value,
            "value-title": title,
        })
    });
    target.entry("x-ms-dynamic-list").or_insert_with(|| {
        json!({
            "operationId": operation,
            "itemsPath": "value",
            "itemValuePath": value,
            "itemTitlePath": title,
        })
    });
}

/// Names for people on every property, at every depth. A bare reference is left alone: it takes no siblings in Swagger 2.0.
fn property_hints(schema: &mut Value) {
    let Some(schema) = schema.as_object_mut() else {
        return;
    };
    for (name, property) in schema
        .get_mut("properties")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flatten()
    {
        if let Some(property) = property
            .as_object_mut()
            .filter(|it| !it.contains_key("$ref"))
        {
            property
                .entry("x-ms-summary")
                .or_insert_with(|| json!(title_case(name)));
        }
        property_hints(property);
    }
    if let Some(items) = schema.get_mut("items") {
        property_hints(items);
    }
}

/// `providerAccountId` as `Provider Account ID`, `If-Match` as `If Match`, `@odata.nextLink` as `Next Link`.
fn title_case(name: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut fresh = true;
    for char in name.chars() {
        if !char.is_alphanumeric() {
            fresh = true;
            continue;
        }
        if fresh || char.is_uppercase() {
            words.push(String::new());
        }
        fresh = false;
        if let Some(word) = words.last_mut() {
            word.extend(char.to_lowercase());
        }
    }
    let spelled = words.iter().map(|word| {
        let known = SPELLINGS
            .iter()
            .find(|(plain, _)| plain == word)
            .map(|(_, spelling)| (*spelling).to_owned());
        known.unwrap_or_else(|| super::common::pascal_case(word))
    });
    spelled
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::title_case;

    #[test]
    fn names_read_as_people_write_them() {
        for (name, title) in [
            ("providerAccountId", "Provider Account ID"),
            ("If-Match", "If Match"),
            ("$top", "Top"),
            ("@odata.nextLink", "Next Link"),
            ("apiKey", "API Key"),
        ] {
            assert_eq!(title_case(name), title);
        }
    }
}
