//! The document being lowered: following its references, and keeping count of the schemas that stay references.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::pointer::{LowerError, Pointer};

/// A JSON object.
pub type Object = Map<String, Value>;

const SCHEMAS: &str = "#/components/schemas/";

/// The OpenAPI document and what lowering it has come across so far.
pub struct Source<'a> {
    root: &'a Value,
    /// Names of the component schemas that the result refers to, and so must define.
    pub referred: BTreeSet<String>,
    /// The component schemas being put in place of a reference right now, to notice one that contains itself.
    pub(super) unfolding: Vec<String>,
}

impl<'a> Source<'a> {
    /// Starts on a document.
    #[must_use]
    pub const fn new(root: &'a Value) -> Self {
        Self {
            root,
            referred: BTreeSet::new(),
            unfolding: Vec::new(),
        }
    }

    /// The value of a member of the document's root.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&'a Value> {
        self.root.get(name)
    }

    /// The value at a pointer.
    #[must_use]
    pub fn find(&self, at: &Pointer) -> Option<&'a Value> {
        self.root.pointer(at.as_str())
    }

    /// The parameter, response, header or body meant, whether it stands in place or is referred to.
    ///
    /// # Errors
    /// When the reference leads out of the document or nowhere.
    pub fn follow(
        &self,
        value: &'a Value,
        at: &Pointer,
    ) -> Result<(&'a Value, Pointer), LowerError> {
        let Some(reference) = value.get("$ref") else {
            return Ok((value, at.clone()));
        };
        let target = reference.as_str().and_then(Pointer::of_reference);
        match target
            .as_ref()
            .and_then(|target| self.find(target).map(|value| (value, target.clone())))
        {
            Some((value, target)) if value.get("$ref").is_none() => Ok((value, target)),
            _ => Err(at.refuse(format!(
                "the reference {reference} leads nowhere in this document"
            ))),
        }
    }

    /// Name and value of the component schema that a `$ref` means.
    ///
    /// # Errors
    /// When it is no reference to a component schema, or there is no such schema.
    pub fn component(
        &self,
        reference: &Value,
        at: &Pointer,
    ) -> Result<(String, &'a Object), LowerError> {
        let nowhere = || {
            at.refuse(format!(
                "the reference {reference} does not lead to a schema of this document"
            ))
        };
        let reference_text = reference.as_str().ok_or_else(nowhere)?;
        let name = reference_text.strip_prefix(SCHEMAS).ok_or_else(nowhere)?;
        let target = Pointer::of_reference(reference_text).ok_or_else(nowhere)?;
        let schema = self
            .find(&target)
            .and_then(Value::as_object)
            .ok_or_else(nowhere)?;
        Ok((name.to_owned(), schema))
    }

    /// A reference in the result to a schema that it will define.
    pub fn refer(&mut self, name: &str) -> Value {
        self.referred.insert(name.to_owned());
        json!({ "$ref": format!("#/definitions/{name}") })
    }
}

/// `base` with the members of `over` put over it.
#[must_use]
pub fn overlay(base: &Object, over: &Object) -> Object {
    let mut result = base.clone();
    for (key, value) in over {
        result.insert(key.clone(), value.clone());
    }
    result
}

/// `object` without one member.
#[must_use]
pub fn without(object: &Object, key: &str) -> Object {
    let mut result = object.clone();
    result.shift_remove(key);
    result
}

/// A member that must be an object.
///
/// # Errors
/// When it is something else.
pub fn object<'v>(value: &'v Value, at: &Pointer) -> Result<&'v Object, LowerError> {
    value
        .as_object()
        .ok_or_else(|| at.refuse("an object is wanted here"))
}
