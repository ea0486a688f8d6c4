//! What is the same for every operation: ids in PascalCase, the problems anything can end in, the credential, the headers
//! every call takes.

use serde_json::{Map, Value, json};

use crate::http::gate::PUBLIC_OPERATIONS;
use crate::http::idempotency::LONGEST_KEY;

/// `get_provider_account` as `GetProviderAccount`.
pub fn pascal_case(name: &str) -> String {
    name.split('_')
        .map(|word| {
            let mut chars = word.chars();
            chars
                .next()
                .map(|first| first.to_uppercase().chain(chars).collect::<String>())
                .unwrap_or_default()
        })
        .collect()
}

/// Calls `change` with path, method and operation of every operation.
pub fn each_operation(
    document: &mut Value,
    mut change: impl FnMut(&str, &str, &mut Map<String, Value>),
) {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    for (path, item) in paths.into_iter().flatten() {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            if let Some(operation) = operation
                .as_object_mut()
                .filter(|it| it.contains_key("operationId"))
            {
                change(path, method, operation);
            }
        }
    }
}

/// Adds it all.
pub fn finish(document: &mut Value) {
    each_operation(document, |path, method, operation| {
        let id = operation
            .get("operationId")
            .and_then(Value::as_str)
            .map(pascal_case)
            .unwrap_or_default();
        let public = PUBLIC_OPERATIONS.iter().any(|(_, _, public)| *public == id);
        operation.insert("operationId".to_owned(), json!(id));
        if public {
            operation.insert("security".to_owned(), json!([]));
        } else if path.starts_with("/v1/") && method != "get" {
            idempotency_key(operation);
        }
        if path.starts_with("/v1/") && operation.contains_key("requestBody") {
            body_refusals(operation);
        }
        responses(operation, public);
    });
    if let Some(document) = document.as_object_mut() {
        document.insert(
            "security".to_owned(),
            json!([{ "ApiKey": [] }, { "Entra": [SCOPE] }]),
        );
    }
    if let Some(components) = document
        .get_mut("components")
        .and_then(Value::as_object_mut)
    {
        components.insert("securitySchemes".to_owned(), security_schemes());
    }
}

/// What every operation takes that changes something for a caller (decision 10). Public ones have no caller whose key it
/// could be.
fn idempotency_key(operation: &mut Map<String, Value>) {
    let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
    if let Some(parameters) = parameters.as_array_mut() {
        parameters.push(json!({
            "name": "Idempotency-Key",
            "in": "header",
            "description": "A text of your choice, new for each thing you want done; for 24 hours a repeated call with the \
                            same text gets the first answer again, with the header Idempotency-Replayed.",
            "required": false,
            "schema": { "type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[!-~]+$" },
        }));
    }
    let refusals = [
        (
            "409",
            "The first call with this Idempotency-Key still runs.",
        ),
        ("422", "This Idempotency-Key was used with another request."),
    ];
    if let Some(responses) = operation
        .get_mut("responses")
        .and_then(Value::as_object_mut)
    {
        for (status, description) in refusals {
            responses
                .entry(status)
                .or_insert_with(|| json!({ "description": description }));
        }
    }
}

/// What any body can be refused for.
fn body_refusals(operation: &mut Map<String, Value>) {
    let refusals = [
        (
            "413",
            "The body is larger than allowed; the detail says how large it may be.",
        ),
        (
            "415",
            "The body is not JSON, or its Content-Type does not say so.",
        ),
    ];
    let responses = operation.get_mut("responses");
    let Some(responses) = responses.and_then(Value::as_object_mut) else {
        return;
    };
    for (status, description) in refusals {
        responses
            .entry(status)
            .or_insert_with(|| json!({ "description": description }));
    }
}

/// The request's line and headers are too large: refused before anything of ours sees it, so without a problem.
const TOO_LARGE: &str = "431";

/// What users' tokens must be for; the first of `callers.scopes` as it comes.
const SCOPE: &str = "access_as_user";

/// An API key, or a token of Entra. Which tenant and which application a deployment trusts is in its settings, so the URLs
/// here are those for any organisation.
fn security_schemes() -> Value {
    let entra = "https://login.microsoftonline.com/organizations/oauth2/v2.0";
    json!({
        "ApiKey": {
            "type": "apiKey",
            "in": "header",
            "name": "X-Api-Key",
            "description": "An API key of this deployment.",
        },
        "Entra": {
            "type": "oauth2",
            "description": "A bearer token of Microsoft Entra for this deployment's app registration: of a user with one of \
                            its roles and a scope, or of an application with one of its roles.",
            "flows": { "authorizationCode": {
                "authorizationUrl": format!("{entra}/authorize"),
                "tokenUrl": format!("{entra}/token"),
                "refreshUrl": format!("{entra}/token"),
                "scopes": { SCOPE: "Call as the signed-in user, with the user's roles." },
            }},
        },
    })
}

/// The problems that any call can end in, beside those the operation names.
fn responses(operation: &mut Map<String, Value>, public: bool) {
    let everywhere = [
        (
            "400",
            "The request cannot be understood; the detail says why.",
        ),
        ("401", "The credential is missing or not valid."),
        (
            "403",
            "The caller lacks a role; the detail names the roles that would do.",
        ),
        (
            "429",
            "Too many requests; Retry-After says when to come back.",
        ),
        (
            "503",
            "This service, or one behind it, is not available; Retry-After says when to come back.",
        ),
    ];
    let Some(responses) = operation
        .get_mut("responses")
        .and_then(Value::as_object_mut)
    else {
        return;
    };
    for (status, description) in everywhere {
        if !public {
            responses
                .entry(status)
                .or_insert_with(|| json!({ "description": description }));
        }
    }
    let too_large = json!({ "description": "Path, query and headers are too large together; there is no body." });
    responses.insert(TOO_LARGE.to_owned(), too_large);
    for (status, response) in responses.iter_mut() {
        let Some(response) = response
            .as_object_mut()
            .filter(|_| status.starts_with(['4', '5']) && status != TOO_LARGE)
        else {
            continue;
        };
        let problem = json!({ "schema": { "$ref": "#/components/schemas/Problem" } });
        response.insert(
            "content".to_owned(),
            json!({ "application/problem+json": problem }),
        );
        if matches!(status.as_str(), "429" | "503") {
            let seconds =
                json!({ "description": "Seconds to wait.", "schema": { "type": "integer" } });
            response.insert("headers".to_owned(), json!({ "Retry-After": seconds }));
        }
    }
    responses.sort_keys();
}

#[cfg(test)]
mod tests {
    use super::pascal_case;

    #[test]
    fn handler_names_become_operation_ids() {
        assert_eq!(pascal_case("list_api_keys"), "ListApiKeys");
    }
}
