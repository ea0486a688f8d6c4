//! The body of a write, checked against the table's columns. Lookups are set by `name@odata.bind`; columns that only the
//! platform writes are ignored, as Dataverse ignores them; unknown ones are refused.

use actix_web::http::StatusCode;
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use super::errors::Refusal;
use super::expand::{Navigation, lookup_of, navigation_of, rows_of};
use super::key::Key;
use crate::simulator::world::{
    Access, Column, ColumnId, Kind, Packed, Referenced, Table, Value, ValueRef, World, table,
};

/// What a body sets.
#[derive(Debug, Default)]
pub(super) struct Payload {
    /// The primary key, where the body has it.
    pub id: Option<Uuid>,
    /// The row that `@odata.id` names.
    pub key: Option<Key>,
    pub columns: Vec<(ColumnId, Option<Value>)>,
    /// Rows to create along with this one.
    pub related: Vec<Related>,
}

/// Rows in the body of another row, under the name of a navigation property.
#[derive(Debug)]
pub(super) struct Related {
    pub navigation: &'static Navigation,
    pub rows: Vec<Map<String, Json>>,
}

impl Related {
    fn read(navigation: &'static Navigation, value: &Json) -> Result<Self, Refusal> {
        let values = match value {
            Json::Array(values) if navigation.many => values.as_slice(),
            value if !navigation.many => std::slice::from_ref(value),
            _ => return Err(conversion(value, "Collection")),
        };
        let rows = values.iter().map(|value| value.as_object().cloned());
        let rows = rows.collect::<Option<_>>().ok_or_else(|| {
            let name = navigation.name;
            Refusal::body(format!("A row was expected for the navigation property '{name}'; a reference to one is set with '{name}@odata.bind'."))
        })?;
        Ok(Self { navigation, rows })
    }
}

impl Payload {
    /// Reads the bytes of a body.
    pub fn parse(world: &World, table: &Table, body: &[u8]) -> Result<Self, Refusal> {
        Self::read(world, table, &object(body)?)
    }

    /// Reads a JSON object.
    pub fn read(world: &World, table: &Table, object: &Map<String, Json>) -> Result<Self, Refusal> {
        let mut payload = Self::default();
        for (name, value) in object {
            if name == "@odata.id" {
                let text = value.as_str().unwrap_or_default();
                payload.key = Some(reference(text)?.1);
            } else if let Some(navigation) = name.strip_suffix("@odata.bind") {
                payload
                    .columns
                    .push(bound(world, table, navigation, value)?);
            } else if let Some(navigation) = navigation_of(table, name) {
                if value.is_null() && !navigation.many {
                    payload.columns.push((lookup_of(navigation, table)?, None));
                } else {
                    payload.related.push(Related::read(navigation, value)?);
                }
            } else if !name.contains('@') {
                payload.column(table, name, value)?;
            }
        }
        Ok(payload)
    }

    fn column(&mut self, table: &Table, name: &str, value: &Json) -> Result<(), Refusal> {
        let (id, column) = table
            .column(name)
            .filter(|(_, column)| column.name == name && column.property == name)
            .ok_or_else(|| {
                let table = table.name;
                Refusal::body(format!(
                    "Error identified in Payload provided by the user for Entity :'{table}'. Invalid property '{name}' was found in entity 'Microsoft.Dynamics.CRM.{table}'."
                ))
            })?;
        if column.kind == Kind::Key {
            let text = value.as_str().unwrap_or_default();
            let key = Uuid::parse_str(text).map_err(|_| conversion(value, "Edm.Guid"))?;
            self.id = Some(key);
        } else if column.access == Access::Write {
            self.columns.push((id, converted(table, column, value)?));
        }
        Ok(())
    }

    /// The columns of a row with these changes, and with what follows from them.
    pub fn applied(self, table: &Table, row: &Packed) -> Packed {
        let mut changes = self.columns;
        complete_state(table, &mut changes);
        let changed = row.with(changes);
        let Some((full, _)) = table.column("fullname") else {
            return changed;
        };
        let part = |name: &str| table.column(name).and_then(|(id, _)| changed.text(id));
        let names = [part("firstname"), part("lastname")];
        let name = names.into_iter().flatten().collect::<Vec<_>>().join(" ");
        changed.with(vec![(
            full,
            (!name.is_empty()).then_some(Value::Text(name)),
        )])
    }
}

/// A body as a JSON object.
pub(super) fn object(body: &[u8]) -> Result<Map<String, Json>, Refusal> {
    match serde_json::from_slice(body) {
        Ok(Json::Object(object)) => Ok(object),
        Ok(_) => Err(Refusal::body("An object was expected in the payload.")),
        Err(error) => Err(Refusal::body(format!("The payload is no JSON: {error}"))),
    }
}

/// State and reason go together: one of them sets the other.
fn complete_state(table: &Table, changes: &mut Vec<(ColumnId, Option<Value>)>) {
    let (Some((state, _)), Some((status, _))) =
        (table.column("statecode"), table.column("statuscode"))
    else {
        return;
    };
    let given = |wanted| {
        changes.iter().find_map(|(id, value)| match value {
            Some(Value::Whole(number)) if *id == wanted => Some(*number),
            _ => None,
        })
    };
    match (given(state), given(status)) {
        (Some(number), None) => changes.push((status, Some(Value::Whole(number + 1)))),
        (None, Some(number)) => changes.push((state, Some(Value::Whole(number - 1)))),
        _ => {}
    }
}

