//! Webhooks of Dataverse (H4, decision 9): is it from our organisation, then keep it, then answer. There is no signature,
//! only a shared secret, so the secret is compared before anything of the body is read.
//!
//! What surprises: only 503 makes Dataverse send again, and once; whatever else is refused is never sent again. The next
//! reading of the CRM's changes brings what was lost, so a refusal is never a loss for good.

mod context;
mod door;

use actix_web::http::header::{self, HeaderName};
use actix_web::web::{Bytes, BytesMut, Data, Payload};
use actix_web::{HttpRequest, HttpResponse, post};
use futures_util::StreamExt;

pub use door::{NoticeDoor, NoticeSettings};

use self::context::NoticeContext;
use super::problem::{Outcome, Problem, ProblemCode};
use super::state::ApiState;
use crate::flows::receive_crm_notice::ReceivedNotice;

/// Dataverse takes everything but the ids out of what is larger than 256 KB; this leaves room for headers to be wrong.
const MOST_BYTES: usize = 1024 * 1024;
/// Kept with a notice; no other header is, because others carry secrets.
static KEPT_HEADERS: [HeaderName; 6] = [
    HeaderName::from_static("x-ms-dynamics-organization"),
    HeaderName::from_static("x-ms-dynamics-entity-name"),
    HeaderName::from_static("x-ms-dynamics-request-name"),
    HeaderName::from_static("x-ms-correlation-request-id"),
    HeaderName::from_static("x-ms-dynamics-msg-size-exceeded"),
    header::CONTENT_TYPE,
];

/// Receive a Dataverse notice
///
/// Takes a webhook of Dataverse about an account or a contact: keeps it, then reads what changed. The shared secret stands
/// in a header (authentication HttpHeader), or in the query as `code` (WebhookKey) or `secret` (HttpQueryString).
#[utoipa::path(
    tag = "Webhooks",
    request_body(content = Object, description = "The execution context, as Dataverse sends it.", content_type = "application/json"),
    responses(
        (status = 202, description = "It is kept."),
        (status = 400, description = "The body is not an execution context."),
        (status = 401, description = "The secret is missing or unknown."),
        (status = 403, description = "It comes from another organisation."),
        (status = 404, description = "This deployment takes no webhooks of Dataverse."),
        (status = 413, description = "The body is larger than Dataverse ever sends."),
        (status = 503, description = "It could not be kept; send it again."),
    ),
)]
#[post("/webhooks/dataverse")]
pub(super) async fn receive_dataverse_notice(
    request: HttpRequest,
    payload: Payload,
    state: Data<ApiState>,
) -> Outcome<HttpResponse> {
    admit(&request, &state).await?;
    let body = read(payload).await?;
    let Some(context) = NoticeContext::parse(&body, request.headers()) else {
        state.flows.receive_unreadable_crm_notice().await?;
        return Err(Problem::new(
            ProblemCode::InvalidRequest,
            "The body is not the JSON of an execution context. Register the step as a webhook, with its body as Dataverse makes it.",
        ));
    };
    state
        .dataverse
        .check_organization(context.organization_id)?;
    let received = ReceivedNotice {
        notice: context.notice,
        headers: kept_headers(&request),
        body: body.into(),
    };
    let inbox = state.dataverse.inbox();
    state.flows.receive_crm_notice(inbox, received).await?;
    Ok(HttpResponse::Accepted().finish())
}

/// Lets in who knows a secret and names our organisation. Who names it without a secret is an exception (H4): Dataverse
/// does not send again, and nobody would notice.
async fn admit(request: &HttpRequest, state: &ApiState) -> Result<(), Problem> {
    let refused = match state.dataverse.admit(request) {
        Ok(()) => return Ok(()),
        Err(refused) => refused,
    };
    metrics::counter!("dataverse_webhooks_refused_total").increment(1);
    tracing::warn!(why = refused.why(), "a webhook of Dataverse was refused");
    if state
        .dataverse
        .worth_reporting(&refused, state.flows.context.now())
    {
        state.flows.report_refused_crm_notice(refused.why()).await?;
    }
    Err(refused.into())
}

async fn read(mut payload: Payload) -> Result<Bytes, Problem> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| {
            Problem::new(
                ProblemCode::InvalidRequest,
                "The body broke off; send the request again.",
            )
        })?;
        if body.len() + chunk.len() > MOST_BYTES {
            return Err(Problem::new(
                ProblemCode::PayloadTooLarge,
                format!("The body is larger than {MOST_BYTES} bytes, which Dataverse never sends."),
            ));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn kept_headers(request: &HttpRequest) -> serde_json::Value {
    let kept = KEPT_HEADERS.iter().filter_map(|name| {
        let value = request.headers().get(name)?.to_str().ok()?;
        Some((name.to_string(), value.into()))
    });
    serde_json::Value::Object(kept.collect())
}
