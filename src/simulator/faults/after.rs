//! Faults that change an answer which the upstream has already given.

use actix_web::http::StatusCode;
use serde_json::{Map, Value, json};

use super::kind::{FaultKind, LinkForm, TokenPlace};
use crate::simulator::exchange::{Answer, Call, Delivery};
use crate::simulator::partner_center::{BEHIND_THE_END, Continuation};

/// Lets every fault change the answer in turn. Only successful answers are changed.
pub(in crate::simulator) fn change(
    faults: &[FaultKind],
    call: &Call,
    mut answer: Answer,
) -> Answer {
    if answer.status != StatusCode::OK {
        return answer;
    }
    for fault in faults {
        match fault {
            FaultKind::TornBody => answer.delivery = Delivery::Torn,
            FaultKind::TruncatedJson => answer.body = answer.body.slice(..answer.body.len() / 2),
            _ => {
                if let Ok(mut body) = serde_json::from_slice::<Value>(&answer.body)
                    && edit(fault, call, &mut body)
                {
                    answer.body = serde_json::to_vec(&body).unwrap_or_default().into();
                }
            }
        }
    }
    answer
}

/// Changes a body; says whether it did.
fn edit(fault: &FaultKind, call: &Call, body: &mut Value) -> bool {
    match fault {
        FaultKind::NumbersAsText => numbers_as_text(body),
        FaultKind::EndOfListError => {
            let last = body.get("continuationToken").is_none();
            if last {
                let page = requested(call).map_or(1, |from| from.page);
                go_on(
                    body,
                    &Continuation {
                        place: BEHIND_THE_END,
                        page: page + 1,
                    }
                    .token(),
                );
            }
            last
        }
        FaultKind::RepeatedToken => {
            let token = call.header("ms-continuationtoken");
            token.is_some_and(|token| {
                go_on(body, token);
                true
            })
        }
        FaultKind::EmptyPage { .. } => {
            let from = requested(call).unwrap_or(Continuation { place: 0, page: 1 });
            set(body, "items", json!([]));
            go_on(
                body,
                &Continuation {
                    page: from.page + 1,
                    ..from
                }
                .token(),
            );
            true
        }
        FaultKind::TokenOnlyIn {
            place: TokenPlace::Link,
        } => remove(body, "continuationToken"),
        FaultKind::TokenOnlyIn {
            place: TokenPlace::Body,
        } => body
            .get_mut("links")
            .is_some_and(|links| remove(links, "next")),
        FaultKind::NextLink { form } => rewrite_next(body, |uri| match form {
            LinkForm::VersionPrefix => format!("/v1{uri}"),
            LinkForm::SecondQuestionMark => uri.replacen('&', "?", 1),
        }),
        FaultKind::ForeignLink { origin } => foreign_links(body, call, origin),
        FaultKind::UnknownValues => first_item(body).is_some_and(|item| {
            for (name, value) in [
                ("relationshipToPartner", json!("quantum_partner")),
                ("status", json!("hibernating")),
                ("statecode", json!(99)),
            ] {
                if item.contains_key(name) {
                    item.insert(name.to_owned(), value);
                }
            }
            true
        }),
        FaultKind::UnreadableItem => middle_item(body).is_some_and(|item| {
            for name in ["id", "accountid", "contactid"] {
                if item.contains_key(name) {
                    item.insert(name.to_owned(), json!({ "broken": true }));
                }
            }
            item.insert("companyProfile".to_owned(), json!(17));
            true
        }),
        FaultKind::PascalCase => {
            *body = pascal_case(std::mem::take(body));
            true
        }
        _ => false,
    }
}

fn requested(call: &Call) -> Option<Continuation> {
    Continuation::read(call.header("ms-continuationtoken")?)
}

fn set(body: &mut Value, name: &str, value: Value) {
    if let Value::Object(fields) = body {
        fields.insert(name.to_owned(), value);
    }
}

fn remove(body: &mut Value, name: &str) -> bool {
    body.as_object_mut()
        .is_some_and(|fields| fields.shift_remove(name).is_some())
}

/// Makes a page of customers say that the listing goes on at `token`.
fn go_on(body: &mut Value, token: &str) {
    set(body, "continuationToken", token.into());
    if let Some(links) = body.get_mut("links") {
        let headers = json!([{ "key": "MS-ContinuationToken", "value": token }]);
        let uri = "/customers?size=500&seekOperation=Next";
        set(
            links,
            "next",
            json!({ "uri": uri, "method": "GET", "headers": headers }),
        );
    }
}

fn rewrite_next(body: &mut Value, rewrite: impl FnOnce(&str) -> String) -> bool {
    let Some(uri) = body.pointer_mut("/links/next/uri") else {
        return false;
    };
    let written = uri.as_str().map(rewrite);
    if let Some(written) = written {
        *uri = written.into();
    }
    true
}

fn foreign_links(body: &mut Value, call: &Call, origin: &str) -> bool {
    let mut changed = rewrite_next(body, |uri| format!("{origin}/v1{uri}"));
    for name in ["@odata.nextLink", "@odata.deltaLink"] {
        if let Some(link) = body.get_mut(name) {
            let foreign = link
                .as_str()
                .map(|text| text.replacen(&call.origin, origin, 1));
            *link = foreign.into();
            changed = true;
        }
    }
    changed
}

fn items(body: &mut Value) -> Option<&mut Vec<Value>> {
    let name = if body.get("items").is_some() {
        "items"
    } else {
        "value"
    };
    body.get_mut(name)?.as_array_mut()
}

fn first_item(body: &mut Value) -> Option<&mut Map<String, Value>> {
    items(body)?.first_mut()?.as_object_mut()
}

fn middle_item(body: &mut Value) -> Option<&mut Map<String, Value>> {
    let items = items(body)?;
    let middle = items.len() / 2;
    items.get_mut(middle)?.as_object_mut()
}

fn numbers_as_text(body: &mut Value) -> bool {
    if let Value::Object(fields) = body {
        for value in fields.values_mut().filter(|value| value.is_number()) {
            *value = Value::String(value.to_string());
        }
    }
    true
}

fn pascal_case(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| {
                let mut letters = name.chars();
                let first = letters.next().map(|c| c.to_ascii_uppercase());
                (
                    first.into_iter().chain(letters).collect(),
                    pascal_case(value),
                )
            })
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(values) => values.into_iter().map(pascal_case).collect(),
        other => other,
    }
}