fn conversion(value: &Json, to: &str) -> Refusal {
    Refusal::body(format!(
        "Cannot convert the literal '{value}' to the expected type '{to}'."
    ))
}

/// A value that has the right type, but not a permitted one.
fn invalid(code: &'static str, message: String) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, code, message)
}

fn converted(table: &Table, column: &Column, value: &Json) -> Result<Option<Value>, Refusal> {
    if value.is_null() {
        return Ok(None);
    }
    let converted = match column.kind {
        Kind::Text(longest) => {
            let text = value
                .as_str()
                .ok_or_else(|| conversion(value, "Edm.String"))?;
            if text.chars().count() > usize::from(longest) {
                return Err(invalid(
                    "0x80044331",
                    format!(
                        "A validation error occurred.  The length of the '{}' attribute of the '{}' entity exceeded the maximum allowed length of '{longest}'.",
                        column.name, table.name
                    ),
                ));
            }
            if text.is_empty() {
                return Ok(None);
            }
            Value::Text(text.to_owned())
        }
        Kind::Whole => Value::Whole(
            value
                .as_i64()
                .ok_or_else(|| conversion(value, "Edm.Int32"))?,
        ),
        Kind::Decimal => Value::Decimal(
            value
                .as_f64()
                .ok_or_else(|| conversion(value, "Edm.Decimal"))?,
        ),
        Kind::Flag => Value::Flag(
            value
                .as_bool()
                .ok_or_else(|| conversion(value, "Edm.Boolean"))?,
        ),
        Kind::Choice(first, labels) => {
            let number = value
                .as_i64()
                .ok_or_else(|| conversion(value, "Edm.Int32"))?;
            if usize::try_from(number - first).is_ok_and(|at| at < labels.len()) {
                Value::Whole(number)
            } else {
                return Err(invalid(
                    "0x80048408",
                    format!(
                        "A validation error occurred. The value {number} of '{}' on record of type '{}' is outside the valid range.",
                        column.name, table.name
                    ),
                ));
            }
        }
        Kind::Key | Kind::Instant | Kind::Lookup(_) => return Err(conversion(value, "Edm.Guid")),
    };
    Ok(Some(converted))
}

/// The lookup column behind a navigation property, with the row it is bound to.
fn bound(
    world: &World,
    table: &Table,
    navigation: &str,
    value: &Json,
) -> Result<(ColumnId, Option<Value>), Refusal> {
    let single = navigation_of(table, navigation).filter(|known| !known.many);
    let lookup = single.map_or(navigation, |known| known.lookup);
    let (column, _) = table
        .column(lookup)
        .filter(|(_, column)| {
            matches!(column.kind, Kind::Lookup(_)) && column.access == Access::Write
        })
        // A lookup that leads to several tables has a navigation for each, and none of its own name.
        .filter(|_| single.is_some() || lookup == "ownerid")
        .ok_or_else(|| {
            Refusal::body(format!(
                "An undeclared property '{navigation}' was found in the payload."
            ))
        })?;
    match value {
        Json::Null => Ok((column, None)),
        Json::String(text) => {
            let (to, id) = resolve(world, text)?;
            if single.is_some_and(|known| known.to.name != to.name()) {
                return Err(Refusal::body(format!(
                    "'{text}' is no target of '{navigation}'."
                )));
            }
            Ok((column, Some(Value::Reference(to, id))))
        }
        _ => Err(conversion(value, "Edm.String")),
    }
}

/// Table and key in an address such as `/contacts(guid)`, whole or relative.
pub(super) fn reference(text: &str) -> Result<(&str, Key), Refusal> {
    // A slash inside a quoted key is not a path's.
    let start = text
        .find('(')
        .map_or(text, |open| text.get(..open).unwrap_or(text));
    let from = start.rfind('/').map_or(0, |slash| slash + 1);
    match Key::parse(text.get(from..).unwrap_or(text))? {
        (set, Some(key)) => Ok((set, key)),
        (_, None) => Err(Refusal::body(format!("'{text}' does not name a row."))),
    }
}

/// The row that an address names; it must exist.
pub(super) fn resolve(world: &World, text: &str) -> Result<(Referenced, Uuid), Refusal> {
    let (set, key) = reference(text)?;
    let referenced = Referenced::of_set(set).ok_or_else(|| Refusal::no_resource(set))?;
    let Some(table) = table(set) else {
        // Users and teams are not kept here; any id will do.
        return match key {
            Key::Id(id) => Ok((referenced, id)),
            Key::Number(_) => Err(Refusal::no_key(set)),
        };
    };
    let place = key.place(world, table).ok_or_else(|| key.absent(table))?;
    let id = rows_of(world, table)
        .at(place)
        .map(|row| row.id)
        .unwrap_or_default();
    Ok((referenced, id))
}

/// Whether a reference in a row leads to that row.
pub(super) fn leads_to(value: Option<ValueRef<'_>>, table: &Table, id: Uuid) -> bool {
    matches!(value, Some(ValueRef::Reference(to, target)) if to.name() == table.name && target == id)
}
