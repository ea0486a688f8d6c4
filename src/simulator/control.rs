//! The control API under `/_simulator/`: switches faults, shows statistics, changes the world and tells the truth. It has no
//! authentication: a simulator holds nothing that is worth protecting, and is not to be reachable from outside.

use actix_web::http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::credentials;
use super::entra::PEOPLE;
use super::exchange::{Answer, Call};
use super::faults::{self, Fault};
use super::simulation::Simulation;
use super::webhooks::WebhookEndpoint;
use super::world::Change;
use crate::domain::provider_account::ExternalId;

/// Where it lives.
pub(super) const PREFIX: &str = "/_simulator";

/// The changes, each with its fields.
const CHANGES: &[&str] = &[
    "add-customer: name, defaultDomain, customDomains, email, truth",
    "rename-customer: customer, name",
    "remove-customer: customer",
    "set-relationship: customer, relationship",
    "set-default-domain: customer, domain",
    "set-custom-domains: customer, domains",
    "set-truth: customer, account",
    "change-subscription: customer, subscription, fields",
    "add-account: name, website, email, parent, customer",
    "rename-account: account, name",
    "set-website: account, website",
    "set-active: account, active",
    "delete-account: account",
    "merge-accounts: account, into",
    "add-contact: account, givenName, familyName, email",
    "move-contact: contact, account",
    "set-contact-email: contact, email",
    "delete-contact: contact",
];

/// Answers a request to the control API.
pub(super) fn answer(simulation: &Simulation, call: &Call) -> Answer {
    let segments = call.segments();
    let path = segments.get(1..).unwrap_or_default();
    match (&call.method, path) {
        (&Method::GET, []) => Answer::json(StatusCode::OK, &overview(simulation, call)),
        (&Method::GET, ["statistics"]) => Answer::json(StatusCode::OK, &statistics(simulation)),
        (&Method::GET, ["requests"]) => {
            Answer::json(StatusCode::OK, &simulation.statistics.latest())
        }
        (&Method::DELETE, ["statistics"]) => {
            simulation.statistics.reset();
            Answer::empty(StatusCode::NO_CONTENT)
        }
        (&Method::GET, ["faults"]) => Answer::json(StatusCode::OK, &simulation.faults.list()),
        (&Method::POST, ["faults"]) => add_fault(simulation, call),
        (&Method::DELETE, ["faults"]) => {
            simulation.faults.clear();
            Answer::empty(StatusCode::NO_CONTENT)
        }
        (&Method::DELETE, ["faults", id]) => match id.parse() {
            Ok(id) if simulation.faults.remove(id) => Answer::empty(StatusCode::NO_CONTENT),
            _ => refuse(
                StatusCode::NOT_FOUND,
                "there is no such fault; GET /_simulator/faults lists them",
            ),
        },
        (&Method::GET, ["webhooks"]) => Answer::json(StatusCode::OK, &webhooks(simulation)),
        (&Method::POST, ["webhooks"]) => register(simulation, call),
        (&Method::DELETE, ["webhooks"]) => {
            simulation.world.webhooks().unregister_all();
            Answer::empty(StatusCode::NO_CONTENT)
        }
        (&Method::POST, ["changes"]) => change(simulation, call),
        (&Method::POST, ["entra", "revoke-sessions", upn]) => revoke(simulation, upn),
        (&Method::POST, ["entra", "rotate-keys"]) => rotate(simulation, call),
        (&Method::GET, ["truth"]) => Answer::json(StatusCode::OK, &truths(simulation)),
        (&Method::GET, ["truth", id]) => truth(simulation, id),
        _ => refuse(
            StatusCode::NOT_FOUND,
            "GET /_simulator/ shows what there is",
        ),
    }
}

fn overview(simulation: &Simulation, call: &Call) -> Value {
    let counts = simulation.world.read(|world| {
        json!({
            "customers": world.customer_count(),
            "accounts": world.account_count(),
            "contacts": world.contact_count(),
        })
    });
    let faults: Vec<Value> = faults::one_of_each()
        .iter()
        .map(|kind| {
            let mut example = json!(kind);
            if let Some(fields) = example.as_object_mut() {
                fields.insert("meaning".to_owned(), kind.meaning().into());
            }
            example
        })
        .collect();
    let settings: Map<String, Value> = credentials::settings(&call.origin)
        .into_iter()
        .map(|(key, value)| (format!("PROVIDER_BRIDGE__{key}"), value.into()))
        .collect();
    json!({
        "world": counts,
        "connect": { "settings": settings, "POST /v1/providers": credentials::provider_body() },
        "faultKinds": faults,
        "changeKinds": CHANGES,
        "example": {
            "upstream": "dataverse", "kind": "too-many-requests", "seconds": 5,
            "operation": "list-accounts", "fromRequest": 2, "times": 3, "forSeconds": 60,
        },
        "paths": {
            "GET, DELETE /_simulator/statistics": "requests by upstream and operation",
            "GET /_simulator/requests": "the latest requests one by one",
            "POST /_simulator/faults": "switch a fault on: upstream (entra, partner-center, dataverse) and kind, and where it shall not hit every request operation, fromRequest, times, forSeconds",
            "GET /_simulator/faults": "the faults that are on, and how often they hit",
            "DELETE /_simulator/faults, /_simulator/faults/{id}": "switch all faults off, or one",
            "POST /_simulator/changes": "change the world: change and its fields, as changeKinds names them",
            "POST /_simulator/webhooks": "post changes of accounts and contacts: url, authentication (kind http-header, webhook-key or http-query-string; name, value)",
            "GET, DELETE /_simulator/webhooks": "the endpoints and what was posted, or no endpoint any more",
            "POST /_simulator/entra/revoke-sessions/{upn}": "end every session of one who signed in",
            "POST /_simulator/entra/rotate-keys?drop=true": "sign with a new key, and drop the former",
            "GET /_simulator/truth, /_simulator/truth/{customer}": "which customer is which account",
        },
    })
}

