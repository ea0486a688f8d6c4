//! Rules about operations, parameters, answers and credentials.

use super::*;

/// The one operation of `/it`, given these members besides its id and an answer.
fn operation(method: &str, members: Value) -> Value {
    let mut operation = json!({
        "operationId": "DoIt",
        "responses": { "204": { "description": "Done." } },
    });
    operation
        .as_object_mut()
        .unwrap()
        .extend(members.as_object().unwrap().clone());
    document(json!({ method: operation }), json!({}))
}

fn parameter(parameter: Value) -> Value {
    let swagger = lowered(&operation("get", json!({ "parameters": [parameter] })));
    swagger["paths"]["/it"]["get"]["parameters"][0].clone()
}

fn responses(responses: Value) -> Value {
    lowered(&operation("post", json!({ "responses": responses })))["paths"]["/it"]["post"]["responses"].clone()
}

fn json_answer(description: &str, kind: &str) -> Value {
    json!({
        "description": description,
        "content": { "application/json": { "schema": { "type": kind } } },
    })
}

#[test]
fn a_parameter_carries_its_type_and_the_extensions_of_its_schema() {
    assert_eq!(
        parameter(json!({
            "name": "$top", "in": "query", "description": "How many.", "required": false,
            "schema": { "type": ["integer", "null"], "format": "int32", "minimum": 1, "default": 50,
                        "x-ms-visibility": "advanced" },
        })),
        json!({
            "name": "$top", "in": "query", "required": false, "description": "How many.",
            "type": "integer", "format": "int32", "minimum": 1, "default": 50,
            "x-ms-visibility": "advanced", "x-ms-summary": "Top",
        })
    );
}

#[test]
fn a_parameter_in_the_path_is_required_and_encoded_once() {
    let lowered = parameter(json!({
        "name": "id", "in": "path", "x-ms-summary": "Job", "schema": { "type": "string", "title": "Other" },
    }));
    assert_eq!(
        lowered,
        json!({
            "name": "id", "in": "path", "required": true, "x-ms-summary": "Job", "type": "string",
            "x-ms-url-encoding": "single",
        })
    );
}

#[test]
fn a_list_in_the_query_repeats_its_parameter_unless_it_says_otherwise() {
    let list = |explode: Value| {
        let mut list = json!({ "name": "state", "in": "query",
            "schema": { "type": "array", "items": { "type": "string" } } });
        if !explode.is_null() {
            list["explode"] = explode;
        }
        parameter(list)["collectionFormat"].clone()
    };
    assert_eq!(list(Value::Null), "multi");
    assert_eq!(list(json!(true)), "multi");
    assert_eq!(list(json!(false)), "csv");
}

#[test]
fn parameters_that_cannot_be_said_are_refused() {
    for (parameter, place) in [
        (
            json!({ "name": "a", "in": "cookie", "schema": { "type": "string" } }),
            "/in",
        ),
        (
            json!({ "name": "a", "in": "query", "schema": { "type": "object" } }),
            "/schema",
        ),
        (
            json!({ "name": "a", "in": "query", "content": {} }),
            "/content",
        ),
        (json!({ "name": "a", "in": "query" }), ""),
    ] {
        let error = refused(&operation("get", json!({ "parameters": [parameter] })));
        assert_eq!(
            error.pointer,
            format!("/paths/~1it/get/parameters/0{place}")
        );
    }
}

#[test]
fn parameters_of_the_path_belong_to_every_operation_and_give_way_to_its_own() {
    let id = |text: &str| {
        json!({ "name": "id", "in": "path", "description": text, "required": true,
                "schema": { "type": "string" } })
    };
    let answer = json!({ "204": { "description": "Done." } });
    let swagger = lowered(&document(
        json!({
            "parameters": [id("Of the path.")],
            "get": { "operationId": "GetIt", "responses": answer },
            "delete": { "operationId": "DropIt", "responses": answer, "parameters": [id("Its own.")] },
        }),
        json!({}),
    ));
    let described = |method: &str| {
        let parameters = &swagger["paths"]["/it"][method]["parameters"];
        assert_eq!(parameters.as_array().unwrap().len(), 1);
        parameters[0]["description"].clone()
    };
    assert_eq!(described("get"), "Of the path.");
    assert_eq!(described("delete"), "Its own.");
}

#[test]
fn a_body_becomes_the_parameter_body() {
    let body = json!({
        "description": "What to do.", "required": true,
        "content": { "application/json": { "schema": { "type": "object" } } },
    });
    let swagger = lowered(&operation("post", json!({ "requestBody": body })));
    assert_eq!(
        swagger["paths"]["/it"]["post"]["parameters"],
        json!([{ "name": "body", "in": "body", "required": true, "description": "What to do.",
                 "schema": { "type": "object" } }])
    );
    let error = refused(&operation("get", json!({ "requestBody": body })));
    assert_eq!(error.pointer, "/paths/~1it/get/requestBody");
    let upload = json!({ "content": { "multipart/form-data": { "schema": {} } } });
    let error = refused(&operation("post", json!({ "requestBody": upload })));
    assert_eq!(error.pointer, "/paths/~1it/post/requestBody/content");
}

