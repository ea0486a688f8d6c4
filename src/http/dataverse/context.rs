//! The body of a webhook: an execution context, of which only the ids are used. It comes in several ages and states:
//! members are added over the years, everything but the ids goes when it is large, and names may be in another encoding.

use std::borrow::Cow;

use actix_web::http::header::HeaderMap;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::domain::crm_notice::CrmNotice;

/// Names longer than any table or message has.
const LONGEST_NAME: usize = 128;

/// What is read of an execution context.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoticeContext {
    pub(super) notice: CrmNotice,
    pub(super) organization_id: Option<Uuid>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Wire<'b> {
    message_name: Option<String>,
    primary_entity_name: Option<String>,
    primary_entity_id: Option<Uuid>,
    organization_id: Option<Uuid>,
    correlation_id: Option<Uuid>,
    // What is not a GUID or a number here is no reason to refuse a notice: then nobody knows who wrote it.
    #[serde(default)]
    user_id: Value,
    #[serde(default)]
    initiating_user_id: Value,
    #[serde(default)]
    depth: Value,
    /// The largest part of most notices; looked into for a merge only.
    #[serde(default, borrow)]
    input_parameters: Option<&'b RawValue>,
}

impl NoticeContext {
    /// Reads a body; `None` when it is no execution context. Text in another encoding than UTF-8 does not matter: ids are
    /// ASCII.
    pub(super) fn parse(body: &[u8], headers: &HeaderMap) -> Option<Self> {
        let text =
            str::from_utf8(body).map_or_else(|_| String::from_utf8_lossy(body), Cow::Borrowed);
        let wire: Wire = serde_json::from_str(&text).ok()?;
        let message = name(wire.message_name, headers, "x-ms-dynamics-request-name")?;
        let table = name(
            wire.primary_entity_name,
            headers,
            "x-ms-dynamics-entity-name",
        )?;
        let merged_id = (message == "Merge")
            .then(|| parameter(wire.input_parameters?, "SubordinateId"))
            .flatten();
        Some(Self {
            organization_id: wire.organization_id,
            notice: CrmNotice {
                record_id: wire.primary_entity_id.filter(|id| !id.is_nil()),
                merged_id,
                correlation_id: wire.correlation_id.map(|id| id.to_string()),
                user_id: guid(&wire.user_id),
                initiating_user_id: guid(&wire.initiating_user_id),
                depth: wire.depth.as_u64().and_then(|depth| depth.try_into().ok()),
                message,
                table: table.to_lowercase(),
            },
        })
    }
}

fn name(said: Option<String>, headers: &HeaderMap, header: &str) -> Option<String> {
    let of_header = || Some(headers.get(header)?.to_str().ok()?.to_owned());
    let name = said.or_else(of_header)?;
    let fits = !name.is_empty() && name.len() <= LONGEST_NAME && !name.contains(char::is_control);
    fits.then_some(name)
}

fn guid(value: &Value) -> Option<Uuid> {
    value.as_str()?.parse().ok()
}

/// A GUID among the parameters, which are a list of keys and values; a value may be wrapped with its type.
fn parameter(parameters: &RawValue, key: &str) -> Option<Uuid> {
    let parameters: Value = serde_json::from_str(parameters.get()).ok()?;
    let found = parameters
        .as_array()?
        .iter()
        .find(|parameter| parameter.get("key").and_then(Value::as_str) == Some(key))?;
    let value = found.get("value")?;
    let text = value.as_str().or_else(|| value.get("__value")?.as_str())?;
    text.parse().ok()
}
