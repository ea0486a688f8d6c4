//! Parameters and bodies. Swagger 2.0 writes a parameter's type beside its name, and a body as a parameter of its own.

use serde_json::{Value, json};

use super::keyword::{give_summary, put};
use super::pointer::{LowerError, Pointer};
use super::source::{Object, Source, object};

/// What a schema may say that a parameter has no place for.
const NOT_ON_PARAMETERS: [&str; 4] = ["example", "readOnly", "title", "x-nullable"];

impl<'a> Source<'a> {
    /// The parameters of an operation: those of its path, then its own, an own one in the place of one of the same name.
    ///
    /// # Errors
    /// When one cannot be said.
    pub fn parameters(
        &mut self,
        path: (&'a Object, &Pointer),
        operation: (&'a Object, &Pointer),
    ) -> Result<Vec<Value>, LowerError> {
        let mut lowered: Vec<Value> = Vec::new();
        for (holder, at) in [path, operation] {
            let at = at.child("parameters");
            let list = holder.get("parameters").and_then(Value::as_array);
            for (index, parameter) in list.into_iter().flatten().enumerate() {
                let (parameter, at) = self.follow(parameter, &at.child(index))?;
                let parameter = self.parameter(object(parameter, &at)?, &at)?;
                let same = |known: &Value| {
                    ["name", "in"]
                        .iter()
                        .all(|key| known.get(key) == parameter.get(key))
                };
                lowered.retain(|known| !same(known));
                lowered.push(parameter);
            }
        }
        Ok(lowered)
    }

    fn parameter(&mut self, parameter: &Object, at: &Pointer) -> Result<Value, LowerError> {
        let place = parameter
            .get("in")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if !["path", "query", "header"].contains(&place) {
            return Err(at
                .child("in")
                .refuse("a parameter is in the path, the query or a header"));
        }
        let name = parameter
            .get("name")
            .and_then(Value::as_str)
            .ok_or_else(|| at.refuse("a parameter needs a name"))?;
        let mut lowered = Object::new();
        put(&mut lowered, "name", json!(name));
        put(&mut lowered, "in", json!(place));
        let required = place == "path" || parameter.get("required") == Some(&json!(true));
        put(&mut lowered, "required", json!(required));
        for (key, value) in parameter {
            match key.as_str() {
                "name" | "in" | "required" | "schema" | "deprecated" | "example" | "examples" => {}
                "allowReserved" | "style" | "explode" => {}
                "description" => put(&mut lowered, key, value.clone()),
                extension if extension.starts_with("x-") => put(&mut lowered, key, value.clone()),
                _ => {
                    return Err(at
                        .child(key)
                        .refuse("a parameter of this kind cannot be said"));
                }
            }
        }
        self.type_of_parameter(parameter, place, at, &mut lowered)?;
        give_summary(name, &mut lowered);
        if place == "path" {
            lowered
                .entry("x-ms-url-encoding")
                .or_insert_with(|| json!("single"));
        }
        Ok(Value::Object(lowered))
    }

    /// Writes the schema's words beside the parameter's own, which win.
    fn type_of_parameter(
        &mut self,
        parameter: &Object,
        place: &str,
        at: &Pointer,
        lowered: &mut Object,
    ) -> Result<(), LowerError> {
        let schema_at = at.child("schema");
        let schema = parameter
            .get("schema")
            .ok_or_else(|| at.refuse("a parameter needs a schema"))?;
        let schema = self.schema(schema, &schema_at)?;
        let schema = object(&schema, &schema_at)?;
        let type_name = schema.get("type").and_then(Value::as_str);
        match type_name {
            Some("array") => put(
                lowered,
                "collectionFormat",
                json!(separator(parameter, place, at)?),
            ),
            Some("string" | "integer" | "number" | "boolean") => {}
            _ => {
                return Err(schema_at
                    .refuse("a parameter is a text, a number, a boolean or a list of those"));
            }
        }
        if let Some(title) = schema.get("title") {
            lowered
                .entry("x-ms-summary")
                .or_insert_with(|| title.clone());
        }
        for (key, value) in schema {
            if !NOT_ON_PARAMETERS.contains(&key.as_str()) {
                lowered.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
        Ok(())
    }

    /// The body of an operation as the parameter `body`.
    ///
    /// # Errors
    /// When it is no JSON, or its schema cannot be said.
    pub fn body(&mut self, body: &'a Value, at: &Pointer) -> Result<Value, LowerError> {
        let (body, at) = self.follow(body, at)?;
        let (schema, schema_at) = json_schema(object(body, &at)?, &at)?
            .ok_or_else(|| at.child("content").refuse("a body is JSON with a schema"))?;
        let mut lowered = Object::new();
        put(&mut lowered, "name", json!("body"));
        put(&mut lowered, "in", json!("body"));
        put(
            &mut lowered,
            "required",
            json!(body.get("required") == Some(&json!(true))),
        );
        if let Some(description) = body.get("description") {
            put(&mut lowered, "description", description.clone());
        }
        put(&mut lowered, "schema", self.schema(schema, &schema_at)?);
        Ok(Value::Object(lowered))
    }
}

/// The JSON schema among the `content` of a body or response.
///
/// # Errors
/// When there is content, but none of it is JSON.
pub fn json_schema<'v>(
    holder: &'v Object,
    at: &Pointer,
) -> Result<Option<(&'v Value, Pointer)>, LowerError> {
    let at = at.child("content");
    let Some(content) = holder.get("content").and_then(Value::as_object) else {
        return Ok(None);
    };
    if content.is_empty() {
        return Ok(None);
    }
    let is_json = |media: &str| media == "application/json" || media.ends_with("+json");
    let (media, content) = content
        .iter()
        .find(|(media, _)| is_json(media))
        .ok_or_else(|| at.refuse("only JSON is understood"))?;
    let at = at.child(media).child("schema");
    Ok(content.get("schema").map(|schema| (schema, at)))
}

/// How the values of a list are told apart: by repeating the parameter in a query, by commas elsewhere.
fn separator(parameter: &Object, place: &str, at: &Pointer) -> Result<&'static str, LowerError> {
    let usual = if place == "query" { "form" } else { "simple" };
    if parameter.get("style").is_some_and(|style| style != usual) {
        return Err(at
            .child("style")
            .refuse(format!("a list here is written in style `{usual}`")));
    }
    let explode = parameter.get("explode").and_then(Value::as_bool);
    Ok(if place == "query" && explode.unwrap_or(true) {
        "multi"
    } else {
        "csv"
    })
}
