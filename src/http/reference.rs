//! `/docs`: the reference for people, made of the OpenAPI document as one plain page. No script and nothing from elsewhere,
//! so it reads behind any proxy, in any browser, and under the strictest policy.

use std::fmt::Write;

use serde_json::Value;

/// Its style sheet.
pub const STYLE: &str = include_str!("reference.css");

/// The page.
#[must_use]
pub fn render(document: &Value) -> String {
    let mut page = String::from(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width,initial-scale=1\"><title>Provider Bridge: reference</title>\
         <link rel=\"stylesheet\" href=\"/docs/style.css\"></head><body><main>",
    );
    let about = text(document, "/info/description");
    let _ = write!(page, "<h1>Provider Bridge</h1><p>{about}</p>");
    page.push_str("<p>The same as data: <a href=\"/openapi.json\">OpenAPI 3.1</a>, <a \
                   href=\"/connector/apiDefinition.swagger.json\">Power Platform connector</a>.</p>");
    for tag in document
        .get("tags")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        section(&mut page, document, tag);
    }
    page.push_str("</main></body></html>\n");
    page
}

fn section(page: &mut String, document: &Value, tag: &Value) {
    let name = tag.get("name").and_then(Value::as_str).unwrap_or_default();
    let mut operations = Vec::new();
    for (path, item) in document
        .get("paths")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        for (method, operation) in item.as_object().into_iter().flatten() {
            if operation.pointer("/tags/0").and_then(Value::as_str) == Some(name) {
                operations.push((path, method, operation));
            }
        }
    }
    if operations.is_empty() {
        return;
    }
    let _ = write!(
        page,
        "<h2>{}</h2><p>{}</p>",
        escape(name),
        text(tag, "/description")
    );
    for (path, method, operation) in operations {
        let _ = write!(
            page,
            "<section id=\"{id}\"><h3>{summary}</h3><p><code><b>{method}</b> {path}</code></p><p>{description}</p>",
            id = text(operation, "/operationId"),
            summary = text(operation, "/summary"),
            method = method.to_uppercase(),
            path = escape(path),
            description = text(operation, "/description"),
        );
        parameters(page, operation);
        responses(page, operation);
        page.push_str("</section>");
    }
}

fn parameters(page: &mut String, operation: &Value) {
    let body = operation
        .pointer("/requestBody/content/application~1json/schema")
        .map(schema_name);
    let parameters = operation.get("parameters").and_then(Value::as_array);
    if body.is_none() && parameters.is_none_or(Vec::is_empty) {
        return;
    }
    page.push_str(
        "<table><thead><tr><th>Send</th><th>Where</th><th>Meaning</th></tr></thead><tbody>",
    );
    for parameter in parameters.into_iter().flatten() {
        let _ = write!(
            page,
            "<tr><td><code>{}</code></td><td>{}</td><td>{}</td></tr>",
            text(parameter, "/name"),
            text(parameter, "/in"),
            text(parameter, "/description"),
        );
    }
    if let Some(body) = body {
        let _ = write!(
            page,
            "<tr><td><code>{}</code></td><td>body</td><td>JSON</td></tr>",
            escape(&body)
        );
    }
    page.push_str("</tbody></table>");
}

fn responses(page: &mut String, operation: &Value) {
    page.push_str(
        "<table><thead><tr><th>Answer</th><th>Body</th><th>Meaning</th></tr></thead><tbody>",
    );
    for (status, response) in operation
        .get("responses")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let content = response.get("content").and_then(Value::as_object);
        let body = content
            .and_then(|content| content.values().next())
            .and_then(|media| media.get("schema"))
            .map(schema_name)
            .unwrap_or_default();
        let _ = write!(
            page,
            "<tr><td>{}</td><td><code>{}</code></td><td>{}</td></tr>",
            escape(status),
            escape(&body),
            text(response, "/description"),
        );
    }
    page.push_str("</tbody></table>");
}

fn schema_name(schema: &Value) -> String {
    let reference = schema.get("$ref").and_then(Value::as_str);
    let name = reference.and_then(|reference| reference.rsplit('/').next());
    name.or_else(|| schema.get("type").and_then(Value::as_str))
        .unwrap_or_default()
        .to_owned()
}

fn text(value: &Value, pointer: &str) -> String {
    escape(
        value
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default(),
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
