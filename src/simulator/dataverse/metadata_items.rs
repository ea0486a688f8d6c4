//! Tables, columns and keys as the metadata describes them.

use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::key::ALTERNATE;
use crate::simulator::world::{Access, Column, ColumnId, Kind, Table};

/// The fields of one description.
pub(super) type Item = Map<String, Json>;

/// Ids of metadata, made of the table's type code and the column's number.
pub(super) fn table_id(table: &Table) -> Uuid {
    let code = u128::from(table.type_code.cast_unsigned());
    Uuid::from_u128(0x7081_6501_0000_4000_8000_0000_0000_0000 | code << 16)
}

/// The id of a column in the metadata.
pub(super) fn column_id(table: &Table, id: ColumnId) -> Uuid {
    Uuid::from_u128(table_id(table).as_u128() | (u128::from(id) + 1))
}

/// The columns with their numbers.
pub(super) fn columns(table: &'static Table) -> impl Iterator<Item = (ColumnId, &'static Column)> {
    (0..).zip(table.columns)
}

/// A table.
pub(super) fn entity(table: &'static Table) -> Item {
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
        "DisplayCollectionName": label(&format!("{}s", table.label)),
        "OwnershipType": "UserOwned",
        "IsActivity": false,
        "ChangeTrackingEnabled": true,
        "IsOptimisticConcurrencyEnabled": true,
        "IsPrivate": false,
        "IsCustomEntity": false,
    }))
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
        Kind::Lookup(_) if column.name == "ownerid" => "Owner",
        Kind::Lookup(to) if to.len() > 1 => "Customer",
        Kind::Lookup(_) => "Lookup",
    }
}

/// A column.
pub(super) fn attribute(table: &Table, id: ColumnId, column: &Column) -> Item {
    let kind = kind_name(column);
    // Customers and owners are lookups of another name, and the key's type is spelt in its own way.
    let type_name = match kind {
        "Customer" | "Owner" => "Lookup",
        "Uniqueidentifier" => "UniqueIdentifier",
        other => other,
    };
    let mut fields = map(json!({
        "@odata.type": format!("#Microsoft.Dynamics.CRM.{type_name}AttributeMetadata"),
        "MetadataId": column_id(table, id),
        "LogicalName": column.name,
        "SchemaName": column.name,
        "EntityLogicalName": table.name,
        "AttributeType": kind,
        "AttributeTypeName": { "Value": format!("{kind}Type") },
        "DisplayName": label(column.name),
        "RequiredLevel": { "Value": "None", "CanBeChanged": true },
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
            let set = format!("{}_{}", table.name, column.name);
            (
                "OptionSet",
                json!({ "Name": set, "IsGlobal": false, "Options": options }),
            )
        }
        _ => return fields,
    };
    fields.insert(name.to_owned(), value);
    fields
}

/// The alternate keys of a table.
pub(super) fn keys(table: &Table) -> Vec<Item> {
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

/// The fields of an object.
pub(super) fn map(value: Json) -> Item {
    match value {
        Json::Object(fields) => fields,
        _ => Map::new(),
    }
}
