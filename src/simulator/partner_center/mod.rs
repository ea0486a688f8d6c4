//! The stand-in for Partner Center (CSP): customers, their profiles and subscriptions. Read-only, as the product is so far.

mod customer;
mod errors;
mod listing;
mod quirks;
mod subscription;

use actix_web::http::{Method, StatusCode};
use uuid::Uuid;

use super::credentials;
use super::entra::by_object_id;
use super::exchange::{Answer, Call};
use super::simulation::{Simulation, TokenProblem};
use super::world::{Customer, World};

pub(super) use errors::Problem;
pub(super) use listing::{BEHIND_THE_END, Continuation, page_number};

/// What a request wants.
#[derive(Debug, Clone, Copy)]
enum Wanted<'c> {
    List,
    Customer(&'c str),
    CompanyProfile(&'c str),
    BillingProfile(&'c str),
    Subscriptions(&'c str),
    Subscription(&'c str, &'c str),
    AddOns(&'c str, &'c str),
    RelationshipRequest,
    Domain(&'c str),
}

impl Wanted<'_> {
    const fn operation(self) -> &'static str {
        match self {
            Self::List => "list-customers",
            Self::Customer(_) => "customer-by-id",
            Self::CompanyProfile(_) | Self::BillingProfile(_) => "customer-profile",
            Self::Subscriptions(_) => "list-subscriptions",
            Self::Subscription(..) => "subscription-by-id",
            Self::AddOns(..) => "subscription-add-ons",
            Self::RelationshipRequest => "relationship-request",
            Self::Domain(_) => "domain-exists",
        }
    }
}

fn wanted<'c>(method: &Method, segments: &[&'c str]) -> Option<Wanted<'c>> {
    Some(match (method, segments) {
        (&Method::GET, ["v1", "customers"]) => Wanted::List,
        (&Method::GET, ["v1", "customers", "relationshiprequests"]) => Wanted::RelationshipRequest,
        (&Method::GET, ["v1", "customers", id]) => Wanted::Customer(id),
        (&Method::GET, ["v1", "customers", id, "profiles", "company"]) => {
            Wanted::CompanyProfile(id)
        }
        (&Method::GET, ["v1", "customers", id, "profiles", "billing"]) => {
            Wanted::BillingProfile(id)
        }
        (&Method::GET, ["v1", "customers", id, "subscriptions"]) => Wanted::Subscriptions(id),
        (&Method::GET, ["v1", "customers", id, "subscriptions", one]) => {
            Wanted::Subscription(id, one)
        }
        (&Method::GET, ["v1", "customers", id, "subscriptions", one, "addons"]) => {
            Wanted::AddOns(id, one)
        }
        (&Method::HEAD | &Method::GET, ["v1", "domains", domain]) => Wanted::Domain(domain),
        _ => return None,
    })
}

/// The operation a request is counted under; `None` when the path is not Partner Center's.
pub(super) fn operation(call: &Call) -> Option<&'static str> {
    let segments = call.segments();
    if segments.first() != Some(&"v1") {
        return None;
    }
    Some(wanted(&call.method, &segments).map_or("unknown", Wanted::operation))
}

/// Answers a request.
pub(super) fn answer(simulation: &Simulation, call: &Call) -> Answer {
    let answer = match respond(simulation, call) {
        Ok(answer) => answer,
        Err(problem) => problem.answer(),
    };
    with_ids(simulation, call, with_compliance(simulation, call, answer))
}

/// Says whether the caller gave a second factor, when it asks: an application has none to give.
fn with_compliance(simulation: &Simulation, call: &Call, answer: Answer) -> Answer {
    let asked = call
        .header("validatemfa")
        .is_some_and(|asked| asked.eq_ignore_ascii_case("true"));
    let audiences = [credentials::PARTNER_CENTER_RESOURCE, &call.origin];
    match simulation.claims(call, &audiences) {
        Ok(claims) if asked && claims.scp.is_some() => {
            let compliant = claims.amr.iter().any(|method| method == "mfa");
            answer.with("ismfacompliant", if compliant { "true" } else { "false" })
        }
        _ => answer,
    }
}

