//! Relationships between the tables, one for each lookup that a navigation leads along.

use serde_json::json;
use uuid::Uuid;

use super::expand::{Navigation, navigations};
use super::metadata_items::{Item, map};
use crate::simulator::world::{ACCOUNT, CONTACT, Table};

/// Every relationship: the table that is pointed at has many of the one that points.
pub(super) fn all() -> Vec<Item> {
    let single = navigations().iter().filter(|navigation| !navigation.many);
    (1_u128..)
        .zip(single)
        .map(|(number, navigation)| relationship(number, navigation))
        .collect()
}

/// Those in which the table is pointed at.
pub(super) fn to(table: &Table) -> Vec<Item> {
    of("ReferencedEntity", table)
}

/// Those in which the table points.
pub(super) fn from(table: &Table) -> Vec<Item> {
    of("ReferencingEntity", table)
}

fn of(side: &str, table: &Table) -> Vec<Item> {
    let mut items = all();
    items.retain(|item| item.get(side).and_then(|name| name.as_str()) == Some(table.name));
    items
}

fn relationship(number: u128, navigation: &Navigation) -> Item {
    let pointing = if navigation.from == CONTACT.name {
        &CONTACT
    } else {
        &ACCOUNT
    };
    let back = navigations().iter().find(|other| {
        other.many
            && other.from == navigation.to.name
            && other.to.name == pointing.name
            && other.lookup == navigation.lookup
    });
    let schema_name = back.map_or_else(
        || format!("{}_{}", pointing.name, navigation.name),
        |back| back.name.to_owned(),
    );
    let key = navigation
        .to
        .columns
        .first()
        .map_or("", |column| column.name);
    map(json!({
        "@odata.type": "#Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata",
        "MetadataId": Uuid::from_u128(0x7081_6502_0000_4000_8000_0000_0000_0000 | number),
        "SchemaName": schema_name,
        "RelationshipType": "OneToManyRelationship",
        "IsCustomRelationship": false,
        "ReferencedEntity": navigation.to.name,
        "ReferencedAttribute": key,
        "ReferencedEntityNavigationPropertyName": schema_name,
        "ReferencingEntity": pointing.name,
        "ReferencingAttribute": navigation.lookup,
        "ReferencingEntityNavigationPropertyName": navigation.name,
    }))
}
