//! `EntityDefinitions`: what tables and columns there are, as far as public clients ask for it before their first call.

use actix_web::http::StatusCode;
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::errors::Refusal;
use super::key::ALTERNATE;
use super::tokens::{Token, split, tokens};
use crate::simulator::exchange::{Answer, Call};
use crate::simulator::world::{ACCOUNT, Access, CONTACT, Column, ColumnId, Kind, Table};

/// Answers `EntityDefinitions…`.
pub(super) fn answer(call: &Call, path: &str) -> Result<Answer, Refusal> {
    let mut segments = split(path, '/').into_iter();
    let first = segments.next().unwrap_or_default();
    let rest: Vec<&str> = segments.collect();
    let Some(key) = inside(first, "EntityDefinitions") else {
        return Ok(collection(
            call,
            "EntityDefinitions",
            tables(call)?.map(entity).collect(),
        ));
    };
    let table = by_key(key).ok_or_else(|| absent(key))?;
    match rest.as_slice() {
        [] => Ok(Answer::json(StatusCode::OK, &selected(call, entity(table)))),
        ["Attributes"] => Ok(collection(call, "Attributes", attributes(call, table)?)),
        ["Attributes", cast] if cast.ends_with("PicklistAttributeMetadata") => {
            let choices = columns(table).filter(|(_, column)| {
                matches!(column.kind, Kind::Choice(..)) && !column.name.starts_with("stat")
            });
            let choices = choices
                .map(|(id, column)| attribute(table, id, column))
                .collect();
            Ok(collection(call, "Attributes", choices))
        }
        ["Keys"] => Ok(collection(call, "Keys", keys(table))),
        ["OneToManyRelationships" | "ManyToOneRelationships" | "ManyToManyRelationships"] => {
            Ok(collection(call, "Relationships", Vec::new()))
        }
        [one] => {
            let key = inside(one, "Attributes").ok_or_else(|| Refusal::no_resource(path))?;
            let wanted = (named(key), Uuid::parse_str(key).ok());
            let found = columns(table).find(|(id, column)| {
                wanted.0.as_deref() == Some(column.name) || wanted.1 == Some(column_id(table, *id))
            });
            let (id, column) = found.ok_or_else(|| absent(key))?;
            Ok(Answer::json(
                StatusCode::OK,
                &selected(call, attribute(table, id, column)),
            ))
        }
        _ => Err(Refusal::no_resource(path)),
    }
}

/// What stands in the parentheses behind a name.
fn inside<'s>(segment: &'s str, name: &str) -> Option<&'s str> {
    segment
        .strip_prefix(name)?
        .strip_prefix('(')?
        .strip_suffix(')')
}

/// The tables that the filter lets through: by logical name, or all that are not private (as all here are).
fn tables(call: &Call) -> Result<impl Iterator<Item = &'static Table>, Refusal> {
    let wanted = wanted_names(call)?;
    Ok([&ACCOUNT, &CONTACT]
        .into_iter()
        .filter(move |table| wanted.is_empty() || wanted.iter().any(|name| name == table.name)))
}

/// The names that the filter compares `LogicalName` with.
fn wanted_names(call: &Call) -> Result<Vec<String>, Refusal> {
    let tokens = tokens(&call.parameter("$filter").unwrap_or_default())?;
    Ok(tokens
        .windows(3)
        .filter_map(|three| match three {
            [Token::Word(name), Token::Word(eq), Token::Text(value)]
                if name == "LogicalName" && eq == "eq" =>
            {
                Some(value.clone())
            }
            _ => None,
        })
        .collect())
}

fn by_key(key: &str) -> Option<&'static Table> {
    let id = Uuid::parse_str(key).ok();
    [&ACCOUNT, &CONTACT]
        .into_iter()
        .find(|table| named(key).as_deref() == Some(table.name) || id == Some(table_id(table)))
}

/// The name in `LogicalName='account'`.
fn named(key: &str) -> Option<String> {
    let (name, value) = key.split_once('=')?;
    (name == "LogicalName").then(|| value.trim_matches('\'').to_lowercase())
}

fn absent(key: &str) -> Refusal {
    let message =
        format!("Could not find an entity or attribute with the key {key} in the metadata.");
    Refusal::new(StatusCode::NOT_FOUND, "0x80060888", message)
}

/// Ids of metadata, made of the table's type code and the column's number.
fn table_id(table: &Table) -> Uuid {
    let code = u128::from(table.type_code.cast_unsigned());
    Uuid::from_u128(0x7081_6501_0000_4000_8000_0000_0000_0000 | code << 16)
}

fn column_id(table: &Table, id: ColumnId) -> Uuid {
    Uuid::from_u128(table_id(table).as_u128() | (u128::from(id) + 1))
}

fn columns(table: &'static Table) -> impl Iterator<Item = (ColumnId, &'static Column)> {
    (0..).zip(table.columns)
}

