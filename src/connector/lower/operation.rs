//! Paths and their operations.
//!
//! Two extensions of ours or of the platform move: `x-ms-notification-content` is declared on the trigger it belongs to
//! (the only place where a handler can say it) and is read by the platform beside it, on the path; and an operation with
//! `x-connector-exclude: true` stays in the API but not in the connector. An operation with `x-ms-visibility: internal`
//! is no such one: the platform calls it (pickers, unsubscribing), only makers do not see it.

use serde_json::Value;

use super::keyword::put;
use super::pointer::{LowerError, Pointer};
use super::source::{Object, Source, object};

const METHODS: [&str; 7] = ["get", "put", "post", "delete", "options", "head", "patch"];
const NOTIFICATION: &str = "x-ms-notification-content";
const EXCLUDE: &str = "x-connector-exclude";

impl<'a> Source<'a> {
    /// Every path that keeps an operation.
    ///
    /// # Errors
    /// When something in one cannot be said.
    pub fn paths(&mut self, kept_schemes: &Object) -> Result<Object, LowerError> {
        let at = Pointer::root().child("paths");
        let paths = self
            .member("paths")
            .ok_or_else(|| at.refuse("paths are missing"))?;
        let mut lowered = Object::new();
        for (path, item) in object(paths, &at)? {
            let item_at = at.child(path);
            let item = self.path_item(object(item, &item_at)?, &item_at, kept_schemes)?;
            if METHODS.iter().any(|method| item.contains_key(*method)) {
                put(&mut lowered, path, Value::Object(item));
            }
        }
        Ok(lowered)
    }

    fn path_item(
        &mut self,
        item: &'a Object,
        at: &Pointer,
        kept_schemes: &Object,
    ) -> Result<Object, LowerError> {
        let mut lowered = Object::new();
        for (key, value) in item {
            let key_at = at.child(key);
            match key.as_str() {
                "parameters" | "summary" | "description" | "servers" => {}
                NOTIFICATION => self.notification(value, &key_at, &mut lowered)?,
                extension if extension.starts_with("x-") => put(&mut lowered, key, value.clone()),
                method if METHODS.contains(&method) => {
                    let operation = object(value, &key_at)?;
                    if operation.get(EXCLUDE) == Some(&Value::Bool(true)) {
                        continue;
                    }
                    if let Some(content) = operation.get(NOTIFICATION) {
                        self.notification(content, &key_at.child(NOTIFICATION), &mut lowered)?;
                    }
                    let security = self.security(value, kept_schemes, &key_at)?;
                    let parts =
                        self.operation((item, at), method, (operation, &key_at), security)?;
                    put(&mut lowered, method, Value::Object(parts));
                }
                _ => return Err(key_at.refuse("a path has no such part")),
            }
        }
        Ok(lowered)
    }

    fn operation(
        &mut self,
        path: (&'a Object, &Pointer),
        method: &str,
        (operation, at): (&'a Object, &Pointer),
        security: Option<Value>,
    ) -> Result<Object, LowerError> {
        if !operation.get("operationId").is_some_and(Value::is_string) {
            return Err(at.refuse("an operation needs an operationId"));
        }
        let mut lowered = Object::new();
        for key in ["summary", "description", "operationId", "deprecated"] {
            if let Some(value) = operation.get(key) {
                put(&mut lowered, key, value.clone());
            }
        }
        let extensions = operation.iter().filter(|(key, _)| {
            key.starts_with("x-") && ![NOTIFICATION, EXCLUDE].contains(&key.as_str())
        });
        for (key, value) in extensions {
            put(&mut lowered, key, value.clone());
        }
        let mut parameters = self.parameters(path, (operation, at))?;
        if let Some(body) = operation.get("requestBody") {
            let body_at = at.child("requestBody");
            if ["get", "head"].contains(&method) {
                return Err(body_at.refuse("a request that only reads carries no body"));
            }
            parameters.push(self.body(body, &body_at)?);
        }
        if !parameters.is_empty() {
            put(&mut lowered, "parameters", Value::Array(parameters));
        }
        put(&mut lowered, "responses", self.responses(operation, at)?);
        if let Some(security) = security {
            put(&mut lowered, "security", security);
        }
        Ok(lowered)
    }

    /// What a trigger's callback receives.
    fn notification(
        &mut self,
        content: &Value,
        at: &Pointer,
        item: &mut Object,
    ) -> Result<(), LowerError> {
        if item.contains_key(NOTIFICATION) {
            return Err(at.refuse("a path holds one trigger; give the other one a path of its own"));
        }
        let mut lowered = object(content, at)?.clone();
        let schema = lowered
            .get("schema")
            .ok_or_else(|| at.refuse("a notification needs a schema"))?;
        let schema = self.schema(schema, &at.child("schema"))?;
        put(&mut lowered, "schema", schema);
        put(item, NOTIFICATION, Value::Object(lowered));
        Ok(())
    }
}
