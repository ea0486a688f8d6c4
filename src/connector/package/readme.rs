//! `readme.md` with the headings that certification asks for. The operations and their descriptions come from the
//! definition; the rest is the text file beside this one.

use serde_json::Value;

use super::properties::publisher;

/// The page.
#[must_use]
pub fn render(definition: &Value) -> String {
    let text = |pointer: &str| {
        definition
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    format!(
        include_str!("readme.md"),
        title = text("/info/title"),
        description = text("/info/description"),
        publisher = publisher(definition),
        contact = text("/info/contact/url"),
        email = text("/info/contact/email"),
        triggers = list(definition, true),
        actions = list(definition, false),
    )
}

fn list(definition: &Value, triggers: bool) -> String {
    let text = |operation: &Value, key: &str| {
        operation
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    super::operations(definition)
        .filter(|operation| {
            operation
                .get("x-ms-visibility")
                .is_none_or(|seen| seen != "internal")
        })
        .filter(|operation| operation.get("x-ms-trigger").is_some() == triggers)
        .map(|operation| {
            let id = text(operation, "operationId");
            let summary = text(operation, "summary");
            let description = text(operation, "description");
            format!("#### {summary}\n`{id}`. {description}\n")
        })
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_operations_that_makers_see_are_listed_by_kind() {
        let definition = json!({ "paths": {
            "/a": {
                "get": { "operationId": "ListA", "summary": "List a", "description": "Lists." },
                "post": { "operationId": "OnA", "summary": "When a", "description": "Fires.", "x-ms-trigger": "single" },
                "delete": { "operationId": "Hidden", "x-ms-visibility": "internal" },
            },
        }});
        assert_eq!(list(&definition, false), "#### List a\n`ListA`. Lists.\n");
        assert_eq!(list(&definition, true), "#### When a\n`OnA`. Fires.\n");
        let page = render(&definition);
        for heading in [
            "Publisher",
            "Prerequisites",
            "Supported Operations",
            "Obtaining Credentials",
            "Known Issues and Limitations",
            "Deployment Instructions",
        ] {
            assert!(page.contains(&format!("\n## {heading}")), "{heading}");
        }
    }
}
