//! `Idempotency-Key` (decision 10), for every call to `/v1` that changes something: the first one is carried out, the same
//! again gets the first answer. It stands behind the gate, because a key belongs to its caller.
//!
//! What surprises: a key names one request, path and all, so the same key for another resource is refused too; and only a
//! success is kept, because what came to nothing may be tried again.

use actix_web::body::{BoxBody, to_bytes};
use actix_web::dev::{Payload, Service, ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::web::Bytes;
use actix_web::{Error, HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::answer::problem_of;
use super::api::triggers::WORKFLOW_ID;
use super::problem::{Outcome, Problem, ProblemCode};
use super::state::ApiState;
use crate::flows::idempotency::{Again, CallKey, FirstCall, KeptAnswer, Repeat};

/// Characters of a key at most.
pub const LONGEST_KEY: usize = 255;
const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Says that an answer is a first call's.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// What of an answer is given again beside its body; the rest is made anew by [`super::edge`].
const KEPT_HEADERS: [HeaderName; 4] = [
    header::CONTENT_TYPE,
    header::ETAG,
    header::LOCATION,
    header::RETRY_AFTER,
];

/// Headers and body of an answer, as they are sealed.
#[derive(Serialize, Deserialize)]
struct Kept {
    headers: Vec<(String, String)>,
    body: String,
}

/// Whether a request changes something and brings a key.
pub fn concerns(request: &ServiceRequest) -> bool {
    *request.method() != Method::GET
        && *request.method() != Method::HEAD
        && request.headers().contains_key(IDEMPOTENCY_KEY)
}

/// The caller's key.
fn key(request: &ServiceRequest) -> Outcome<String> {
    let mut values = request.headers().get_all(IDEMPOTENCY_KEY);
    let one = values.next().filter(|_| values.next().is_none());
    let text = one.and_then(|value| value.to_str().ok());
    text.filter(|text| {
        (1..=LONGEST_KEY).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
    })
    .map(str::to_owned)
    .ok_or_else(|| {
        Problem::invalid(format!(
            "Send one Idempotency-Key of 1 to {LONGEST_KEY} visible ASCII characters, or none."
        ))
    })
}

/// Everything that makes two requests the same.
fn hash(request: &ServiceRequest, body: &[u8]) -> Vec<u8> {
    let header = |name: &str| {
        let value = request.headers().get(name);
        value.map(HeaderValue::as_bytes).unwrap_or_default()
    };
    let parts = [
        request.uri().path().as_bytes(),
        request.query_string().as_bytes(),
        header("if-match"),
        header(WORKFLOW_ID),
        body,
    ];
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().to_vec()
}

/// Carries a request out, or gives the answer that the first one with its key got.
pub async fn once<S>(
    state: &ApiState,
    owner: String,
    mut request: ServiceRequest,
    service: &S,
) -> Result<ServiceResponse<BoxBody>, Error>
where
    S: Service<ServiceRequest, Response = ServiceResponse<BoxBody>, Error = Error>,
{
    // What no route answers changes nothing.
    let Some(path) = request.match_pattern() else {
        return service.call(request).await;
    };
    let key = match key(&request) {
        Ok(key) => key,
        Err(problem) => return Ok(request.error_response(problem)),
    };
    let body = match request.extract::<Bytes>().await {
        Ok(body) => body,
        Err(error) => return Ok(request.error_response(problem_of(&error))),
    };
    let operation = format!("{} {path}", request.method());
    let hash = hash(&request, &body);
    let key = CallKey {
        owner,
        operation,
        key,
    };
    request.set_payload(Payload::from(body));
    match state.flows.begin_repeatable(key, hash).await {
        Ok(Repeat::First(call)) => {
            let answer = call.carry_out(service.call(request)).await?;
            settle(call, answer).await
        }
        Ok(Repeat::Running) => Ok(request.error_response(still_runs())),
        Ok(Repeat::Again(again)) => Ok(respond(request.into_parts().0, replay(again))),
        Err(error) => Ok(request.error_response(Problem::from(error))),
    }
}

/// Commits a success with its answer, and lets go of anything else.
async fn settle(
    call: FirstCall,
    response: ServiceResponse<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let (request, response) = response.into_parts();
    if !response.status().is_success() {
        return Ok(match call.failed().await {
            Ok(None) => ServiceResponse::new(request, response),
            Ok(Some(again)) => respond(request, replay(again)),
            Err(error) => ServiceResponse::from_err(Problem::from(error), request),
        });
    }
    let (head, body) = response.into_parts();
    let Ok(body) = to_bytes(body).await else {
        return Ok(ServiceResponse::from_err(Problem::internal(), request));
    };
    let headers = KEPT_HEADERS.iter().filter_map(|name| {
        let value = head.headers().get(name)?.to_str().ok()?;
        Some((name.to_string(), value.to_owned()))
    });
    let kept = Kept {
        headers: headers.collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let answer = KeptAnswer {
        status: head.status().as_u16(),
        text: serde_json::json!(kept).to_string(),
    };
    Ok(match call.answered(&answer).await {
        Ok(None) => ServiceResponse::new(request, head.set_body(BoxBody::new(body))),
        Ok(Some(again)) => respond(request, replay(again)),
        Err(error) => ServiceResponse::from_err(Problem::from(error), request),
    })
}

fn respond(request: HttpRequest, outcome: Outcome<HttpResponse>) -> ServiceResponse<BoxBody> {
    match outcome {
        Ok(response) => ServiceResponse::new(request, response),
        Err(problem) => ServiceResponse::from_err(problem, request),
    }
}

/// What a repeated call is answered.
fn replay(again: Again) -> Outcome<HttpResponse> {
    match again {
        Again::Answer(kept) => the_same(&kept).ok_or_else(unreadable),
        Again::Mismatch => Err(Problem::new(
            ProblemCode::IdempotencyMismatch,
            "This Idempotency-Key was used with another request; use a new key for each thing you want done.",
        )),
        Again::Unreadable => Err(unreadable()),
    }
}

/// A first call's answer, again.
fn the_same(kept: &KeptAnswer) -> Option<HttpResponse> {
    let answer: Kept = serde_json::from_str(&kept.text).ok()?;
    let mut response = HttpResponse::build(StatusCode::from_u16(kept.status).ok()?);
    response.insert_header((REPLAYED, HeaderValue::from_static("true")));
    for (name, value) in answer.headers {
        response.insert_header((name, value));
    }
    Some(response.body(answer.body))
}

fn still_runs() -> Problem {
    Problem::new(
        ProblemCode::IdempotencyInProgress,
        "The first call with this Idempotency-Key still runs; repeat the call in a moment to get its answer.",
    )
}

fn unreadable() -> Problem {
    Problem::new(
        ProblemCode::Conflict,
        "The first call with this Idempotency-Key was carried out, but its answer cannot be opened any more. Look at the \
         present state; to do it once more, send another key.",
    )
}
