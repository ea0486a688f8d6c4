//! Who may call. A connector signs its calls in one way that its connection holds: a key in a header or a query, a
//! password, or OAuth's authorization code. The API knows other ways too (a page's session cookie, a bearer token got
//! elsewhere); those are left out, as long as every operation that wants a credential keeps one.

use serde_json::{Value, json};

use super::keyword::put;
use super::pointer::{LowerError, Pointer};
use super::source::{Object, Source, object};

impl<'a> Source<'a> {
    /// `securityDefinitions`: the schemes that a connection can hold.
    ///
    /// # Errors
    /// When a scheme is malformed.
    pub fn security_definitions(&self) -> Result<Object, LowerError> {
        let at = Pointer::root().child("components").child("securitySchemes");
        let mut lowered = Object::new();
        let schemes = self.find(&at).and_then(Value::as_object);
        for (name, scheme) in schemes.into_iter().flatten() {
            let at = at.child(name);
            if let Some(definition) = definition(object(scheme, &at)?, &at)? {
                put(&mut lowered, name, definition);
            }
        }
        Ok(lowered)
    }

    /// The `security` of the document or of an operation: the alternatives that name only schemes kept.
    ///
    /// # Errors
    /// When credentials are wanted, but none that a connection can hold.
    pub fn security(
        &self,
        holder: &'a Value,
        kept: &Object,
        at: &Pointer,
    ) -> Result<Option<Value>, LowerError> {
        let Some(alternatives) = holder.get("security").and_then(Value::as_array) else {
            return Ok(None);
        };
        let possible: Vec<&Value> = alternatives
            .iter()
            .filter(|alternative| {
                alternative
                    .as_object()
                    .is_some_and(|schemes| schemes.keys().all(|name| kept.contains_key(name)))
            })
            .collect();
        if possible.is_empty() && !alternatives.is_empty() {
            return Err(at.child("security").refuse(
                "none of these credentials can be held by a connection: a key in a header or query, a password, or OAuth's authorization code",
            ));
        }
        Ok(Some(json!(possible)))
    }
}

fn definition(scheme: &Object, at: &Pointer) -> Result<Option<Value>, LowerError> {
    let text = |key: &str| scheme.get(key).and_then(Value::as_str).unwrap_or_default();
    let mut lowered = match (text("type"), text("in"), text("scheme")) {
        ("apiKey", place @ ("header" | "query"), _) => {
            json!({ "type": "apiKey", "in": place, "name": text("name") })
        }
        ("http", _, "basic") => json!({ "type": "basic" }),
        ("oauth2", ..) => match scheme
            .get("flows")
            .and_then(|flows| flows.get("authorizationCode"))
        {
            Some(flow) => access_code(flow, &at.child("flows").child("authorizationCode"))?,
            None => return Ok(None),
        },
        _ => return Ok(None),
    };
    if let (Some(description), Some(lowered)) = (scheme.get("description"), lowered.as_object_mut())
    {
        put(lowered, "description", description.clone());
    }
    Ok(Some(lowered))
}

fn access_code(flow: &Value, at: &Pointer) -> Result<Value, LowerError> {
    let url = |key: &str| {
        flow.get(key)
            .and_then(Value::as_str)
            .ok_or_else(|| at.child(key).refuse("a URL is wanted here"))
    };
    Ok(json!({
        "type": "oauth2",
        "flow": "accessCode",
        "authorizationUrl": url("authorizationUrl")?,
        "tokenUrl": url("tokenUrl")?,
        "scopes": flow.get("scopes").cloned().unwrap_or_else(|| json!({})),
    }))
}
