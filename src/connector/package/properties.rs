//! `apiProperties.json` in its variants: how a connection is made, and the policies that the gateway applies. An operation
//! that pages gets the policy that keeps the next page's address behind the gateway (without it the second page is fetched
//! without credentials).

use serde_json::{Map, Value, json};

use super::BRAND_COLOUR;
use super::connection::{self, EntraConnection};

/// The variant to certify: who publishes the connector, who owns the service behind it, and a choice of ways to sign in,
/// which the platform offers for certified connectors alone.
#[must_use]
pub fn certified(definition: &Value, entra: &EntraConnection) -> Value {
    let mut properties = common(definition);
    properties.insert("stackOwner".to_owned(), json!(publisher(definition)));
    properties.insert(
        "connectionParameterSets".to_owned(),
        connection::choice(definition, entra),
    );
    json!({ "properties": properties })
}

/// A custom connector whose connections hold an API key. It may not name a stack owner.
#[must_use]
pub fn with_api_key(definition: &Value) -> Value {
    let mut properties = common(definition);
    properties.insert(
        "connectionParameters".to_owned(),
        connection::api_key(definition),
    );
    json!({ "properties": properties })
}

/// A custom connector whose connections sign in at Entra.
#[must_use]
pub fn with_entra(definition: &Value, entra: &EntraConnection) -> Value {
    let mut properties = common(definition);
    properties.insert("connectionParameters".to_owned(), connection::entra(entra));
    json!({ "properties": properties })
}

fn common(definition: &Value) -> Map<String, Value> {
    let members = [
        ("publisher", json!(publisher(definition))),
        ("iconBrandColor", json!(BRAND_COLOUR)),
        ("capabilities", json!([])),
        (
            "policyTemplateInstances",
            json!(paging_policies(definition)),
        ),
    ];
    members
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// The publisher: whoever the document names as its contact.
#[must_use]
pub fn publisher(definition: &Value) -> &str {
    definition
        .pointer("/info/contact/name")
        .and_then(Value::as_str)
        .unwrap_or_default()
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
    fn only_the_variant_to_certify_names_a_stack_owner_and_offers_a_choice() {
        let (definition, entra) = (definition(), EntraConnection::placeholder());
        let certified = certified(&definition, &entra);
        assert_eq!(certified["properties"]["stackOwner"], "Contoso");
        let sets = &certified["properties"]["connectionParameterSets"]["values"];
        assert_eq!(sets.as_array().unwrap().len(), 2);
        for deployed in [with_api_key(&definition), with_entra(&definition, &entra)] {
            let properties = deployed["properties"].as_object().unwrap();
            assert!(!properties.contains_key("stackOwner"));
            assert!(!properties.contains_key("connectionParameterSets"));
            assert_eq!(
                properties["policyTemplateInstances"]
                    .as_array()
                    .unwrap()
                    .len(),
                2
            );
        }
    }
}
