//! Parts of a row and what belongs to it: single columns, navigation, and `$ref`, which ties and unties two rows.

use actix_web::http::{Method, StatusCode};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::cell::{Slot, json_of};
use super::errors::Refusal;
use super::expand::{Navigation, follow, lookup_of, navigation_of, rows_of};
use super::key::Key;
use super::list::{self, context};
use super::payload::{Payload, leads_to, object, resolve};
use super::query::{Annotations, Query};
use super::route::root;
use super::single;
use super::write::{Desk, pointing_to};
use crate::simulator::exchange::{Answer, Call};
use crate::simulator::simulation::Simulation;
use crate::simulator::world::{Packed, Row, Table, ValueRef, World};

/// `GET /accounts(id)/name` and `GET /accounts(id)/primarycontactid`
pub(super) fn read(
    simulation: &Simulation,
    call: &Call,
    table: &'static Table,
    key: &Key,
    part: &str,
) -> Result<Answer, Refusal> {
    let (id, packed) = simulation.world.read(|world| row_of(world, table, key))?;
    let Some(navigation) = navigation_of(table, part) else {
        return simulation
            .world
            .read(|world| column(world, call, table, id, part));
    };
    if navigation.many {
        return list::belonging(simulation, call, navigation, id);
    }
    match packed.get(lookup_of(navigation, table)?) {
        Some(ValueRef::Reference(to, target)) if to.name() == navigation.to.name => {
            single::answer(simulation, call, navigation.to, &Key::Id(target))
        }
        _ => Ok(Answer::empty(StatusCode::NO_CONTENT)),
    }
}

/// `GET /accounts(id)/name/$value`
pub(super) fn raw(
    simulation: &Simulation,
    table: &'static Table,
    key: &Key,
    name: &str,
) -> Result<Answer, Refusal> {
    let slot = Slot::of(table, name).ok_or_else(|| Refusal::no_property(name, table.name))?;
    simulation.world.read(|world| {
        let row = key
            .place(world, table)
            .and_then(|place| rows_of(world, table).at(place));
        let row = row.ok_or_else(|| key.absent(table))?;
        let text = match slot.cell(table, row).map(|cell| json_of(&cell)) {
            None => return Ok(Answer::empty(StatusCode::NO_CONTENT)),
            Some(Json::String(text)) => text,
            Some(other) => other.to_string(),
        };
        let answer = Answer {
            status: StatusCode::OK,
            body: text.into(),
            ..Answer::default()
        };
        Ok(answer.with("content-type", "text/plain"))
    })
}

/// `GET /accounts(id)/contact_customer_accounts/$count`
pub(super) fn count(
    simulation: &Simulation,
    call: &Call,
    table: &'static Table,
    key: &Key,
    name: &str,
) -> Result<Answer, Refusal> {
    let navigation = navigation_of(table, name)
        .filter(|navigation| navigation.many)
        .ok_or_else(|| Refusal::no_property(name, table.name))?;
    let count = simulation.world.read(|world| {
        let (id, _) = row_of(world, table, key)?;
        let query = Query::of(navigation.to, call)?;
        let admits = |row: &Row| {
            query
                .filter
                .as_ref()
                .is_none_or(|filter| filter.admits(world, row))
        };
        let rows = tied_to(world, table, id, navigation)?;
        Ok(rows.into_iter().filter(|row| admits(row)).count())
    })?;
    let answer = Answer {
        status: StatusCode::OK,
        body: count.to_string().into(),
        ..Answer::default()
    };
    Ok(answer.with("content-type", "text/plain"))
}

/// `GET /accounts(id)/primarycontactid/$ref`: where the row is that this one is tied to, or where all are.
pub(super) fn references(
    simulation: &Simulation,
    call: &Call,
    table: &'static Table,
    key: &Key,
    name: &str,
) -> Result<Answer, Refusal> {
    let navigation =
        navigation_of(table, name).ok_or_else(|| Refusal::no_property(name, table.name))?;
    let root = root(call);
    let address =
        |row: &Row| json!({ "@odata.id": format!("{root}/{}({})", navigation.to.set, row.id) });
    let found: Vec<Json> = simulation.world.read(|world| {
        let (id, _) = row_of(world, table, key)?;
        Ok(tied_to(world, table, id, navigation)?
            .into_iter()
            .map(address)
            .collect())
    })?;
    let body = if navigation.many {
        json!({ "@odata.context": format!("{root}/$metadata#Collection($ref)"), "value": found })
    } else {
        let Some(mut one) = found.into_iter().next() else {
            return Ok(Answer::empty(StatusCode::NO_CONTENT));
        };
        if let Json::Object(fields) = &mut one {
            fields.insert(
                "@odata.context".to_owned(),
                format!("{root}/$metadata#$ref").into(),
            );
        }
        one
    };
    Ok(Answer::json(StatusCode::OK, &body))
}

