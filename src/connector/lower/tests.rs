//! Each rule of the lowering on a document as small as it gets.

use serde_json::{Value, json};

use super::*;

/// A document with one operation that answers with `schema`, and these component schemas.
fn answering(schema: Value, schemas: Value) -> Value {
    document(
        json!({ "get": {
            "operationId": "GetIt",
            "responses": { "200": {
                "description": "It.",
                "content": { "application/json": { "schema": schema } },
            } },
        } }),
        schemas,
    )
}

fn document(item: Value, schemas: Value) -> Value {
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Small", "version": "1" },
        "paths": { "/it": item },
        "components": { "schemas": schemas },
    })
}

fn lowered(document: &Value) -> Value {
    lower(document, &Host::placeholder()).unwrap()
}

fn refused(document: &Value) -> LowerError {
    lower(document, &Host::placeholder()).unwrap_err()
}

/// What becomes of a schema, in a document with these others.
fn schema_with(schema: Value, schemas: Value) -> Value {
    lowered(&answering(schema, schemas))["paths"]["/it"]["get"]["responses"]["200"]["schema"]
        .clone()
}

fn schema(schema: Value) -> Value {
    schema_with(schema, json!({}))
}

fn refused_schema(schema: Value) -> LowerError {
    refused(&answering(schema, json!({})))
}

#[test]
fn null_among_the_types_becomes_x_nullable() {
    assert_eq!(
        schema(json!({ "type": ["integer", "null"], "format": "int64", "default": null })),
        json!({ "type": "integer", "x-nullable": true, "format": "int64" })
    );
}

#[test]
fn two_types_are_refused_with_the_place() {
    let error = refused_schema(json!({ "type": ["integer", "string"] }));
    assert_eq!(
        error.pointer,
        "/paths/~1it/get/responses/200/content/application~1json/schema/type"
    );
}

#[test]
fn a_reference_to_an_object_stays_one_and_is_defined() {
    let document = answering(
        json!({ "type": "array", "items": { "$ref": "#/components/schemas/Inner" } }),
        json!({
            "Unused": { "type": "object" },
            "Inner": { "type": "object", "properties": { "a": { "$ref": "#/components/schemas/Deep" } } },
            "Deep": { "type": "object" },
        }),
    );
    let swagger = lowered(&document);
    assert_eq!(
        swagger["paths"]["/it"]["get"]["responses"]["200"]["schema"]["items"],
        json!({ "$ref": "#/definitions/Inner" })
    );
    let defined: Vec<&String> = swagger["definitions"].as_object().unwrap().keys().collect();
    assert_eq!(defined, ["Inner", "Deep"]);
}

#[test]
fn a_reference_with_words_beside_it_is_put_in_place_under_those_words() {
    let schemas = json!({ "State": { "type": "string", "description": "General.", "enum": ["in-progress"] } });
    assert_eq!(
        schema_with(
            json!({ "$ref": "#/components/schemas/State", "description": "Particular." }),
            schemas
        ),
        json!({
            "type": "string",
            "description": "Particular.",
            "enum": ["in-progress"],
            "x-ms-enum-values": [{ "value": "in-progress", "displayName": "In progress" }],
        })
    );
}

#[test]
fn a_reference_that_may_be_null_is_put_in_place_as_nullable() {
    let schemas = json!({ "Inner": { "type": "object", "properties": {} } });
    let reference = json!({ "$ref": "#/components/schemas/Inner", "description": "Perhaps." });
    for keyword in ["oneOf", "anyOf"] {
        assert_eq!(
            schema_with(
                json!({ keyword: [reference, { "type": "null" }] }),
                schemas.clone()
            ),
            json!({ "type": "object", "properties": {}, "description": "Perhaps.", "x-nullable": true })
        );
    }
}

#[test]
fn a_schema_that_contains_itself_stays_a_reference_but_cannot_carry_words() {
    let tree = |beside: &str| {
        let mut child = json!({ "$ref": "#/components/schemas/Tree" });
        if !beside.is_empty() {
            child["description"] = json!(beside);
        }
        json!({ "Tree": { "type": "object", "properties": { "child": child } } })
    };
    let root = json!({ "$ref": "#/components/schemas/Tree" });
    assert_eq!(
        lowered(&answering(root.clone(), tree("")))["definitions"]["Tree"]["properties"]["child"],
        json!({ "$ref": "#/definitions/Tree" })
    );
    let error = refused(&answering(root, tree("The next one.")));
    assert!(error.problem.contains("`Tree` contains itself"), "{error}");
}