fn entity(table: &'static Table) -> Map<String, Json> {
    let key = table.columns.first().map_or("", |column| column.name);
    map(json!({
        "MetadataId": table_id(table),
        "LogicalName": table.name,
        "SchemaName": table.label,
        "EntitySetName": table.set,
        "LogicalCollectionName": table.set,
        "ObjectTypeCode": table.type_code,
        "PrimaryIdAttribute": key,
        "PrimaryNameAttribute": table.primary_name,
        "DisplayName": label(table.label),
        "ChangeTrackingEnabled": true,
        "IsOptimisticConcurrencyEnabled": true,
        "IsPrivate": false,
        "IsCustomEntity": false,
    }))
}

fn attributes(call: &Call, table: &'static Table) -> Result<Vec<Map<String, Json>>, Refusal> {
    let wanted = wanted_names(call)?;
    Ok(columns(table)
        .filter(|(_, column)| wanted.is_empty() || wanted.iter().any(|name| name == column.name))
        .map(|(id, column)| attribute(table, id, column))
        .collect())
}

fn kind_name(column: &Column) -> &'static str {
    match column.kind {
        Kind::Key => "Uniqueidentifier",
        Kind::Text(_) => "String",
        Kind::Whole if column.name == "versionnumber" => "BigInt",
        Kind::Whole => "Integer",
        Kind::Decimal => "Money",
        Kind::Flag => "Boolean",
        Kind::Choice(..) if column.name == "statecode" => "State",
        Kind::Choice(..) if column.name == "statuscode" => "Status",
        Kind::Choice(..) => "Picklist",
        Kind::Instant => "DateTime",
        Kind::Lookup(to) if to.len() > 1 => "Customer",
        Kind::Lookup(_) => "Lookup",
    }
}

fn attribute(table: &Table, id: ColumnId, column: &Column) -> Map<String, Json> {
    let kind = kind_name(column);
    let mut fields = map(json!({
        "@odata.type": format!("#Microsoft.Dynamics.CRM.{kind}AttributeMetadata"),
        "MetadataId": column_id(table, id),
        "LogicalName": column.name,
        "SchemaName": column.name,
        "EntityLogicalName": table.name,
        "AttributeType": kind,
        "AttributeTypeName": { "Value": format!("{kind}Type") },
        "DisplayName": label(column.name),
        "IsPrimaryId": column.kind == Kind::Key,
        "IsPrimaryName": column.name == table.primary_name,
        "IsValidForRead": true,
        "IsValidForCreate": column.access == Access::Write || column.kind == Kind::Key,
        "IsValidForUpdate": column.access == Access::Write,
    }));
    let (name, value) = match column.kind {
        Kind::Text(longest) => ("MaxLength", json!(longest)),
        Kind::Lookup(to) => ("Targets", json!(to)),
        Kind::Choice(first, labels) => {
            let options: Vec<Json> = (first..)
                .zip(labels)
                .map(|(value, text)| json!({ "Value": value, "Label": label(text) }))
                .collect();
            ("OptionSet", json!({ "Options": options }))
        }
        _ => return fields,
    };
    fields.insert(name.to_owned(), value);
    fields
}

fn keys(table: &Table) -> Vec<Map<String, Json>> {
    let key = json!({
        "LogicalName": "simulator_accountnumber",
        "SchemaName": "simulator_AccountNumber",
        "EntityLogicalName": table.name,
        "KeyAttributes": [ALTERNATE],
        "EntityKeyIndexStatus": "Active",
        "MetadataId": column_id(table, 200),
    });
    if table.column(ALTERNATE).is_some() {
        vec![map(key)]
    } else {
        Vec::new()
    }
}

fn label(text: &str) -> Json {
    let localized = json!({ "Label": text, "LanguageCode": 1033 });
    json!({ "LocalizedLabels": [localized], "UserLocalizedLabel": localized })
}

fn map(value: Json) -> Map<String, Json> {
    match value {
        Json::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// Only the fields that are asked for, and the id.
fn selected(call: &Call, mut fields: Map<String, Json>) -> Map<String, Json> {
    if let Some(select) = call.parameter("$select") {
        let expanded = call.parameter("$expand").unwrap_or_default();
        let wanted = split(&select, ',');
        fields.retain(|name, _| {
            wanted.contains(&name.as_str())
                || name == "MetadataId"
                || name.starts_with('@')
                || (name == "OptionSet" && expanded.contains("OptionSet"))
        });
    }
    fields
}

fn collection(call: &Call, name: &str, items: Vec<Map<String, Json>>) -> Answer {
    let items: Vec<Map<String, Json>> =
        items.into_iter().map(|item| selected(call, item)).collect();
    let context = format!("{}/api/data/v9.2/$metadata#{name}", call.origin);
    Answer::json(
        StatusCode::OK,
        &json!({ "@odata.context": context, "value": items }),
    )
}
