//! `BulkDelete`: deletes the rows that queries find. In Dataverse a job does it after the answer; here it is done before,
//! so that nobody must wait, and the job's id leads nowhere.

use actix_web::http::StatusCode;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::errors::Refusal;
use super::payload::object;
use super::route::root;
use super::write::Desk;
use crate::simulator::exchange::{Answer, Call};
use crate::simulator::world::{Table, table};

impl Desk<'_> {
    /// `POST /BulkDelete`: as far as conditions name rows by their primary key.
    pub fn bulk_delete(&mut self, call: &Call) -> Result<Answer, Refusal> {
        let body = object(&call.body)?;
        let queries = body.get("QuerySet").and_then(Json::as_array);
        let queries =
            queries.ok_or_else(|| Refusal::body("The parameter 'QuerySet' is missing."))?;
        for query in queries {
            let name = query
                .get("EntityName")
                .and_then(Json::as_str)
                .unwrap_or_default();
            let table = table(name)
                .filter(|table| table.name == name)
                .ok_or_else(|| Refusal::body(format!("There is no entity '{name}'.")))?;
            for id in ids(table, query)? {
                // A row that is gone already is nothing to a job that deletes.
                let _ = self.remove(table, id);
            }
        }
        let name = "Microsoft.Dynamics.CRM.BulkDeleteResponse";
        let context = format!("{}/$metadata#{name}", root(call));
        let body = json!({ "@odata.context": context, "JobId": self.moment().fresh });
        Ok(Answer::json(StatusCode::OK, &body))
    }
}

/// The ids in the one condition that is understood: `accountid` equal to, or in.
fn ids(table: &Table, query: &Json) -> Result<Vec<Uuid>, Refusal> {
    let conditions = query
        .pointer("/Criteria/Conditions")
        .and_then(Json::as_array);
    let [condition] = conditions.map(Vec::as_slice).unwrap_or_default() else {
        return Err(Refusal::body(
            "BulkDelete is only simulated for one condition on the primary key.",
        ));
    };
    let text = |name: &str| {
        condition
            .get(name)
            .and_then(Json::as_str)
            .unwrap_or_default()
    };
    let key = table.columns.first().map_or("", |column| column.name);
    if text("AttributeName") != key || !matches!(text("Operator"), "In" | "Equal") {
        return Err(Refusal::body(format!(
            "BulkDelete is only simulated for '{key}' Equal or In."
        )));
    }
    let values = condition.get("Values").and_then(Json::as_array);
    values
        .into_iter()
        .flatten()
        .map(|value| {
            let id = value
                .get("Value")
                .unwrap_or(value)
                .as_str()
                .unwrap_or_default();
            Uuid::parse_str(id).map_err(|_| Refusal::body(format!("'{id}' is no id.")))
        })
        .collect()
}
