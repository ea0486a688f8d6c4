//! Faults that answer in place of the upstream.

use std::time::{Duration, SystemTime};

use actix_web::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::kind::{FaultKind, RetryAfter, ThrottleBody};
use crate::simulator::exchange::{Answer, Call, Delivery, Upstream};
use crate::simulator::{dataverse, partner_center};

/// The answer of the first fault that has one.
pub(in crate::simulator) fn replace(
    upstream: Upstream,
    faults: &[FaultKind],
    call: &Call,
    now: DateTime<Utc>,
) -> Option<Answer> {
    faults
        .iter()
        .find_map(|fault| answer(upstream, fault, call, now))
}

fn answer(
    upstream: Upstream,
    fault: &FaultKind,
    call: &Call,
    now: DateTime<Utc>,
) -> Option<Answer> {
    use partner_center::Problem;
    let unauthorised = |problem: Problem| match upstream {
        Upstream::PartnerCenter => problem.answer(),
        _ => dataverse::challenge(call),
    };
    Some(match fault {
        FaultKind::TooManyRequests {
            body,
            retry_after,
            seconds,
        } => {
            let answer = throttled(upstream, *body, *seconds);
            match retry_after_text(*retry_after, *seconds, now) {
                Some(text) => answer.with("retry-after", &text),
                None => answer,
            }
        }
        FaultKind::ServerError { status } | FaultKind::PageFails { status, .. } => {
            server_error(upstream, status_of(*status))
        }
        FaultKind::ErrorPage { status } => {
            let status = status_of(*status);
            let page = format!(
                "<html><head><title>{status}</title></head><body><h1>{status}</h1><hr>proxy</body></html>"
            );
            Answer {
                status,
                body: page.into(),
                ..Answer::default()
            }
            .with("content-type", "text/html")
        }
        FaultKind::TimeOut => Answer {
            delivery: Delivery::Withheld,
            ..Answer::default()
        },
        FaultKind::ExpiredToken | FaultKind::RevokedToken => unauthorised(Problem::Token),
        FaultKind::WrongAudience => unauthorised(Problem::Audience),
        FaultKind::MultiFactorMissing => unauthorised(Problem::MultiFactor),
        FaultKind::EntraError { error, code } => entra_error(error, *code),
        FaultKind::EndOfListErrorAtStart => Problem::EndOfList.answer(),
        FaultKind::DeltaTokenExpired => dataverse::Refusal::expired_delta().answer(),
        FaultKind::StaleTag if upstream == Upstream::PartnerCenter => Problem::StaleTag.answer(),
        FaultKind::StaleTag => dataverse::Refusal::stale_tag().answer(),
        _ => return None,
    })
}

fn status_of(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn throttled(upstream: Upstream, body: ThrottleBody, seconds: u32) -> Answer {
    let status = StatusCode::TOO_MANY_REQUESTS;
    match (upstream, body) {
        (Upstream::PartnerCenter, body) if body != ThrottleBody::Api => {
            let message = format!("Rate limit is exceeded. Try again in {seconds} seconds.");
            Answer::json(status, &json!({ "statusCode": 429, "message": message }))
        }
        (Upstream::PartnerCenter, _) => {
            let description = "Too many requests were made; wait before trying again.";
            let body = json!({ "code": "429", "description": description, "data": [], "source": "PartnerFD" });
            Answer::json(status, &body)
        }
        (Upstream::Dataverse, ThrottleBody::ExecutionTime) => {
            let text = "Combined execution time of incoming requests exceeded limit of 1,200,000 milliseconds over time window of 300 seconds.";
            dataverse::Refusal::new(status, "0x80072321", text).answer()
        }
        (Upstream::Dataverse, ThrottleBody::Concurrency) => {
            let text = "Number of concurrent requests exceeded the limit of 52.";
            dataverse::Refusal::new(status, "0x80072326", text).answer()
        }
        (Upstream::Dataverse, _) => dataverse::Refusal::throttled(None).answer(),
        (Upstream::Entra, _) => Answer {
            status,
            ..entra_error("temporarily_unavailable", 90055)
        },
    }
}

fn server_error(upstream: Upstream, status: StatusCode) -> Answer {
    let text = "An unexpected error occurred.";
    match upstream {
        Upstream::PartnerCenter => {
            let body =
                json!({ "code": "0", "description": text, "data": [], "source": "PartnerFD" });
            Answer::json(status, &body)
        }
        Upstream::Dataverse => dataverse::Refusal::new(status, "0x80040216", text).answer(),
        Upstream::Entra => Answer {
            status,
            ..entra_error("temporarily_unavailable", 90033)
        },
    }
}

fn entra_error(error: &str, code: u32) -> Answer {
    let body = json!({
        "error": error,
        "error_description": format!("AADSTS{code}: Simulated failure."),
        "error_codes": [code],
    });
    Answer::json(StatusCode::BAD_REQUEST, &body)
}

fn retry_after_text(form: RetryAfter, seconds: u32, now: DateTime<Utc>) -> Option<String> {
    match form {
        RetryAfter::Absent => None,
        RetryAfter::Seconds => Some(seconds.to_string()),
        RetryAfter::Date => {
            let then = now + TimeDelta::seconds(i64::from(seconds));
            let since_1970 =
                Duration::from_secs(u64::try_from(then.timestamp()).unwrap_or_default());
            Some(httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + since_1970))
        }
    }
}