#[test]
fn a_reference_that_leads_nowhere_is_refused() {
    for reference in [
        "#/components/schemas/Missing",
        "other.json#/A",
        "#/components/responses/A",
    ] {
        let error = refused_schema(json!({ "$ref": reference }));
        assert!(error.problem.contains(reference), "{error}");
    }
}

#[test]
fn a_constant_becomes_an_enumeration_of_one() {
    assert_eq!(
        schema(json!({ "const": 3 })),
        json!({ "enum": [3], "type": "integer" })
    );
}

#[test]
fn a_list_of_constants_becomes_an_enumeration_with_their_titles() {
    assert_eq!(
        schema(
            json!({ "oneOf": [{ "const": "a", "title": "Alpha" }, { "const": "by-id" }, { "type": "null" }] })
        ),
        json!({
            "x-nullable": true,
            "enum": ["a", "by-id"],
            "x-ms-enum-values": [
                { "value": "a", "displayName": "Alpha" },
                { "value": "by-id", "displayName": "By ID" },
            ],
            "type": "string",
        })
    );
}

#[test]
fn real_alternatives_are_refused() {
    let error = refused_schema(json!({ "anyOf": [{ "type": "string" }, { "type": "integer" }] }));
    assert!(error.pointer.ends_with("/schema/anyOf"), "{error}");
}

#[test]
fn all_parts_of_a_combination_become_one_object() {
    let schemas = json!({ "Base": {
        "type": "object",
        "required": ["a"],
        "properties": { "a": { "type": "string" } },
    } });
    let combined = schema_with(
        json!({
            "description": "Both.",
            "allOf": [
                { "$ref": "#/components/schemas/Base" },
                { "type": "object", "required": ["b"], "properties": { "b": { "type": "boolean" } } },
            ],
        }),
        schemas,
    );
    assert_eq!(
        combined,
        json!({
            "type": "object",
            "required": ["a", "b"],
            "properties": {
                "a": { "type": "string", "x-ms-summary": "A" },
                "b": { "type": "boolean", "x-ms-summary": "B" },
            },
            "description": "Both.",
        })
    );
}

#[test]
fn parts_that_disagree_are_refused() {
    let part = |kind: &str| json!({ "type": "object", "properties": { "a": { "type": kind } } });
    let error = refused_schema(json!({ "allOf": [part("string"), part("integer")] }));
    assert!(error.pointer.ends_with("/schema/allOf/1"), "{error}");
    assert!(error.problem.contains("`a`"), "{error}");
}

#[test]
fn an_exclusive_limit_becomes_a_flag_beside_the_tighter_limit() {
    assert_eq!(
        schema(
            json!({ "type": "integer", "minimum": 0, "exclusiveMinimum": 1, "maximum": 9, "exclusiveMaximum": 12 })
        ),
        json!({ "type": "integer", "minimum": 1, "exclusiveMinimum": true, "maximum": 9 })
    );
    assert_eq!(
        schema(json!({ "type": "number", "exclusiveMaximum": 0.5 })),
        json!({ "type": "number", "maximum": 0.5, "exclusiveMaximum": true })
    );
}

#[test]
fn the_first_example_is_kept_and_remarks_are_not() {
    assert_eq!(
        schema(json!({
            "type": "object",
            "examples": [{ "a": 1 }, {}],
            "propertyNames": { "type": "string" },
            "additionalProperties": { "type": ["string", "null"] },
        })),
        json!({
            "type": "object",
            "example": { "a": 1 },
            "additionalProperties": { "type": "string", "x-nullable": true },
        })
    );
}

#[test]
fn a_format_the_platform_does_not_know_is_left_out() {
    assert_eq!(
        schema(json!({ "type": "string", "format": "uuid" }))["format"],
        "uuid"
    );
    assert_eq!(
        schema(json!({ "type": "integer", "format": "uint32" })),
        json!({ "type": "integer" })
    );
}

#[test]
fn a_keyword_without_counterpart_is_refused() {
    let error = refused_schema(json!({ "type": "object", "patternProperties": {} }));
    assert!(
        error.pointer.ends_with("/schema/patternProperties"),
        "{error}"
    );
}

#[test]
fn properties_keep_their_order_and_get_names_for_people() {
    let properties = schema(json!({ "properties": {
        "zebra": { "type": "string", "title": "The zebra" },
        "accountId": { "type": "string", "x-ms-summary": "Account" },
        "tenantId": { "type": ["string", "null"] },
    } }));
    assert_eq!(properties["type"], "object");
    let names: Vec<(&String, &str)> = properties["properties"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, property)| (name, property["x-ms-summary"].as_str().unwrap()))
        .collect();
    assert_eq!(
        format!("{names:?}"),
        r#"[("zebra", "The zebra"), ("accountId", "Account"), ("tenantId", "Tenant ID")]"#
    );
}

mod operations;
