//! Schemas: JSON Schema 2020-12 as OpenAPI 3.1 uses it, said in Swagger 2.0.
//!
//! Swagger 2.0 has one type a schema, no null, no alternatives and no constants, and the designers ignore whatever
//! stands beside a `$ref`. So a reference stays one only when it stands alone and means an object; with words beside
//! it, or where null is allowed, the schema it means is put in its place. What cannot be said is refused, never dropped:
//! a maker must not be offered a field that the API would read differently.

use serde_json::{Value, json};

use super::keyword::{
    Side, bound, enum_values, enumeration, format, give_summary, give_type, name_enum_values, put,
    single_type,
};
use super::pointer::{LowerError, Pointer};
use super::source::{Object, Source, object, overlay, without};

/// Keywords that mean the same in both.
const SAME: [&str; 17] = [
    "title",
    "description",
    "default",
    "example",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "readOnly",
    "type",
    "enum",
    "format",
];

/// Keywords that say nothing a caller must obey, and that Swagger 2.0 has no word for.
const REMARKS: [&str; 8] = [
    "$comment",
    "$id",
    "$schema",
    "contentMediaType",
    "deprecated",
    "externalDocs",
    "propertyNames",
    "writeOnly",
];

impl Source<'_> {
    /// Lowers one schema.
    ///
    /// # Errors
    /// When it says what Swagger 2.0 cannot.
    pub fn schema(&mut self, schema: &Value, at: &Pointer) -> Result<Value, LowerError> {
        if schema == &Value::Bool(true) {
            return Ok(json!({}));
        }
        let schema = object(schema, at)?;
        if schema.contains_key("$ref") {
            self.reference(schema, at)
        } else if schema.contains_key("oneOf") {
            self.alternatives(schema, "oneOf", at)
        } else if schema.contains_key("anyOf") {
            self.alternatives(schema, "anyOf", at)
        } else if schema.contains_key("allOf") {
            self.combination(schema, at)
        } else {
            self.keywords(schema, at)
        }
    }

    fn reference(&mut self, schema: &Object, at: &Pointer) -> Result<Value, LowerError> {
        let reference = schema.get("$ref").unwrap_or(&Value::Null);
        let (name, target) = self.component(reference, at)?;
        let beside = without(schema, "$ref");
        if beside.is_empty() && describes_object(target) {
            return Ok(self.refer(&name));
        }
        if let Some(keyword) = beside.keys().find(|keyword| !may_stand_beside(keyword)) {
            return Err(at
                .child(keyword)
                .refuse("beside a reference only words, a default and extensions are understood"));
        }
        if self.unfolding.contains(&name) {
            return Err(at.refuse(format!(
                "`{name}` contains itself where a reference alone does not do; drop the words beside the reference"
            )));
        }
        self.unfolding.push(name);
        let lowered = self.schema(&Value::Object(overlay(target, &beside)), at);
        self.unfolding.pop();
        lowered
    }

    /// `oneOf` and `anyOf`: a null beside one alternative, or a list of constants. Nothing else can be said.
    fn alternatives(
        &mut self,
        schema: &Object,
        keyword: &str,
        at: &Pointer,
    ) -> Result<Value, LowerError> {
        let list_at = at.child(keyword);
        let list = schema
            .get(keyword)
            .and_then(Value::as_array)
            .ok_or_else(|| list_at.refuse("a list is wanted here"))?;
        let mut around = without(schema, keyword);
        let alternatives: Vec<(usize, &Value)> = list
            .iter()
            .enumerate()
            .filter(|(_, alternative)| !is_null(alternative))
            .collect();
        if alternatives.len() < list.len() {
            around.insert("x-nullable".to_owned(), json!(true));
        }
        if let [(index, alternative)] = alternatives.as_slice() {
            let index_at = list_at.child(index);
            let alternative = object(alternative, &index_at)?;
            return self.schema(&Value::Object(overlay(alternative, &around)), &index_at);
        }
        let constants: Option<Vec<(&Value, &Value)>> = alternatives
            .iter()
            .map(|(_, alternative)| Some((*alternative, alternative.get("const")?)))
            .collect();
        match constants {
            Some(constants) if !constants.is_empty() => {
                around.insert("enum".to_owned(), constants.iter().map(|(_, value)| (*value).clone()).collect());
                around.insert("x-ms-enum-values".to_owned(), enum_values(&constants));
                self.keywords(&around, at)
            }
            _ => Err(list_at.refuse(
                "alternatives are not understood, except null beside one schema or a list of constants",
            )),
        }
    }

    /// `allOf`: the members of all parts in one object, since the designers do not read `allOf`.
    fn combination(&mut self, schema: &Object, at: &Pointer) -> Result<Value, LowerError> {
        let parts_at = at.child("allOf");
        let parts = schema
            .get("allOf")
            .and_then(Value::as_array)
            .ok_or_else(|| parts_at.refuse("a list is wanted here"))?;
        let mut whole = Object::new();
        for (index, part) in parts.iter().enumerate() {
            let part_at = parts_at.child(index);
            let part = self.unfolded(part, &part_at)?;
            merge(&mut whole, part, &part_at)?;
        }
        let around = self.keywords(&without(schema, "allOf"), at)?;
        merge(&mut whole, around, at)?;
        Ok(Value::Object(whole))
    }

    /// A schema lowered without leaving a reference in its place.
    fn unfolded(&mut self, schema: &Value, at: &Pointer) -> Result<Value, LowerError> {
        let Some(reference) = schema.get("$ref") else {
            return self.schema(schema, at);
        };
        let (name, target) = self.component(reference, at)?;
        if self.unfolding.contains(&name) {
            return Err(at.refuse(format!("`{name}` is a part of itself")));
        }
        self.unfolding.push(name);
        let beside = without(object(schema, at)?, "$ref");
        let lowered = self.unfolded(&Value::Object(overlay(target, &beside)), at);
        self.unfolding.pop();
        lowered
    }

    fn keywords(&mut self, schema: &Object, at: &Pointer) -> Result<Value, LowerError> {
        let mut lowered = Object::new();
        for (keyword, value) in schema {
            self.keyword(schema, keyword, value, &at.child(keyword), &mut lowered)?;
        }
        give_type(&mut lowered);
        name_enum_values(&mut lowered);
        if lowered.get("default").is_some_and(Value::is_null) {
            lowered.shift_remove("default");
        }
        Ok(Value::Object(lowered))
    }

    fn keyword(
        &mut self,
        schema: &Object,
        keyword: &str,
        value: &Value,
        at: &Pointer,
        lowered: &mut Object,
    ) -> Result<(), LowerError> {
        match keyword {
            "type" => single_type(value, at, lowered)?,
            "enum" => enumeration(value, at, lowered)?,
            "const" => put(lowered, "enum", json!([value])),
            "format" => format(value, lowered),
            "examples" => {
                if let Some(first) = value.get(0) {
                    lowered.entry("example").or_insert_with(|| first.clone());
                }
            }
            "minimum" | "exclusiveMinimum" => bound(schema, Side::Lower, at, lowered)?,
            "maximum" | "exclusiveMaximum" => bound(schema, Side::Upper, at, lowered)?,
            "items" => put(lowered, keyword, self.schema(value, at)?),
            "properties" => put(lowered, keyword, self.properties(value, at)?),
            "additionalProperties" if value.is_boolean() => put(lowered, keyword, value.clone()),
            "additionalProperties" => put(lowered, keyword, self.schema(value, at)?),
            "required" => {
                if value.as_array().is_some_and(|names| !names.is_empty()) {
                    put(lowered, keyword, value.clone());
                }
            }
            "summary" => put(lowered, "x-ms-summary", value.clone()),
            same if SAME.contains(&same) || same.starts_with("x-") => {
                put(lowered, same, value.clone());
            }
            remark if REMARKS.contains(&remark) => {}
            _ => return Err(at.refuse(format!("Swagger 2.0 has no counterpart of `{keyword}`"))),
        }
        Ok(())
    }

    fn properties(&mut self, properties: &Value, at: &Pointer) -> Result<Value, LowerError> {
        let mut lowered = Object::new();
        for (name, schema) in object(properties, at)? {
            let mut property = self.schema(schema, &at.child(name))?;
            if let Some(property) = property.as_object_mut() {
                give_summary(name, property);
            }
            lowered.insert(name.clone(), property);
        }
        Ok(Value::Object(lowered))
    }
}