#[test]
fn only_the_first_success_keeps_a_schema() {
    assert_eq!(
        responses(json!({
            "201": json_answer("Made.", "object"),
            "200": json_answer("Known.", "string"),
            "404": { "description": "Unknown.",
                     "content": { "application/problem+json": { "schema": { "type": "object" } } } },
            "default": json_answer("Else.", "object"),
        })),
        json!({
            "201": { "description": "Made." },
            "200": { "description": "Known.", "schema": { "type": "string" } },
            "404": { "description": "Unknown." },
            "default": { "description": "Else." },
        })
    );
}

#[test]
fn long_work_declares_the_answer_that_the_platform_polls_for() {
    let mut accepted = json_answer("Accepted.", "object");
    accepted["headers"] =
        json!({ "Location": { "description": "Where.", "schema": { "type": "string" } } });
    let lowered = responses(json!({ "202": accepted }));
    assert_eq!(lowered["200"]["schema"], json!({ "type": "object" }));
    assert_eq!(
        lowered["202"],
        json!({
            "description": "Accepted.",
            "headers": { "Location": { "type": "string", "description": "Where." } },
        })
    );
}

#[test]
fn answers_that_would_make_the_definition_invalid_are_refused() {
    for (answers, place) in [
        (json!({ "200": {} }), "/200"),
        (json!({ "200": { "description": "" } }), "/200"),
        (json!({ "4XX": { "description": "Bad." } }), "/4XX"),
        (json!({}), ""),
        (
            json!({ "200": { "description": "Text.", "content": { "text/csv": {} } } }),
            "/200/content",
        ),
    ] {
        let error = refused(&operation("post", json!({ "responses": answers })));
        assert_eq!(error.pointer, format!("/paths/~1it/post/responses{place}"));
    }
}

#[test]
fn the_content_of_a_notification_moves_to_the_path() {
    let content = |schema: Value| json!({ "description": "An event.", "schema": schema });
    let trigger = json!({
        "x-ms-trigger": "single",
        "x-ms-notification-content": content(json!({ "type": ["string", "null"] })),
    });
    let item = &lowered(&operation("post", trigger.clone()))["paths"]["/it"];
    assert_eq!(
        item["x-ms-notification-content"],
        content(json!({ "type": "string", "x-nullable": true }))
    );
    assert_eq!(item["post"]["x-ms-trigger"], "single");
    assert_eq!(item["post"].get("x-ms-notification-content"), None);

    let mut twice = operation("post", trigger);
    twice["paths"]["/it"]["put"] = twice["paths"]["/it"]["post"].clone();
    assert!(refused(&twice).problem.contains("one trigger"));
}

#[test]
fn an_excluded_operation_is_dropped_and_an_internal_one_is_kept() {
    let mut document = operation("get", json!({ "x-ms-visibility": "internal" }));
    document["paths"]["/hidden"] = json!({ "get": { "x-connector-exclude": true } });
    let swagger = lowered(&document);
    assert_eq!(
        swagger["paths"]["/it"]["get"]["x-ms-visibility"],
        "internal"
    );
    assert_eq!(swagger["paths"].get("/hidden"), None);
}

#[test]
fn credentials_that_no_connection_can_hold_are_left_out() {
    let mut document = operation(
        "get",
        json!({ "security": [{ "key": [] }, { "session": [] }] }),
    );
    document["security"] = json!([{ "key": [] }]);
    document["components"]["securitySchemes"] = json!({
        "key": { "type": "apiKey", "in": "header", "name": "X-Api-Key", "description": "A key." },
        "session": { "type": "apiKey", "in": "cookie", "name": "s" },
        "bearer": { "type": "http", "scheme": "bearer" },
        "entra": { "type": "oauth2", "flows": { "authorizationCode": {
            "authorizationUrl": "https://a", "tokenUrl": "https://t", "scopes": { "x": "Do x." } } } },
    });
    let swagger = lowered(&document);
    assert_eq!(
        swagger["securityDefinitions"],
        json!({
            "key": { "type": "apiKey", "in": "header", "name": "X-Api-Key", "description": "A key." },
            "entra": { "type": "oauth2", "flow": "accessCode", "authorizationUrl": "https://a",
                       "tokenUrl": "https://t", "scopes": { "x": "Do x." } },
        })
    );
    assert_eq!(swagger["security"], json!([{ "key": [] }]));
    assert_eq!(
        swagger["paths"]["/it"]["get"]["security"],
        json!([{ "key": [] }])
    );

    document["paths"]["/it"]["get"]["security"] = json!([{ "session": [] }]);
    assert_eq!(refused(&document).pointer, "/paths/~1it/get/security");
    document["paths"]["/it"]["get"]["security"] = json!([]);
    assert_eq!(
        lowered(&document)["paths"]["/it"]["get"]["security"],
        json!([])
    );
}

#[test]
fn the_head_of_the_definition_names_the_host_and_keeps_the_extensions() {
    let mut document = operation("get", json!({}));
    document["info"]["license"] = json!({ "name": "" });
    document["x-ms-capabilities"] = json!({});
    let swagger = lower(&document, &Host::parse("bridge.fabrikam.com").unwrap()).unwrap();
    let head: Vec<&String> = swagger.as_object().unwrap().keys().collect();
    assert_eq!(
        head,
        [
            "swagger",
            "info",
            "host",
            "basePath",
            "schemes",
            "consumes",
            "produces",
            "paths",
            "definitions",
            "securityDefinitions",
            "x-ms-capabilities",
        ]
    );
    assert_eq!(swagger["host"], "bridge.fabrikam.com");
    assert_eq!(swagger["info"], json!({ "title": "Small", "version": "1" }));
}