fn statistics(simulation: &Simulation) -> Value {
    let mut upstreams = Map::new();
    for (upstream, operation, count) in simulation.statistics.counts() {
        let name = serde_json::to_value(upstream).ok();
        let name = name.as_ref().and_then(Value::as_str).unwrap_or_default();
        let entry = upstreams
            .entry(name)
            .or_insert_with(|| json!({ "requests": 0, "operations": {} }));
        let all = entry
            .get("requests")
            .and_then(Value::as_u64)
            .unwrap_or_default();
        if let Some(fields) = entry.as_object_mut() {
            fields.insert("requests".to_owned(), (all + count.requests).into());
            if let Some(Value::Object(operations)) = fields.get_mut("operations") {
                operations.insert(operation.to_owned(), json!(count));
            }
        }
    }
    upstreams.into()
}

fn add_fault(simulation: &Simulation, call: &Call) -> Answer {
    match serde_json::from_slice::<Fault>(&call.body) {
        Ok(fault) => {
            let id = simulation.faults.add(fault, simulation.context.now());
            Answer::json(StatusCode::CREATED, &json!({ "id": id }))
        }
        Err(error) => refuse(
            StatusCode::BAD_REQUEST,
            &format!("this is no fault: {error}"),
        ),
    }
}

fn webhooks(simulation: &Simulation) -> Value {
    let webhooks = simulation.world.webhooks();
    json!({ "endpoints": webhooks.list(), "posted": webhooks.posted() })
}

fn register(simulation: &Simulation, call: &Call) -> Answer {
    match serde_json::from_slice::<WebhookEndpoint>(&call.body) {
        Ok(endpoint) => {
            simulation.world.webhooks().register(endpoint);
            Answer::empty(StatusCode::CREATED)
        }
        Err(error) => refuse(
            StatusCode::BAD_REQUEST,
            &format!("this is no webhook endpoint: {error}"),
        ),
    }
}

fn change(simulation: &Simulation, call: &Call) -> Answer {
    let change = match serde_json::from_slice::<Change>(&call.body) {
        Ok(change) => change,
        Err(error) => {
            return refuse(
                StatusCode::BAD_REQUEST,
                &format!("this is no change: {error}"),
            );
        }
    };
    match simulation.world.change(change) {
        Ok(id) => Answer::json(StatusCode::OK, &json!({ "id": id })),
        Err(error) => refuse(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string()),
    }
}

fn revoke(simulation: &Simulation, upn: &str) -> Answer {
    match PEOPLE.iter().find(|person| person.upn == upn) {
        Some(person) => {
            simulation.grants.revoke(person, &simulation.context);
            Answer::empty(StatusCode::NO_CONTENT)
        }
        None => refuse(StatusCode::NOT_FOUND, "nobody is called so"),
    }
}

fn rotate(simulation: &Simulation, call: &Call) -> Answer {
    let drop_former = call.parameter("drop").as_deref() == Some("true");
    let id = simulation.context.new_uuid().simple().to_string();
    match simulation.keys.rotate(id, drop_former) {
        Ok(()) => Answer::empty(StatusCode::NO_CONTENT),
        Err(error) => refuse(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

fn truths(simulation: &Simulation) -> Map<String, Value> {
    simulation.world.read(|world| {
        world
            .truths()
            .map(|(customer, account)| (customer.to_string(), json!(account)))
            .collect()
    })
}

fn truth(simulation: &Simulation, id: &str) -> Answer {
    match ExternalId::parse(id) {
        Ok(id) => Answer::json(
            StatusCode::OK,
            &json!({ "account": simulation.world.truth(&id) }),
        ),
        Err(error) => refuse(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

fn refuse(status: StatusCode, text: &str) -> Answer {
    Answer::json(status, &json!({ "error": text }))
}
