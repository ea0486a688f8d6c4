//! Single keywords of a schema, and what the designers want that JSON Schema does not ask for: a type on everything,
//! and names for people on properties and on the values of an enumeration.

use serde_json::{Value, json};

use super::pointer::{LowerError, Pointer};
use super::source::Object;
use super::words;

/// Formats that the platform's schema of a definition lists; another one is a remark only.
const FORMATS: [&str; 11] = [
    "int32",
    "int64",
    "float",
    "double",
    "byte",
    "date",
    "date-time",
    "password",
    "email",
    "uri",
    "uuid",
];

/// Sets a member.
pub fn put(lowered: &mut Object, keyword: &str, value: Value) {
    lowered.insert(keyword.to_owned(), value);
}

/// `format`, where the platform knows it.
pub fn format(value: &Value, lowered: &mut Object) {
    if value.as_str().is_some_and(|name| FORMATS.contains(&name)) {
        put(lowered, "format", value.clone());
    }
}

/// Gives a property or parameter the name that makers see: its own `x-ms-summary`, else its title, else its spelled-out
/// name.
pub fn give_summary(name: &str, property: &mut Object) {
    let title = property.shift_remove("title");
    if !property.contains_key("$ref") {
        property
            .entry("x-ms-summary")
            .or_insert_with(|| title.unwrap_or_else(|| json!(words::summary(name))));
    }
}

/// `type`: one name, and `x-nullable` where null is allowed.
///
/// # Errors
/// When there is not exactly one type beside null.
pub fn single_type(value: &Value, at: &Pointer, lowered: &mut Object) -> Result<(), LowerError> {
    let named: Vec<&str> = match value {
        Value::String(name) => vec![name.as_str()],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    match named
        .iter()
        .filter(|name| **name != "null")
        .collect::<Vec<_>>()
        .as_slice()
    {
        [one] => put(lowered, "type", json!(one)),
        _ => return Err(at.refuse("exactly one type beside null is wanted")),
    }
    if named.contains(&"null") {
        put(lowered, "x-nullable", json!(true));
    }
    Ok(())
}

/// `enum`, without null.
///
/// # Errors
/// When it is no list, or holds nothing but null.
pub fn enumeration(value: &Value, at: &Pointer, lowered: &mut Object) -> Result<(), LowerError> {
    let values = value
        .as_array()
        .ok_or_else(|| at.refuse("a list is wanted here"))?;
    let named: Vec<&Value> = values.iter().filter(|value| !value.is_null()).collect();
    if named.is_empty() {
        return Err(at.refuse("an enumeration needs a value other than null"));
    }
    if named.len() < values.len() {
        put(lowered, "x-nullable", json!(true));
    }
    put(lowered, "enum", named.into_iter().cloned().collect());
    Ok(())
}

/// Which end of a range of numbers.
#[derive(Clone, Copy)]
pub enum Side {
    /// The least.
    Lower,
    /// The most.
    Upper,
}

/// A limit: the tighter of the inclusive and the exclusive one, the latter as the flag that draft 4 wants.
///
/// # Errors
/// When a limit is no number.
pub fn bound(
    schema: &Object,
    side: Side,
    at: &Pointer,
    lowered: &mut Object,
) -> Result<(), LowerError> {
    let (inclusive, exclusive) = match side {
        Side::Lower => ("minimum", "exclusiveMinimum"),
        Side::Upper => ("maximum", "exclusiveMaximum"),
    };
    let limit = |keyword: &str| match schema.get(keyword) {
        None => Ok(None),
        Some(limit) => match limit.as_f64() {
            Some(number) => Ok(Some((limit.clone(), number))),
            None => Err(at.refuse("a number is wanted here")),
        },
    };
    let tighter = |exclusive: f64, inclusive: f64| match side {
        Side::Lower => exclusive >= inclusive,
        Side::Upper => exclusive <= inclusive,
    };
    match (limit(inclusive)?, limit(exclusive)?) {
        (Some((_, inclusive_number)), Some((value, number)))
            if tighter(number, inclusive_number) =>
        {
            put(lowered, inclusive, value);
            put(lowered, exclusive, json!(true));
        }
        (Some((value, _)), _) => put(lowered, inclusive, value),
        (None, Some((value, _))) => {
            put(lowered, inclusive, value);
            put(lowered, exclusive, json!(true));
        }
        (None, None) => {}
    }
    Ok(())
}

/// A schema without a type reads as an object to the designers, so the type that its other words imply is said.
pub fn give_type(lowered: &mut Object) {
    if lowered.contains_key("type") {
        return;
    }
    let implied = if lowered.contains_key("properties") {
        Some("object")
    } else if lowered.contains_key("items") {
        Some("array")
    } else {
        let first = lowered.get("enum").and_then(|values| values.get(0));
        match first {
            Some(Value::String(_)) => Some("string"),
            Some(Value::Bool(_)) => Some("boolean"),
            Some(Value::Number(number)) if number.is_f64() => Some("number"),
            Some(Value::Number(_)) => Some("integer"),
            _ => None,
        }
    };
    if let Some(implied) = implied {
        put(lowered, "type", json!(implied));
    }
}

/// `x-ms-enum-values` from a list of constants: the title of each, else its spelled-out value.
pub fn enum_values(constants: &[(&Value, &Value)]) -> Value {
    constants
        .iter()
        .map(|(schema, value)| {
            let title = schema
                .get("title")
                .and_then(Value::as_str)
                .map(str::to_owned);
            json!({ "value": value, "displayName": title.unwrap_or_else(|| display_name(value)) })
        })
        .collect()
}

/// Names for people beside the names of an enumeration, where the document gives none.
pub fn name_enum_values(lowered: &mut Object) {
    let Some(values) = lowered.get("enum").and_then(Value::as_array) else {
        return;
    };
    if lowered.contains_key("x-ms-enum-values") || !values.iter().all(Value::is_string) {
        return;
    }
    let named: Value = values
        .iter()
        .map(|value| json!({ "value": value, "displayName": display_name(value) }))
        .collect();
    put(lowered, "x-ms-enum-values", named);
}

fn display_name(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), words::choice)
}
