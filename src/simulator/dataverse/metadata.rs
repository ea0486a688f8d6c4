//! `EntityDefinitions` and its kin: what tables, columns, choices and relationships there are, as far as public clients ask
//! for it before their first call. Only reading; nobody can change the schema of a simulated organisation.

use actix_web::http::StatusCode;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::errors::Refusal;
use super::metadata_filter::admitted;
use super::metadata_items::{Item, attribute, columns, entity, keys, table_id};
use super::relationships;
use super::route::root;
use super::tokens::split;
use crate::simulator::exchange::{Answer, Call};
use crate::simulator::world::{ACCOUNT, CONTACT, Table};

/// The sets of descriptions.
pub(super) const SETS: [&str; 3] = [
    "EntityDefinitions",
    "RelationshipDefinitions",
    "GlobalOptionSetDefinitions",
];

/// Answers a read of metadata.
pub(super) fn answer(call: &Call, path: &str) -> Result<Answer, Refusal> {
    let segments = split(path, '/');
    let (first, rest) = segments
        .split_first()
        .ok_or_else(|| Refusal::no_resource(path))?;
    let (set, key) = match first.split_once('(') {
        Some((set, key)) => (set, Some(key.strip_suffix(')').unwrap_or(key))),
        None => (*first, None),
    };
    match (set, key, rest) {
        ("EntityDefinitions", None, []) => {
            let tables = [&ACCOUNT, &CONTACT]
                .map(|table| described(call, table))
                .to_vec();
            collection(call, set, tables)
        }
        ("EntityDefinitions", Some(key), rest) => {
            let table = by_key(key).ok_or_else(|| absent(key))?;
            of_table(call, path, table, rest)
        }
        ("RelationshipDefinitions", None, []) => collection(call, set, relationships::all()),
        ("RelationshipDefinitions", None, [cast]) => {
            let mut items = relationships::all();
            items.retain(|item| is_a(item, cast));
            collection(call, &format!("{set}/{cast}"), items)
        }
        ("RelationshipDefinitions", Some(key), []) => {
            one_of(call, set, key, "SchemaName", relationships::all())
        }
        ("GlobalOptionSetDefinitions", None, []) => collection(call, set, Vec::new()),
        ("GlobalOptionSetDefinitions", Some(key), []) => Err(absent(key)),
        _ => Err(Refusal::no_resource(path)),
    }
}

/// What belongs to one table.
fn of_table(
    call: &Call,
    path: &str,
    table: &'static Table,
    rest: &[&str],
) -> Result<Answer, Refusal> {
    match rest {
        [] => Ok(single(call, "EntityDefinitions", described(call, table))),
        ["Attributes"] => collection(call, &inside(table, "Attributes"), attributes(table)),
        ["Attributes", cast] => {
            let items = attributes(table)
                .into_iter()
                .filter(|item| is_a(item, cast))
                .collect();
            collection(call, &inside(table, &format!("Attributes/{cast}")), items)
        }
        ["Keys"] => collection(call, &inside(table, "Keys"), keys(table)),
        ["OneToManyRelationships"] => collection(
            call,
            &inside(table, "OneToManyRelationships"),
            relationships::to(table),
        ),
        ["ManyToOneRelationships"] => collection(
            call,
            &inside(table, "ManyToOneRelationships"),
            relationships::from(table),
        ),
        ["ManyToManyRelationships"] => {
            collection(call, &inside(table, "ManyToManyRelationships"), Vec::new())
        }
        [one] | [one, _] => {
            let key = |name: &str| one.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
            if let Some(key) = key("Keys") {
                return one_of(
                    call,
                    &inside(table, "Keys"),
                    key,
                    "LogicalName",
                    keys(table),
                );
            }
            let key = key("Attributes").ok_or_else(|| Refusal::no_resource(path))?;
            let mut items = attributes(table);
            if let [_, cast] = rest {
                items.retain(|item| is_a(item, cast));
            }
            one_of(
                call,
                &inside(table, "Attributes"),
                key,
                "LogicalName",
                items,
            )
        }
        _ => Err(Refusal::no_resource(path)),
    }
}

/// `RetrieveMetadataChanges`: tables and columns that a query names, with the properties that it names.
pub(super) fn changes(query: &Json) -> Result<Json, Refusal> {
    let wanted = conditions(query);
    let columns_wanted = query.get("AttributeQuery");
    let mut tables = Vec::new();
    for table in [&ACCOUNT, &CONTACT] {
        if !fulfils(&entity(table), &wanted) {
            continue;
        }
        let mut description = entity(table);
        let names = property_names(query);
        description
            .retain(|name, _| name == "MetadataId" || names.iter().any(|wanted| wanted == name));
        if let Some(query) = columns_wanted {
            let (conditions, names) = (conditions(query), property_names(query));
            let mut items = attributes(table);
            items.retain(|item| fulfils(item, &conditions));
            for item in &mut items {
                let kept = |name: &str| names.iter().any(|wanted| wanted == name);
                item.retain(|name, _| name.starts_with('@') || name == "MetadataId" || kept(name));
            }
            description.insert("Attributes".to_owned(), json!(items));
        }
        tables.push(description);
    }
    Ok(
        json!({ "EntityMetadata": tables, "ServerVersionStamp": "1!01/01/2026 00:00:00", "DeletedMetadata": null }),
    )
}