/// The rows that a row is tied to by a navigation property: one at most, or all that point to it.
fn tied_to<'w>(
    world: &'w World,
    table: &Table,
    id: Uuid,
    navigation: &Navigation,
) -> Result<Vec<&'w Row>, Refusal> {
    let lookup = lookup_of(navigation, table)?;
    if navigation.many {
        let all = rows_of(world, navigation.to).from(0).map(|(_, row)| row);
        return Ok(all
            .filter(|row| leads_to(row.packed.get(lookup), table, id))
            .collect());
    }
    let row = rows_of(world, table)
        .get(id)
        .ok_or_else(|| Refusal::no_row(table.name, id))?;
    Ok(follow(world, navigation, lookup, row).into_iter().collect())
}

fn row_of(world: &World, table: &Table, key: &Key) -> Result<(Uuid, Packed), Refusal> {
    let place = key.place(world, table).ok_or_else(|| key.absent(table))?;
    let row = rows_of(world, table)
        .at(place)
        .ok_or_else(|| key.absent(table))?;
    Ok((row.id, row.packed.clone()))
}

fn column(
    world: &World,
    call: &Call,
    table: &'static Table,
    id: Uuid,
    name: &str,
) -> Result<Answer, Refusal> {
    let slot = Slot::of(table, name).ok_or_else(|| Refusal::no_property(name, table.name))?;
    let row = rows_of(world, table)
        .get(id)
        .ok_or_else(|| Refusal::no_row(table.name, id))?;
    let Some(cell) = slot.cell(table, row) else {
        return Ok(Answer::empty(StatusCode::NO_CONTENT));
    };
    let value = json_of(&cell);
    let query = Query::parse(table, |_| None, Annotations::default())?;
    let context = context(call, table, &query, &format!("({id})/{name}"));
    Ok(Answer::json(
        StatusCode::OK,
        &json!({ "@odata.context": context, "value": value }),
    ))
}

impl Desk<'_> {
    /// `PUT`, `PATCH` or `DELETE` of a single column.
    pub fn set_column(
        &mut self,
        call: &Call,
        table: &'static Table,
        key: &Key,
        name: &str,
    ) -> Result<Answer, Refusal> {
        let place = key
            .place(self.world, table)
            .ok_or_else(|| key.absent(table))?;
        self.check_tag(call, table, place)?;
        let value = match call.method {
            Method::DELETE => Json::Null,
            _ => object(&call.body)?.remove("value").unwrap_or_default(),
        };
        let body = serde_json::Map::from_iter([(name.to_owned(), value)]);
        let payload = Payload::read(self.world, table, &body)?;
        self.update(table, place, payload)?;
        Ok(Answer::empty(StatusCode::NO_CONTENT))
    }

    /// `…/navigation/$ref`, or `…/navigation(id)/$ref` for untying one of many.
    pub fn tie(
        &mut self,
        call: &Call,
        table: &'static Table,
        key: &Key,
        navigation: &str,
        target: Option<Key>,
    ) -> Result<Answer, Refusal> {
        let navigation = navigation_of(table, navigation)
            .ok_or_else(|| Refusal::no_property(navigation, table.name))?;
        let (id, _) = row_of(self.world, table, key)?;
        let untie = call.method == Method::DELETE;
        let other = self.other_side(call, target, untie)?;
        // To one: the row itself points. To many: the other row points back.
        let (of, pointing, pointed, to) = if navigation.many {
            let other = other.ok_or_else(|| Refusal::body("The row to untie is not named."))?;
            (navigation.to, other, id, table)
        } else {
            (table, id, other.unwrap_or_default(), navigation.to)
        };
        let column = lookup_of(navigation, table)?;
        let place = Key::Id(pointing)
            .place(self.world, of)
            .ok_or_else(|| Refusal::no_row(of.name, pointing))?;
        let now = rows_of(self.world, of)
            .at(place)
            .and_then(|row| row.packed.get(column));
        if untie && navigation.many && !leads_to(now, to, pointed) {
            return Err(Refusal::no_row(of.name, pointing));
        }
        let value = if untie {
            None
        } else {
            Some(pointing_to(to, pointed)?)
        };
        let payload = Payload {
            columns: vec![(column, value)],
            ..Payload::default()
        };
        self.update(of, place, payload)?;
        Ok(Answer::empty(StatusCode::NO_CONTENT))
    }

    /// The row that is to be tied or untied, where the call names it.
    fn other_side(
        &self,
        call: &Call,
        target: Option<Key>,
        untie: bool,
    ) -> Result<Option<Uuid>, Refusal> {
        if !untie {
            let body = object(&call.body)?;
            let text = body
                .get("@odata.id")
                .and_then(Json::as_str)
                .unwrap_or_default();
            return Ok(Some(resolve(self.world, text)?.1));
        }
        match target {
            Some(Key::Id(other)) => Ok(Some(other)),
            _ => {
                let named = call
                    .parameter("$id")
                    .map(|text| resolve(self.world, &text))
                    .transpose()?;
                Ok(named.map(|(_, id)| id))
            }
        }
    }
}