fn describes_object(schema: &Object) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("object") || schema.contains_key("allOf")
}

fn may_stand_beside(keyword: &str) -> bool {
    let words = [
        "description",
        "title",
        "summary",
        "default",
        "example",
        "examples",
        "readOnly",
    ];
    words.contains(&keyword) || REMARKS.contains(&keyword) || keyword.starts_with("x-")
}

fn is_null(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("null")
        || schema.get("const").is_some_and(Value::is_null)
}

fn merge(whole: &mut Object, part: Value, at: &Pointer) -> Result<(), LowerError> {
    let Value::Object(part) = part else {
        return Err(at.refuse("an object is wanted here"));
    };
    for (keyword, value) in part {
        match (whole.get_mut(&keyword), value) {
            (Some(Value::Object(properties)), Value::Object(more)) if keyword == "properties" => {
                for (name, property) in more {
                    if properties
                        .get(&name)
                        .is_some_and(|known| *known != property)
                    {
                        return Err(at.refuse(format!("the parts disagree about `{name}`")));
                    }
                    properties.insert(name, property);
                }
            }
            (Some(Value::Array(names)), Value::Array(more)) if keyword == "required" => {
                names.extend(more);
            }
            (Some(known), value) if keyword == "type" && *known != value => {
                return Err(at.refuse("the parts are of different types"));
            }
            (_, value) => put(whole, &keyword, value),
        }
    }
    Ok(())
}