/// The pairs of property and value that a query of metadata compares.
fn conditions(query: &Json) -> Vec<(String, Json)> {
    let conditions = query
        .pointer("/Criteria/Conditions")
        .and_then(Json::as_array);
    let pair = |condition: &Json| {
        let name = condition.get("PropertyName")?.as_str()?.to_owned();
        Some((name, condition.pointer("/Value/Value")?.clone()))
    };
    conditions.into_iter().flatten().filter_map(pair).collect()
}

fn fulfils(item: &Item, conditions: &[(String, Json)]) -> bool {
    conditions
        .iter()
        .all(|(name, value)| item.get(name) == Some(value))
}

fn property_names(query: &Json) -> Vec<String> {
    let names = query
        .pointer("/Properties/PropertyNames")
        .and_then(Json::as_array);
    names
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
        .map(str::to_owned)
        .collect()
}

fn attributes(table: &'static Table) -> Vec<Item> {
    columns(table)
        .map(|(id, column)| attribute(table, id, column))
        .collect()
}

/// A table with its columns and keys, where those are expanded.
fn described(call: &Call, table: &'static Table) -> Item {
    let mut fields = entity(table);
    for expanded in split(&call.parameter("$expand").unwrap_or_default(), ',') {
        let (name, options) = expanded.split_once('(').unwrap_or((expanded, ""));
        let items = match name {
            "Attributes" => attributes(table),
            "Keys" => keys(table),
            "OneToManyRelationships" => relationships::to(table),
            "ManyToOneRelationships" => relationships::from(table),
            _ => continue,
        };
        let select = split(options.strip_suffix(')').unwrap_or(options), ';')
            .into_iter()
            .find_map(|option| option.strip_prefix("$select="));
        let items: Vec<Item> = items
            .into_iter()
            .map(|item| cut(item, select, ""))
            .collect();
        fields.insert(name.to_owned(), json!(items));
    }
    fields
}

/// Whether a column's description is of the type in the address.
fn is_a(item: &Item, cast: &str) -> bool {
    let given = item
        .get("@odata.type")
        .and_then(Json::as_str)
        .unwrap_or_default();
    given.trim_start_matches('#') == cast
}

fn inside(table: &Table, part: &str) -> String {
    format!("EntityDefinitions('{}')/{part}", table.name)
}

fn by_key(key: &str) -> Option<&'static Table> {
    let id = Uuid::parse_str(key).ok();
    [&ACCOUNT, &CONTACT].into_iter().find(|table| {
        named(key, "LogicalName").as_deref() == Some(table.name) || id == Some(table_id(table))
    })
}

/// The name in `LogicalName='account'`.
fn named(key: &str, property: &str) -> Option<String> {
    let (name, value) = key.split_once('=')?;
    (name == property).then(|| value.trim_matches('\'').to_owned())
}

/// The description that a key names: by its id or by one property.
fn one_of(
    call: &Call,
    set: &str,
    key: &str,
    property: &str,
    items: Vec<Item>,
) -> Result<Answer, Refusal> {
    let name = named(key, property).unwrap_or_default();
    let is = |item: &Item, field: &str, value: &str| {
        item.get(field).and_then(Json::as_str) == Some(value)
    };
    let found = items
        .into_iter()
        .find(|item| is(item, property, &name) || is(item, "MetadataId", key));
    found
        .map(|item| single(call, set, item))
        .ok_or_else(|| absent(key))
}

fn absent(key: &str) -> Refusal {
    let message =
        format!("Could not find an entity or attribute with the key {key} in the metadata.");
    Refusal::new(StatusCode::NOT_FOUND, "0x80060888", message)
}

/// Only the fields that are asked for, and the id.
fn cut(mut item: Item, select: Option<&str>, expand: &str) -> Item {
    if let Some(select) = select {
        let wanted = split(select, ',');
        let expanded: Vec<&str> = split(expand, ',')
            .into_iter()
            .map(|part| part.split('(').next().unwrap_or(part))
            .collect();
        item.retain(|name, _| {
            let name = name.as_str();
            name == "MetadataId"
                || name.starts_with('@')
                || wanted.contains(&name)
                || expanded.contains(&name)
        });
    }
    item
}

fn selected(call: &Call, item: Item) -> Item {
    let expand = call.parameter("$expand").unwrap_or_default();
    cut(item, call.parameter("$select").as_deref(), &expand)
}

fn context(call: &Call, set: &str, end: &str) -> Json {
    format!("{}/$metadata#{set}{end}", root(call)).into()
}

fn single(call: &Call, set: &str, item: Item) -> Answer {
    let mut body = Item::from_iter([("@odata.context".to_owned(), context(call, set, "/$entity"))]);
    body.extend(selected(call, item));
    Answer::json(StatusCode::OK, &body)
}

fn collection(call: &Call, set: &str, items: Vec<Item>) -> Result<Answer, Refusal> {
    let items = admitted(items, call.parameter("$filter").as_deref())?;
    let items: Vec<Item> = items.into_iter().map(|item| selected(call, item)).collect();
    Ok(Answer::json(
        StatusCode::OK,
        &json!({ "@odata.context": context(call, set, ""), "value": items }),
    ))
}