/// The same link for every customer.
fn relationship_request() -> Answer {
    let body = serde_json::json!({
        "url": "https://admin.microsoft.com/Adminportal/Home?invType=ResellerRelationship&partnerId=simulated",
        "attributes": { "objectType": "CustomerRelationshipRequest" },
    });
    Answer::json(StatusCode::OK, &body)
}

fn respond(simulation: &Simulation, call: &Call) -> Result<Answer, Problem> {
    if let Some(seconds) = simulation
        .provider_throttle
        .refuse(simulation.context.now())
    {
        return Err(Problem::Throttled(seconds));
    }
    let audiences = [
        credentials::PARTNER_CENTER_RESOURCE,
        credentials::PARTNER_CENTER_APP,
        &call.origin,
    ];
    let claims = simulation
        .claims(call, &audiences)
        .map_err(|problem| match problem {
            TokenProblem::Audience => Problem::Audience,
            TokenProblem::Missing | TokenProblem::Unreadable | TokenProblem::Expired => {
                Problem::Token
            }
        })?;
    let person = claims.scp.as_ref().and(by_object_id(&claims.oid));
    let no_role = claims.scp.is_some() && !person.is_some_and(|person| person.admin_agent);
    if claims.tid != credentials::PARTNER_TENANT_ID || no_role {
        return Err(Problem::NoRights);
    }
    let segments = call.segments();
    match wanted(&call.method, &segments).ok_or(Problem::NoSuchResource)? {
        Wanted::List => listing::page(simulation, call),
        Wanted::Customer(id) => by_id(simulation, id, customer::details),
        Wanted::CompanyProfile(id) => by_id(simulation, id, customer::company),
        Wanted::BillingProfile(id) => by_id(simulation, id, customer::billing),
        Wanted::Subscriptions(id) => of_customer(simulation, id, subscription::list),
        Wanted::AddOns(id, parent) => of_customer(simulation, id, |world, place, known| {
            subscription::add_ons(world, place, known, parent)
        }),
        Wanted::Subscription(id, one) => of_customer(simulation, id, |world, place, known| {
            subscription::one(world, place, known, one)
                .unwrap_or_else(|| Problem::NoSuchSubscription.answer())
        }),
        Wanted::RelationshipRequest if person.is_none() => Err(Problem::AppOnly),
        Wanted::RelationshipRequest => Ok(relationship_request()),
        Wanted::Domain(domain) => Ok(domain_exists(simulation, domain)),
    }
}

fn by_id(
    simulation: &Simulation,
    id: &str,
    show: impl FnOnce(u64, u32, &Customer) -> Answer,
) -> Result<Answer, Problem> {
    of_customer(simulation, id, |world, place, customer| {
        show(world.seed, place, customer)
    })
}

fn of_customer(
    simulation: &Simulation,
    id: &str,
    show: impl FnOnce(&World, u32, &Customer) -> Answer,
) -> Result<Answer, Problem> {
    let id = Uuid::parse_str(id).map_err(|_| Problem::NoSuchCustomer)?;
    simulation
        .world
        .read(|world| match world.customers.get(id) {
            Some((place, customer)) => Ok(show(world, place, customer)),
            None => Err(Problem::NoRelationship(id)),
        })
}

/// 200 says that the domain is taken, 404 that it is free.
fn domain_exists(simulation: &Simulation, domain: &str) -> Answer {
    let taken = simulation.world.read(|world| {
        world.customers.from(0).any(|(_, customer)| {
            customer.default_domain().eq_ignore_ascii_case(domain)
                || customer
                    .custom_domains()
                    .any(|own| own.eq_ignore_ascii_case(domain))
        })
    });
    Answer::empty(if taken {
        StatusCode::OK
    } else {
        StatusCode::NOT_FOUND
    })
}

/// Request and correlation ids come back; those not sent are made up.
fn with_ids(simulation: &Simulation, call: &Call, answer: Answer) -> Answer {
    let echoed = |name: &str| {
        call.header(name)
            .map_or_else(|| simulation.context.new_uuid().to_string(), str::to_owned)
    };
    let request = echoed("ms-requestid");
    answer
        .with("ms-requestid", &request)
        .with("ms-correlationid", &echoed("ms-correlationid"))
        .with(
            "ms-cv",
            &format!("{}.0", request.chars().take(16).collect::<String>()),
        )
        .with("ms-serverid", "simulated")
        .with("x-locale", "en-US,en-US")
}
