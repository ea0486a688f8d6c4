//! Dataverse's error answers: a hexadecimal code and a message.

use actix_web::http::StatusCode;
use serde_json::json;

use super::query::Annotations;
use crate::simulator::exchange::{Answer, Call};

/// The content type of every answer with JSON in it.
pub(super) const JSON: &str = "application/json; odata.metadata=minimal";

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::simulator) struct Refusal {
    pub status: StatusCode,
    pub code: &'static str,
    pub message: String,
    pub retry_after: Option<String>,
}

impl Refusal {
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            retry_after: None,
        }
    }

    /// A query that cannot be read.
    pub fn query(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "0x80060888", message)
    }

    /// A column or navigation that the table does not have.
    pub fn no_property(name: &str, table: &str) -> Self {
        Self::query(format!(
            "Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{table}'."
        ))
    }

    /// A body that cannot be read.
    pub fn body(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "0x80048d19", message)
    }

    /// No row of that id.
    pub fn no_row(table: &str, id: uuid::Uuid) -> Self {
        let message = format!("Entity '{table}' With Id = {id} Does Not Exist");
        Self::new(StatusCode::NOT_FOUND, "0x80040217", message)
    }

    /// No row of that alternate key.
    pub fn no_key(table: &str) -> Self {
        let message =
            format!("A record with the specified key values does not exist in {table} entity");
        Self::new(StatusCode::NOT_FOUND, "0x80060891", message)
    }

    /// No such address.
    pub fn no_resource(path: &str) -> Self {
        let message = format!("Resource not found for the segment '{path}'.");
        Self::new(StatusCode::NOT_FOUND, "0x8006088a", message)
    }

    /// The row is another than the entity tag says.
    pub fn stale_tag() -> Self {
        let message =
            "The version of the existing record doesn't match the RowVersion property provided.";
        Self::new(StatusCode::PRECONDITION_FAILED, "0x80060882", message)
    }

    /// The token of change tracking is too old.
    pub fn expired_delta() -> Self {
        let message =
            "Version stamp associated with the client has expired. Please perform a full sync.";
        Self::new(StatusCode::BAD_REQUEST, "0x80044352", message)
    }

    /// Too many requests in the window.
    pub fn throttled(retry_after: Option<String>) -> Self {
        let message =
            "Number of requests exceeded the limit of 6000 over time window of 300 seconds.";
        Self {
            retry_after,
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "0x80072322", message)
        }
    }

    /// The answer.
    pub fn answer(&self) -> Answer {
        self.answer_with(false)
    }

    /// The answer to a caller, with the details it wants.
    pub fn answer_to(&self, call: &Call) -> Answer {
        self.answer_with(Annotations::of(call).errors)
    }

    fn answer_with(&self, details: bool) -> Answer {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let (true, Some(fields)) = (details, error.as_object_mut()) {
            let code = self.code.trim_start_matches("0x");
            let help = format!(
                "http://go.microsoft.com/fwlink/?LinkID=398563&error=Microsoft.Crm.CrmException%3a{code}&client=platform"
            );
            let name = |end: &str| format!("@Microsoft.PowerApps.CDS.{end}");
            fields.insert(name("ErrorDetails.OperationStatus"), "0".into());
            fields.insert(name("HelpLink"), help.into());
            fields.insert(name("TraceText"), "".into());
            fields.insert(name("InnerError.Message"), self.message.clone().into());
        }
        let answer = Answer::json(self.status, &json!({ "error": error }))
            .instead("content-type", JSON)
            .with("odata-version", "4.0");
        match &self.retry_after {
            Some(when) => answer.with("retry-after", when),
            None => answer,
        }
    }
}
