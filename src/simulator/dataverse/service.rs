//! The service document and `$metadata`: what entity sets there are, and their types in CSDL.

use std::fmt::Write;

use actix_web::http::StatusCode;
use serde_json::json;

use super::errors;
use super::expand::navigations;
use super::literal::edm;
use super::route::root;
use crate::simulator::exchange::{Answer, Call};
use crate::simulator::world::{ACCOUNT, CONTACT, Table};

/// `GET /api/data/v9.2/`
pub(super) fn document(call: &Call) -> Answer {
    let sets: Vec<_> = [&ACCOUNT, &CONTACT]
        .map(|table| json!({ "name": table.set, "kind": "EntitySet", "url": table.set }))
        .to_vec();
    let context = format!("{}/$metadata", root(call));
    let body = json!({ "@odata.context": context, "value": sets });
    Answer::json(StatusCode::OK, &body).instead("content-type", errors::JSON)
}

/// `GET /api/data/v9.2/$metadata`
pub(super) fn csdl(call: &Call) -> Answer {
    let annotated = call.parameter("annotations").as_deref() == Some("true");
    let mut xml = String::from(concat!(
        r#"<?xml version="1.0" encoding="utf-8"?><edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">"#,
        r#"<edmx:DataServices><Schema Namespace="Microsoft.Dynamics.CRM" Alias="mscrm" xmlns="http://docs.oasis-open.org/odata/ns/edm">"#,
        r#"<EntityType Name="crmbaseentity" Abstract="true" />"#,
    ));
    for table in [&ACCOUNT, &CONTACT] {
        entity_type(&mut xml, table);
    }
    xml.push_str(r#"<EntityContainer Name="System">"#);
    for table in [&ACCOUNT, &CONTACT] {
        entity_set(&mut xml, table, annotated);
    }
    xml.push_str("</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>");
    Answer {
        status: StatusCode::OK,
        body: xml.into(),
        ..Answer::default()
    }
    .with("content-type", "application/xml")
}

fn entity_type(xml: &mut String, table: &Table) {
    let name = table.name;
    let key = table.columns.first().map_or("", |column| column.name);
    // Writing into a text cannot fail.
    let _ = write!(
        xml,
        r#"<EntityType Name="{name}" BaseType="mscrm.crmbaseentity"><Key><PropertyRef Name="{key}" /></Key>"#
    );
    for column in table.columns {
        let _ = write!(
            xml,
            r#"<Property Name="{}" Type="{}" />"#,
            column.property,
            edm(column.kind)
        );
    }
    for navigation in navigations()
        .iter()
        .filter(|navigation| navigation.from == name)
    {
        let to = format!("mscrm.{}", navigation.to.name);
        let to = if navigation.many {
            format!("Collection({to})")
        } else {
            to
        };
        let _ = write!(
            xml,
            r#"<NavigationProperty Name="{}" Type="{to}" />"#,
            navigation.name
        );
    }
    xml.push_str("</EntityType>");
}

fn entity_set(xml: &mut String, table: &Table, annotated: bool) {
    let _ = write!(
        xml,
        r#"<EntitySet Name="{}" EntityType="Microsoft.Dynamics.CRM.{}">"#,
        table.set, table.name
    );
    for navigation in navigations()
        .iter()
        .filter(|navigation| navigation.from == table.name)
    {
        let _ = write!(
            xml,
            r#"<NavigationPropertyBinding Path="{}" Target="{}" />"#,
            navigation.name, navigation.to.set
        );
    }
    if annotated {
        xml.push_str(concat!(
            r#"<Annotation Term="Org.OData.Capabilities.V1.ChangeTracking"><Record>"#,
            r#"<PropertyValue Property="Supported" Bool="true" /></Record></Annotation>"#,
        ));
    }
    xml.push_str("</EntitySet>");
}
