//! Creates, updates, upserts and deletes rows.

use actix_web::http::StatusCode;
use uuid::Uuid;

use super::errors::Refusal;
use super::expand::{lookup_of, rows_of};
use super::key::{ALTERNATE, Key};
use super::payload::{Payload, Related};
use super::query::{Annotations, Query};
use super::route::root;
use super::single::{body, tag};
use crate::domain::context::Context;
use crate::simulator::exchange::{Answer, Call};
use crate::simulator::world::{
    ColumnId, Moment, Packed, Place, Referenced, Table, Value, ValueRef, World,
};

/// The world under the hands of one writer.
pub(super) struct Desk<'d> {
    pub world: &'d mut World,
    pub context: &'d Context,
}

impl Desk<'_> {
    /// Time, and an id for whatever is new.
    pub fn moment(&self) -> Moment {
        Moment {
            now: u32::try_from(self.context.now().timestamp()).unwrap_or_default(),
            fresh: self.context.new_uuid(),
        }
    }

    /// `POST /accounts`
    pub fn create(&mut self, call: &Call, table: &'static Table) -> Result<Answer, Refusal> {
        let payload = Payload::parse(self.world, table, &call.body)?;
        let checked = call.header("mscrm.suppressduplicatedetection") == Some("false");
        if checked && self.resembles_another(table, &payload) {
            let message = "A record was not created or updated because a duplicate of the current record already exists.";
            return Err(Refusal::new(
                StatusCode::PRECONDITION_FAILED,
                "0x80040333",
                message,
            ));
        }
        let id = self.insert(table, payload)?;
        self.written(call, table, id, None, StatusCode::CREATED)
    }

    /// `PATCH /accounts(key)`: updates, or creates what is not there.
    pub fn upsert(
        &mut self,
        call: &Call,
        table: &'static Table,
        key: &Key,
    ) -> Result<Answer, Refusal> {
        let mut payload = Payload::parse(self.world, table, &call.body)?;
        if let Some(place) = key.place(self.world, table) {
            if call.header("if-none-match") == Some("*") {
                return Err(exists());
            }
            self.check_tag(call, table, place)?;
            let id = self.update(table, place, payload)?;
            return self.written(call, table, id, Some(key), StatusCode::OK);
        }
        if call.headers.contains_key("if-match") {
            return Err(key.absent(table));
        }
        match key {
            Key::Id(id) => payload.id = Some(*id),
            Key::Number(number) => {
                let (column, _) = table.column(ALTERNATE).ok_or_else(|| key.absent(table))?;
                payload
                    .columns
                    .push((column, Some(Value::Text(number.clone()))));
            }
        }
        let id = self.insert(table, payload)?;
        self.written(call, table, id, Some(key), StatusCode::CREATED)
    }

    /// `DELETE /accounts(key)`
    pub fn delete(
        &mut self,
        call: &Call,
        table: &'static Table,
        key: &Key,
    ) -> Result<Answer, Refusal> {
        let place = key
            .place(self.world, table)
            .ok_or_else(|| key.absent(table))?;
        self.check_tag(call, table, place)?;
        let id = rows_of(self.world, table)
            .at(place)
            .map(|row| row.id)
            .unwrap_or_default();
        self.remove(table, id)?;
        Ok(Answer::empty(StatusCode::NO_CONTENT))
    }

    /// Deletes a row.
    pub fn remove(&mut self, table: &Table, id: Uuid) -> Result<(), Refusal> {
        let moment = self.moment();
        let deleted = if table.set == "accounts" {
            self.world.delete_account(id, moment)
        } else {
            self.world.delete_contact(id)
        };
        deleted
            .map(drop)
            .map_err(|_| Refusal::no_row(table.name, id))
    }

    /// Adds a row, and the rows in its body: those it points to before it, those that point to it after it.
    pub fn insert(&mut self, table: &'static Table, mut payload: Payload) -> Result<Uuid, Refusal> {
        let (many, single): (Vec<Related>, Vec<Related>) = std::mem::take(&mut payload.related)
            .into_iter()
            .partition(|one| one.navigation.many);
        for Related { navigation, rows } in &single {
            let column = lookup_of(navigation, table)?;
            for row in rows {
                let inner = Payload::read(self.world, navigation.to, row)?;
                let id = self.insert(navigation.to, inner)?;
                payload
                    .columns
                    .push((column, Some(pointing_to(navigation.to, id)?)));
            }
        }
        let moment = self.moment();
        let id = payload.id.unwrap_or(moment.fresh);
        if rows_of(self.world, table).get(id).is_some() {
            return Err(exists());
        }
        self.check_unique(table, &payload, None)?;
        let packed = payload.applied(table, &Packed::default());
        self.world.insert(table, id, moment.now, packed);
        for Related { navigation, rows } in &many {
            let column = lookup_of(navigation, table)?;
            for row in rows {
                let mut inner = Payload::read(self.world, navigation.to, row)?;
                inner.columns.push((column, Some(pointing_to(table, id)?)));
                self.insert(navigation.to, inner)?;
            }
        }
        Ok(id)
    }

    /// Changes a row.
    pub fn update(
        &mut self,
        table: &'static Table,
        place: Place,
        payload: Payload,
    ) -> Result<Uuid, Refusal> {
        if let Some(related) = payload.related.first() {
            return Err(Refusal::body(format!(
                "Deep update of navigation properties is not allowed. Navigation property: {}",
                related.navigation.name
            )));
        }
        self.check_unique(table, &payload, Some(place))?;
        let moment = self.moment();
        let row = rows_of(self.world, table).at(place);
        let (id, packed) = row
            .map(|row| (row.id, row.packed.clone()))
            .unwrap_or_default();
        let packed = payload.applied(table, &packed);
        self.world.replace(table, place, moment.now, packed);
        Ok(id)
    }

    /// Refuses when `If-Match` names another version than the row has.
    pub fn check_tag(&self, call: &Call, table: &Table, place: Place) -> Result<(), Refusal> {
        let Some(wanted) = call.header("if-match").filter(|wanted| *wanted != "*") else {
            return Ok(());
        };
        match rows_of(self.world, table).at(place) {
            Some(row) if wanted.contains(&tag(row)) => Ok(()),
            _ => Err(Refusal::stale_tag()),
        }
    }

    /// Refuses an account number that another account has.
    fn check_unique(
        &self,
        table: &Table,
        payload: &Payload,
        except: Option<Place>,
    ) -> Result<(), Refusal> {
        let Some((column, _)) = table.column(ALTERNATE) else {
            return Ok(());
        };
        let given = payload.columns.iter().find_map(|(id, value)| match value {
            Some(Value::Text(text)) if *id == column => Some(text.clone()),
            _ => None,
        });
        let holder = given.and_then(|number| Key::Number(number).place(self.world, table));
        match holder {
            Some(place) if Some(place) != except => Err(exists()),
            _ => Ok(()),
        }
    }

    /// Whether another active row has the same name or e-mail address.
    fn resembles_another(&self, table: &Table, payload: &Payload) -> bool {
        let Some((state, _)) = table.column("statecode") else {
            return false;
        };
        let telling = ["name", "emailaddress1"].map(|name| table.column(name).map(|(id, _)| id));
        let given: Vec<(ColumnId, String)> = payload
            .columns
            .iter()
            .filter(|(id, _)| telling.contains(&Some(*id)))
            .filter_map(|(id, value)| match value {
                Some(Value::Text(text)) => Some((*id, text.to_lowercase())),
                _ => None,
            })
            .collect();
        rows_of(self.world, table).from(0).any(|(_, row)| {
            row.packed.get(state) != Some(ValueRef::Whole(1))
                && given.iter().any(|(id, text)| {
                    row.packed
                        .text(*id)
                        .is_some_and(|known| known.to_lowercase() == *text)
                })
        })
    }

    /// 204 with the row's address, or the row itself when the caller prefers it.
    fn written(
        &self,
        call: &Call,
        table: &'static Table,
        id: Uuid,
        key: Option<&Key>,
        with_row: StatusCode,
    ) -> Result<Answer, Refusal> {
        // Dataverse repeats an alternate key instead of saying the id.
        let named = match key {
            Some(Key::Number(number)) => format!("{ALTERNATE}='{}'", number.replace('\'', "''")),
            _ => id.to_string(),
        };
        let address = format!("{}/{}({named})", root(call), table.set);
        let row = rows_of(self.world, table)
            .get(id)
            .ok_or_else(|| Refusal::no_row(table.name, id))?;
        let answer = if call
            .preferences()
            .any(|preference| preference == "return=representation")
        {
            let query = Query::parse(table, |name| call.parameter(name), Annotations::of(call))?;
            Answer::json_text(with_row, body(call, table, &query, self.world, row))
                .with("preference-applied", "return=representation")
        } else {
            Answer::empty(StatusCode::NO_CONTENT)
        };
        Ok(answer
            .with("odata-entityid", &address)
            .with("location", &address)
            .with("etag", &tag(row)))
    }
}

/// A reference to a row.
pub(super) fn pointing_to(table: &Table, id: Uuid) -> Result<Value, Refusal> {
    let referenced =
        Referenced::of_set(table.set).ok_or_else(|| Refusal::no_resource(table.set))?;
    Ok(Value::Reference(referenced, id))
}

fn exists() -> Refusal {
    let message = "A record with matching key values already exists.";
    Refusal::new(StatusCode::PRECONDITION_FAILED, "0x80040237", message)
}
