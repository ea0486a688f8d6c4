//! `$batch`: many requests in one. A change set is a transaction; without `odata.continue-on-error` the first failure ends
//! the batch and gives it its status.

use actix_web::http::{Method, StatusCode};

use super::errors::Refusal;
use super::multipart::{self, Part, boundary, request, write};
use super::write::Desk;
use super::{respond, write_into};
use crate::simulator::exchange::{Answer, Call};
use crate::simulator::simulation::Simulation;

/// Requests in one batch at most.
const MOST_REQUESTS: usize = 1000;

/// Answers a batch.
pub(super) fn answer(simulation: &Simulation, call: &Call) -> Result<Answer, Refusal> {
    let outer = call.header("content-type").and_then(boundary);
    let outer = outer.ok_or_else(|| {
        Refusal::body("The content type of a batch must be multipart/mixed with a boundary.")
    })?;
    let text =
        std::str::from_utf8(&call.body).map_err(|_| Refusal::body("The batch is not UTF-8."))?;
    let parts = multipart::parts(text, outer)?;
    let go_on = call
        .preferences()
        .any(|preference| preference.starts_with("odata.continue-on-error"));
    let name = format!("batchresponse_{}", simulation.context.new_uuid());
    let mut out = Vec::new();
    let mut status = StatusCode::OK;
    let mut count = 0;
    for part in &parts {
        let failed = match part.header("content-type").and_then(boundary) {
            Some(inner) => {
                let set = multipart::parts(part.body, inner)?;
                count += set.len();
                change_set(simulation, call, &set, &name, &mut out)
            }
            None => {
                count += 1;
                single(simulation, call, part, &name, &mut out)?
            }
        };
        if count > MOST_REQUESTS {
            return Err(Refusal::body(format!(
                "A batch has at most {MOST_REQUESTS} requests."
            )));
        }
        if let (Some(failed), false) = (failed, go_on) {
            status = failed;
            break;
        }
    }
    out.extend(format!("--{name}--\r\n").bytes());
    let kind = format!("multipart/mixed; boundary={name}");
    Ok(Answer {
        status,
        body: out.into(),
        ..Answer::default()
    }
    .with("content-type", &kind))
}

/// Answers one request; gives its status when it failed.
fn single(
    simulation: &Simulation,
    outer: &Call,
    part: &Part<'_>,
    boundary: &str,
    out: &mut Vec<u8>,
) -> Result<Option<StatusCode>, Refusal> {
    let call = request(part.body, outer)?;
    if call.path.ends_with("/$batch") {
        return Err(Refusal::body("A batch cannot be inside a batch."));
    }
    let answer = respond(simulation, &call).unwrap_or_else(|refusal| refusal.answer_to(&call));
    write(out, boundary, &answer, part.header("content-id"));
    let failed = answer.status.is_client_error() || answer.status.is_server_error();
    Ok(failed.then_some(answer.status))
}

/// Answers a change set: all of it, or its first failure and nothing done.
fn change_set(
    simulation: &Simulation,
    outer: &Call,
    parts: &[Part<'_>],
    name: &str,
    out: &mut Vec<u8>,
) -> Option<StatusCode> {
    let inner = format!("changesetresponse_{}", simulation.context.new_uuid());
    let head = format!("--{name}\r\nContent-Type: multipart/mixed; boundary={inner}\r\n\r\n");
    out.extend(head.bytes());
    let done = simulation.world.write(|world, _| {
        world.attempt(|world| {
            let mut desk = Desk {
                world,
                context: &simulation.context,
            };
            let mut named: Vec<(String, String)> = Vec::new();
            let mut answers = Vec::new();
            for part in parts {
                let id = part.header("content-id").map(str::to_owned);
                let answer = step(&mut desk, outer, part, &named)
                    .map_err(|refusal| (refusal, id.clone()))?;
                let address = answer
                    .headers
                    .iter()
                    .find(|(name, _)| name == "odata-entityid");
                let address = address.and_then(|(_, value)| value.to_str().ok().map(str::to_owned));
                named.extend(id.clone().zip(address));
                answers.push((answer, id));
            }
            Ok(answers)
        })
    });
    let failed = done
        .as_ref()
        .err()
        .map(|(refusal, _): &(Refusal, Option<String>)| refusal.status);
    let answers = done.unwrap_or_else(|(refusal, id)| vec![(refusal.answer_to(outer), id)]);
    for (answer, id) in &answers {
        write(out, &inner, answer, id.as_deref());
    }
    out.extend(format!("--{inner}--\r\n").bytes());
    failed
}

fn step(
    desk: &mut Desk<'_>,
    outer: &Call,
    part: &Part<'_>,
    named: &[(String, String)],
) -> Result<Answer, Refusal> {
    let call = request(&referred(part.body, outer, named)?, outer)?;
    if call.method == Method::GET {
        return Err(Refusal::body(
            "A GET request is not allowed in a change set.",
        ));
    }
    write_into(desk, &call)
}

/// Puts addresses in the place of `$1`: at the start of the request's address and as whole texts in its body.
fn referred(text: &str, outer: &Call, named: &[(String, String)]) -> Result<String, Refusal> {
    let unknown = |id: &str| {
        Refusal::body(format!(
            "Content-ID Reference: '${id}' does not exist in the batch context."
        ))
    };
    let mut text = text.trim_start().to_owned();
    let mut words = text.splitn(3, ' ');
    if let (Some(method), Some(address), Some(rest)) = (words.next(), words.next(), words.next())
        && let Some(reference) = address
            .strip_prefix(&format!("{}/", outer.origin))
            .unwrap_or(address)
            .strip_prefix('$')
            .filter(|reference| reference.starts_with(|c: char| c.is_ascii_digit()))
    {
        let id = reference.split('/').next().unwrap_or_default();
        let below = reference.strip_prefix(id).unwrap_or_default();
        let found = named.iter().find(|(known, _)| known == id);
        let (_, address) = found.ok_or_else(|| unknown(id))?;
        text = format!("{method} {address}{below} {rest}");
    }
    for (id, address) in named {
        text = text.replace(&format!("\"${id}\""), &format!("\"{address}\""));
    }
    match text
        .split("\"$")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
    {
        Some(id) if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()) => {
            Err(unknown(id))
        }
        _ => Ok(text),
    }
}
