//! `apiProperties.json`: how a connection is made, and the policies that the gateway applies. Both follow from the
//! definition: a scheme with a key asks the maker for that key, and an operation that pages gets the policy that keeps the
//! next page's address behind the gateway (without it the second page is fetched without credentials).

use serde_json::{Map, Value, json};

use super::BRAND_COLOUR;

/// The variant to certify: who publishes the connector, and who owns the service behind it.
#[must_use]
pub fn certified(definition: &Value) -> Value {
    let mut properties = deployed(definition);
    let publisher = publisher(definition);
    if let Some(properties) = properties
        .pointer_mut("/properties")
        .and_then(Value::as_object_mut)
    {
        properties.insert("stackOwner".to_owned(), json!(publisher));
    }
    properties
}

/// The variant to deploy as a custom connector, which may not name a stack owner.
#[must_use]
pub fn deployed(definition: &Value) -> Value {
    json!({
        "properties": {
            "publisher": publisher(definition),
            "iconBrandColor": BRAND_COLOUR,
            "capabilities": [],
            "connectionParameters": connection_parameters(definition),
            "policyTemplateInstances": paging_policies(definition),
        }
    })
}

/// The publisher: whoever the document names as its contact.
#[must_use]
pub fn publisher(definition: &Value) -> &str {
    definition
        .pointer("/info/contact/name")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn connection_parameters(definition: &Value) -> Value {
    let mut parameters = Map::new();
    let schemes = definition
        .get("securityDefinitions")
        .and_then(Value::as_object);
    for (name, scheme) in schemes.into_iter().flatten() {
        if scheme.get("type").and_then(Value::as_str) == Some("apiKey") {
            let name: String = name
                .chars()
                .map(|letter| {
                    if letter.is_ascii_alphanumeric() {
                        letter
                    } else {
                        '_'
                    }
                })
                .collect();
            parameters.insert(name, key_parameter(scheme));
        }
    }
    Value::Object(parameters)
}

fn key_parameter(scheme: &Value) -> Value {
    let header = scheme
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    json!({
        "type": "securestring",
        "uiDefinition": {
            "displayName": "API key",
            "description": format!(
                "The key of this connection, as `provider-bridge api-keys create` printed it. It is sent in the header {header}."
            ),
            "tooltip": "Ask the administrator of your Provider Bridge for a key with the roles that your flows need",
            "constraints": { "tabIndex": 2, "clearText": false, "required": "true" },
        },
    })
}

/// One policy for each name that a next link goes by, over all operations that page by it.
fn paging_policies(definition: &Value) -> Vec<Value> {
    let mut by_link: Vec<(&str, Vec<&str>)> = Vec::new();
    for operation in super::operations(definition) {
        let link = operation
            .pointer("/x-ms-pageable/nextLinkName")
            .and_then(Value::as_str);
        let id = operation.get("operationId").and_then(Value::as_str);
        if let (Some(link), Some(id)) = (link, id) {
            match by_link.iter_mut().find(|(known, _)| *known == link) {
                Some((_, ids)) => ids.push(id),
                None => by_link.push((link, vec![id])),
            }
        }
    }
    by_link
        .into_iter()
        .map(|(link, ids)| {
            json!({
                "templateId": "updatenextlink",
                "title": format!("Fetch {link} through the gateway"),
                "parameters": {
                    "x-ms-apimTemplateParameter.nextLinkPropertyName": link,
                    "x-ms-apimTemplate-operationName": ids,
                },
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition() -> Value {
        let paged = |id: &str, link: &str| json!({ "operationId": id, "x-ms-pageable": { "nextLinkName": link } });
        json!({
            "info": { "contact": { "name": "Contoso" } },
            "paths": {
                "/a": { "get": paged("ListA", "@odata.nextLink"), "post": { "operationId": "MakeA" } },
                "/b": { "get": paged("ListB", "@odata.nextLink") },
                "/c": { "get": paged("ListC", "nextLink") },
            },
            "securityDefinitions": {
                "api-key": { "type": "apiKey", "in": "header", "name": "X-Api-Key" },
                "login": { "type": "basic" },
            },
        })
    }

    #[test]
    fn every_operation_that_pages_has_the_policy_for_its_link() {
        let policies: Vec<Value> = paging_policies(&definition());
        let named: Vec<(&str, &Value)> = policies
            .iter()
            .map(|policy| {
                let parameters = &policy["parameters"];
                let link = parameters["x-ms-apimTemplateParameter.nextLinkPropertyName"].as_str();
                (
                    link.unwrap(),
                    &parameters["x-ms-apimTemplate-operationName"],
                )
            })
            .collect();
        assert_eq!(
            named,
            [
                ("@odata.nextLink", &json!(["ListA", "ListB"])),
                ("nextLink", &json!(["ListC"])),
            ]
        );
    }

    #[test]
    fn a_connection_asks_for_the_key_of_each_scheme_that_has_one() {
        let parameters = connection_parameters(&definition());
        assert_eq!(parameters.as_object().unwrap().len(), 1);
        assert_eq!(parameters["api_key"]["type"], "securestring");
        let asked = parameters["api_key"]["uiDefinition"]["description"]
            .as_str()
            .unwrap();
        assert!(asked.contains("X-Api-Key"), "{asked}");
    }

    #[test]
    fn only_the_variant_to_certify_names_a_stack_owner() {
        assert_eq!(
            certified(&definition())["properties"]["stackOwner"],
            "Contoso"
        );
        assert_eq!(
            deployed(&definition())["properties"].get("stackOwner"),
            None
        );
    }
}
