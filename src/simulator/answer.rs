//! From a request to an answer: finds the stand-in, lets faults have their say, keeps the statistics. Knows nothing of the
//! web server.

use std::time::Duration;

use super::exchange::{Answer, Call, Delivery, Upstream};
use super::faults::{self, FaultKind, Target};
use super::simulation::Simulation;
use super::statistics::Seen;
use super::{control, dataverse, entra, partner_center};

/// Answers a request.
pub(super) async fn answer(simulation: &Simulation, call: &Call) -> Answer {
    if call.path.starts_with(control::PREFIX) {
        return control::answer(simulation, call);
    }
    let Some((upstream, operation)) = recognise(call) else {
        return Answer::empty(actix_web::http::StatusCode::NOT_FOUND);
    };
    let now = simulation.context.now();
    let page = match upstream {
        Upstream::PartnerCenter => partner_center::page_number(call),
        Upstream::Dataverse => dataverse::page_number(call),
        Upstream::Entra => 1,
    };
    let hits = simulation.faults.hitting(&Target {
        upstream,
        operation,
        call,
        page,
        now,
    });
    for fault in &hits {
        if let FaultKind::Slow { milliseconds } = fault {
            simulation
                .context
                .sleep(Duration::from_millis(*milliseconds))
                .await;
        }
    }
    let answer = faults::replace(upstream, &hits, call, now).unwrap_or_else(|| {
        let answer = match upstream {
            Upstream::Entra => entra::answer(simulation, call, &hits),
            Upstream::PartnerCenter => partner_center::answer(simulation, call),
            Upstream::Dataverse => dataverse::answer(simulation, call),
        };
        faults::change(&hits, call, answer)
    });
    simulation
        .statistics
        .record(seen(upstream, operation, call, &answer, now));
    answer
}

/// Whose request it is, and what it wants.
fn recognise(call: &Call) -> Option<(Upstream, &'static str)> {
    if let Some(operation) = partner_center::operation(call) {
        return Some((Upstream::PartnerCenter, operation));
    }
    if let Some(operation) = dataverse::operation(call) {
        return Some((Upstream::Dataverse, operation));
    }
    entra::operation(call).map(|operation| (Upstream::Entra, operation))
}

fn seen(
    upstream: Upstream,
    operation: &'static str,
    call: &Call,
    answer: &Answer,
    at: chrono::DateTime<chrono::Utc>,
) -> Seen {
    let header = |name: &str| call.header(name).map(str::to_owned);
    let target = if call.query.is_empty() {
        call.path.clone()
    } else {
        format!("{}?{}", call.path, call.query)
    };
    Seen {
        at,
        upstream,
        operation,
        method: call.method.to_string(),
        target,
        status: (answer.delivery != Delivery::Withheld).then_some(answer.status.as_u16()),
        request_id: header("ms-requestid").or_else(|| header("client-request-id")),
        correlation_id: header("ms-correlationid"),
        if_match: header("if-match"),
        if_none_match: header("if-none-match"),
    }
}
