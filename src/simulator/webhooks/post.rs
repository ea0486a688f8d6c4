//! A notice on its way: body, headers, and where its secret stands.

use actix_web::web::Bytes;
use serde_json::Value;

use super::notice::Notice;
use super::{WebhookAuthentication, WebhookEndpoint};
use crate::domain::context::Context;
use crate::simulator::faults::FaultKind;

/// What is larger goes without the parts that make it large.
const LARGEST: usize = 256 * 1024;
/// Those parts.
const STRIPPED: [&str; 6] = [
    "InputParameters",
    "OutputParameters",
    "ParentContext",
    "PostEntityImages",
    "PreEntityImages",
    "SharedVariables",
];

/// Body and headers.
pub(super) struct Outgoing {
    pub body: Bytes,
    headers: Vec<(&'static str, String)>,
}

impl Outgoing {
    pub(super) fn of(
        notice: &Notice,
        context: &Context,
        organisation: &str,
        hits: &[FaultKind],
    ) -> Self {
        let swollen = hits.contains(&FaultKind::NoticeSwollen);
        let mut whole = notice.context(context, swollen);
        let mut headers = vec![
            ("content-type", "application/json; charset=utf-8".to_owned()),
            ("x-ms-dynamics-organization", organisation.to_owned()),
            ("x-ms-dynamics-entity-name", notice.table.to_owned()),
            (
                "x-ms-dynamics-request-name",
                notice.message.name().to_owned(),
            ),
            (
                "x-ms-correlation-request-id",
                context.new_uuid().to_string(),
            ),
        ];
        let mut text = whole.to_string();
        if text.len() > LARGEST {
            if let Value::Object(members) = &mut whole {
                members.retain(|name, _| !STRIPPED.contains(&name.as_str()));
            }
            text = whole.to_string();
            headers.push(("x-ms-dynamics-msg-size-exceeded", "true".to_owned()));
        }
        let body = if hits.contains(&FaultKind::NoticeMangled) {
            Bytes::from(mangled(&text))
        } else {
            Bytes::from(text)
        };
        Self { body, headers }
    }
}

/// The text in Windows-1252, whatever the header says; what that cannot write is a question mark. Its letters above 127 are
/// those of Latin-1, but for a few signs that names seldom have.
fn mangled(text: &str) -> Vec<u8> {
    text.chars()
        .map(|char| match u32::from(char) {
            code @ (0..=0x7f | 0xa0..=0xff) => u8::try_from(code).unwrap_or(b'?'),
            0x20ac => 0x80,
            0x2013 => 0x96,
            0x2019 => 0x92,
            _ => b'?',
        })
        .collect()
}

/// The client. A webhook follows no redirect.
#[expect(
    clippy::disallowed_methods,
    reason = "the stand-in calls as Dataverse would, not as the product does"
)]
pub(super) fn client() -> reqwest::Client {
    let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    builder.build().unwrap_or_default()
}

/// Posts it once; the status, or 0 when no answer came.
pub(super) async fn post(
    client: &reqwest::Client,
    endpoint: &WebhookEndpoint,
    outgoing: &Outgoing,
) -> u16 {
    let Ok(mut url) = reqwest::Url::parse(&endpoint.url) else {
        return 0;
    };
    let mut header = None;
    match &endpoint.authentication {
        WebhookAuthentication::HttpHeader { name, value } => header = Some((name, value)),
        WebhookAuthentication::WebhookKey { value } => {
            url.query_pairs_mut().append_pair("code", value);
        }
        WebhookAuthentication::HttpQueryString { name, value } => {
            url.query_pairs_mut().append_pair(name, value);
        }
    }
    let mut request = client.post(url).body(outgoing.body.clone());
    for (name, value) in &outgoing.headers {
        request = request.header(*name, value);
    }
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    let answer = request.send().await;
    answer.map_or(0, |answer| answer.status().as_u16())
}
