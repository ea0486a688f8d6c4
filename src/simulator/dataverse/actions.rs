//! Actions: writes of many rows at once, which succeed or fail altogether, and `Merge`.

use actix_web::http::StatusCode;
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::errors::Refusal;
use super::expand::rows_of;
use super::key::{ALTERNATE, Key};
use super::payload::{Payload, object};
use super::route::root;
use super::write::Desk;
use crate::domain::ids::AccountId;
use crate::simulator::exchange::{Answer, Call};
use crate::simulator::world::{ACCOUNT, Change, Table};

/// So many rows may be written at once.
const MOST_TARGETS: usize = 1000;

/// An action on many rows of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Create,
    Update,
    Upsert,
}

impl Action {
    /// The action of that name, with or without its namespace.
    pub fn of(name: &str) -> Option<Self> {
        Some(
            match name.strip_prefix("Microsoft.Dynamics.CRM.").unwrap_or(name) {
                "CreateMultiple" => Self::Create,
                "UpdateMultiple" => Self::Update,
                "UpsertMultiple" => Self::Upsert,
                _ => return None,
            },
        )
    }
}

impl Desk<'_> {
    /// Writes every target, or none.
    pub fn multiple(
        &mut self,
        call: &Call,
        table: &'static Table,
        action: Action,
    ) -> Result<Answer, Refusal> {
        let body = object(&call.body)?;
        let targets = body.get("Targets").and_then(Json::as_array);
        let targets =
            targets.ok_or_else(|| Refusal::body("The parameter 'Targets' is missing."))?;
        if targets.is_empty() || targets.len() > MOST_TARGETS {
            return Err(Refusal::body(format!(
                "'Targets' must have 1 to {MOST_TARGETS} rows."
            )));
        }
        let mut ids = Vec::with_capacity(targets.len());
        for target in targets {
            let fields = typed(target, table)?;
            let payload = Payload::read(self.world, table, fields)?;
            ids.push(self.write_target(table, action, payload)?);
        }
        Ok(if action == Action::Create {
            let name = "Microsoft.Dynamics.CRM.CreateMultipleResponse";
            let context = format!("{}/$metadata#{name}", root(call));
            Answer::json(
                StatusCode::OK,
                &json!({ "@odata.context": context, "Ids": ids }),
            )
        } else {
            Answer::empty(StatusCode::NO_CONTENT)
        })
    }

    fn write_target(
        &mut self,
        table: &'static Table,
        action: Action,
        mut payload: Payload,
    ) -> Result<Uuid, Refusal> {
        if action == Action::Create {
            return self.insert(table, payload);
        }
        let key = payload.key.take().or(payload.id.map(Key::Id));
        let key = key.ok_or_else(|| {
            Refusal::new(
                StatusCode::BAD_REQUEST,
                "0x80040216",
                "A target does not say which row it is.",
            )
        })?;
        match key.place(self.world, table) {
            Some(place) => self.update(table, place, payload),
            None if action == Action::Upsert => {
                match key {
                    Key::Id(id) => payload.id = Some(id),
                    Key::Number(number) => {
                        let named = Map::from_iter([(ALTERNATE.to_owned(), number.into())]);
                        payload
                            .columns
                            .extend(Payload::read(self.world, table, &named)?.columns);
                    }
                }
                self.insert(table, payload)
            }
            None => Err(key.absent(table)),
        }
    }

    /// `POST /Merge`: for accounts, as the product meets them.
    pub fn merge(&mut self, call: &Call) -> Result<Answer, Refusal> {
        let body = object(&call.body)?;
        let (target, subordinate) = (side(&body, "Target")?, side(&body, "Subordinate")?);
        for id in [target, subordinate] {
            rows_of(self.world, &ACCOUNT)
                .get(id)
                .ok_or_else(|| Refusal::no_row("account", id))?;
        }
        let change = Change::MergeAccounts {
            account: AccountId::new(subordinate),
            into: AccountId::new(target),
        };
        let moment = self.moment();
        self.world
            .change(change, moment)
            .map_err(|error| Refusal::body(error.to_string()))?;
        if let Some(content) = body.get("UpdateContent").and_then(Json::as_object) {
            let payload = Payload::read(self.world, &ACCOUNT, content)?;
            let place = Key::Id(target).place(self.world, &ACCOUNT);
            let place = place.ok_or_else(|| Refusal::no_row("account", target))?;
            self.update(&ACCOUNT, place, payload)?;
        }
        Ok(Answer::empty(StatusCode::NO_CONTENT))
    }
}

/// The account that a parameter of `Merge` names.
fn side(body: &Map<String, Json>, name: &str) -> Result<Uuid, Refusal> {
    let entity = body.get(name);
    let entity =
        entity.ok_or_else(|| Refusal::body(format!("The parameter '{name}' is missing.")))?;
    let fields = typed(entity, &ACCOUNT)?;
    let id = fields
        .get("accountid")
        .and_then(Json::as_str)
        .and_then(|id| Uuid::parse_str(id).ok());
    id.ok_or_else(|| Refusal::body(format!("'{name}' has no accountid.")))
}

/// The fields of a row whose `@odata.type` must be the table's.
fn typed<'j>(value: &'j Json, table: &Table) -> Result<&'j Map<String, Json>, Refusal> {
    let fields = value
        .as_object()
        .ok_or_else(|| Refusal::body("A row was expected."))?;
    let expected = format!("Microsoft.Dynamics.CRM.{}", table.name);
    let given = fields
        .get("@odata.type")
        .and_then(Json::as_str)
        .unwrap_or_default();
    if given.trim_start_matches('#') == expected {
        Ok(fields)
    } else {
        Err(Refusal::body(format!(
            "'@odata.type' must be '{expected}', but is '{given}'."
        )))
    }
}
