//! serde's refusals in words for callers. serde has no structured errors, so its texts are read; one that is not known
//! falls back to a sentence that names the field and nothing else.

use std::fmt::Display;

/// Where a value stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the JSON body.
    Body,
    /// In the query.
    Query,
}

/// Why a member of a body was refused. `path` is where, `.` for the body itself.
pub fn of_json(place: &Place, path: &str, error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    explain(*place, path, text)
}

/// Why a query parameter was refused.
pub fn of_query(place: &Place, path: &str, error: &impl Display) -> String {
    explain(*place, path, &error.to_string())
}

fn explain(place: Place, path: &str, text: &str) -> String {
    if let Some(name) = quoted(text, "missing field `") {
        return lacks(place, path, name);
    }
    if let Some(name) = quoted(text, "unknown field `") {
        let known: Vec<&str> = text.split('`').skip(3).step_by(2).collect();
        let holder = holder(path, name);
        return format!(
            "{holder} has no field `{name}`; its fields are: {}.",
            known.join(", ")
        );
    }
    if let Some(name) = quoted(text, "duplicate field `") {
        return format!("{} `{name}` is given twice; give it once.", noun(place));
    }
    let subject = match (place, path) {
        (Place::Body, "." | "?") => "The body".to_owned(),
        (Place::Query, "." | "?") => "The query".to_owned(),
        (_, path) => format!("{} `{path}`", noun(place)),
    };
    match expected(text) {
        Some(expected) => format!("{subject} must be {expected}."),
        None => format!("{subject} has a value that cannot be read."),
    }
}

const fn noun(place: Place) -> &'static str {
    match place {
        Place::Body => "The field",
        Place::Query => "The query parameter",
    }
}

fn quoted<'t>(text: &'t str, before: &str) -> Option<&'t str> {
    text.strip_prefix(before)?.split('`').next()
}

fn lacks(place: Place, path: &str, name: &str) -> String {
    match place {
        Place::Query => format!("The query parameter `{name}` is missing; give it."),
        Place::Body => format!("{} lacks the field `{name}`.", holder(path, name)),
    }
}

/// The object that a member `name` was looked for in.
fn holder(path: &str, name: &str) -> String {
    let path = path.strip_suffix(name).unwrap_or(path);
    match path.trim_end_matches('.') {
        "" | "?" => "The body".to_owned(),
        path => format!("The field `{path}`"),
    }
}

/// What should have been there.
fn expected(text: &str) -> Option<String> {
    if text.starts_with("UUID parsing failed") {
        return Some("a UUID such as 0197a1b2-0000-7000-8000-000000000001".to_owned());
    }
    let known = match text {
        "invalid digit found in string" | "cannot parse integer from empty string" => {
            Some("a whole number")
        }
        "number too large to fit in target type" => Some("a smaller whole number"),
        "number too small to fit in target type" => Some("a larger whole number"),
        "provided string was not `true` or `false`" => Some("true or false"),
        _ => None,
    };
    if let Some(known) = known {
        return Some(known.to_owned());
    }
    let (found, expected) = text
        .strip_prefix("invalid ")?
        .split_once(": ")?
        .1
        .rsplit_once(", expected ")?;
    let expected = match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number that is not negative",
        "i8" | "i16" | "i32" | "i64" => "a whole number",
        "a sequence" => "an array",
        "a boolean" => "true or false",
        "a string" | "a borrowed string" => "a string",
        "option" => "a value",
        expected if expected.starts_with("struct ") => "an object",
        expected if expected.contains("UUID") => {
            "a UUID such as 0197a1b2-0000-7000-8000-000000000001"
        }
        _ => return None,
    };
    Some(format!("{expected}, not {}", kind(found)))
}

/// What was there: its type and never its value.
fn kind(found: &str) -> &'static str {
    match found.split([' ', '`']).next().unwrap_or_default() {
        "string" | "character" => "a string",
        "integer" | "floating" => "that number",
        "sequence" => "an array",
        "map" | "struct" => "an object",
        "boolean" => "a boolean",
        "null" | "unit" | "Option" => "null",
        _ => "what was sent",
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, explain};

    #[test]
    fn a_refusal_names_the_field_and_what_was_expected_there() {
        for (path, text, says) in [
            (
                "schedule",
                "missing field `timeZone`",
                "The field `schedule` lacks the field `timeZone`.",
            ),
            (
                ".",
                "missing field `name`",
                "The body lacks the field `name`.",
            ),
            (
                "schedule.every",
                "unknown field `every`, expected one of `cron`, `timeZone`, `enabled`",
                "The field `schedule` has no field `every`; its fields are: cron, timeZone, enabled.",
            ),
            (
                "schedule",
                "invalid type: string \"x\", expected struct ScheduleBody",
                "The field `schedule` must be an object, not a string.",
            ),
            (
                "detailsRefreshDays",
                "invalid value: integer `-1`, expected u32",
                "The field `detailsRefreshDays` must be a whole number that is not negative, not that number.",
            ),
            (
                "clientSecret",
                "some words nobody foresaw: hunter2",
                "The field `clientSecret` has a value that cannot be read.",
            ),
        ] {
            assert_eq!(explain(Place::Body, path, text), says);
        }
        assert_eq!(
            explain(Place::Query, "$top", "invalid digit found in string"),
            "The query parameter `$top` must be a whole number."
        );
    }
}
