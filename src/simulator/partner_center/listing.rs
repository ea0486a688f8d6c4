//! `GET /v1/customers`: pages by continuation token. The token says where the page begins and, for telling whether a page
//! "fails half-way", its number. It is opaque to callers and refused when it was altered.

use actix_web::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::customer;
use super::errors::Problem;
use crate::simulator::exchange::{Answer, Call, encode};
use crate::simulator::simulation::Simulation;
use crate::simulator::world::{Customer, Place};

/// The largest page, and the one that is given when none is asked for.
const LARGEST_PAGE: usize = 500;
/// Where a token points that leads behind the end: the answer is an error with code 2000.
pub(in crate::simulator) const BEHIND_THE_END: Place = Place::MAX;

/// A place to go on from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::simulator) struct Continuation {
    pub place: Place,
    pub page: u32,
}

impl Continuation {
    /// The token.
    pub fn token(self) -> String {
        let check = self.check();
        STANDARD.encode(format!("customers|{}|{}|{check}", self.place, self.page))
    }

    /// Reads a token.
    pub fn read(token: &str) -> Option<Self> {
        let text = String::from_utf8(STANDARD.decode(token).ok()?).ok()?;
        let mut parts = text.split('|');
        let is_ours = parts.next() == Some("customers");
        let read = Self {
            place: parts.next()?.parse().ok()?,
            page: parts.next()?.parse().ok()?,
        };
        (is_ours && parts.next()?.parse() == Ok(read.check())).then_some(read)
    }

    fn check(self) -> u64 {
        (u64::from(self.place) << 16 ^ u64::from(self.page)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// The number of the page that a request asks for.
pub(in crate::simulator) fn page_number(call: &Call) -> u32 {
    continuation(call)
        .ok()
        .flatten()
        .map_or(1, |continuation| continuation.page)
}

/// A token counts only together with `seekOperation=Next`; without it the list begins anew.
fn continuation(call: &Call) -> Result<Option<Continuation>, Problem> {
    let next = call
        .parameter("seekOperation")
        .is_some_and(|seek| seek.eq_ignore_ascii_case("next"));
    match call.header("ms-continuationtoken").filter(|_| next) {
        Some(token) => Continuation::read(token)
            .map(Some)
            .ok_or(Problem::BadParameter),
        None => Ok(None),
    }
}

/// One page.
pub(super) fn page(simulation: &Simulation, call: &Call) -> Result<Answer, Problem> {
    let from = continuation(call)?.unwrap_or(Continuation { place: 0, page: 1 });
    if from.place == BEHIND_THE_END {
        return Err(Problem::EndOfList);
    }
    let asked = match call.parameter("size") {
        Some(text) => text.parse::<usize>().map_err(|_| Problem::BadParameter)?,
        None => 0,
    };
    let size = if asked == 0 {
        LARGEST_PAGE
    } else {
        asked.min(LARGEST_PAGE)
    };
    let filter = call
        .parameter("filter")
        .map(|text| Filter::parse(&text))
        .transpose()?;
    let (items, next) = simulation.world.read(|world| {
        let mut found = world
            .customers
            .from(from.place)
            .filter(|(_, customer)| filter.as_ref().is_none_or(|filter| filter.admits(customer)));
        let items: Vec<Value> = found
            .by_ref()
            .take(size)
            .map(|(_, known)| customer::listed(known))
            .collect();
        (items, found.next().map(|(place, _)| place))
    });
    let next = next.map(|place| Continuation {
        place,
        page: from.page + 1,
    });
    Ok(Answer::json(
        StatusCode::OK,
        &collection(&items, asked, next, call),
    ))
}

fn collection(items: &[Value], asked: usize, next: Option<Continuation>, call: &Call) -> Value {
    let filter = call
        .parameter("filter")
        .map_or_else(String::new, |f| format!("&filter={}", encode(&f)));
    let link =
        |uri: String, headers: Value| json!({ "uri": uri, "method": "GET", "headers": headers });
    let own = format!("/customers?size={asked}{filter}");
    let mut links = json!({ "self": link(own.clone(), json!([])) });
    let mut body = json!({ "totalCount": items.len(), "items": items });
    if let Some(next) = next {
        let token = next.token();
        let headers = json!([{ "key": "MS-ContinuationToken", "value": token }]);
        set(
            &mut links,
            "next",
            link(format!("{own}&seekOperation=Next"), headers),
        );
        set(&mut body, "continuationToken", token.into());
    }
    set(&mut body, "links", links);
    set(
        &mut body,
        "attributes",
        json!({ "objectType": "Collection" }),
    );
    body
}

fn set(object: &mut Value, key: &str, value: Value) {
    if let Value::Object(fields) = object {
        fields.insert(key.to_owned(), value);
    }
}

/// `filter={"Field":…,"Value":…,"Operator":"starts_with"}`; there is no other operator.
struct Filter {
    by_domain: bool,
    start: String,
}

impl Filter {
    fn parse(text: &str) -> Result<Self, Problem> {
        let filter: Value = serde_json::from_str(text).map_err(|_| Problem::BadParameter)?;
        let field = |name: &str| {
            filter
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let by_domain = match field("Field").as_str() {
            "CompanyName" => false,
            "Domain" => true,
            _ => return Err(Problem::BadParameter),
        };
        if !field("Operator").eq_ignore_ascii_case("starts_with") {
            return Err(Problem::BadParameter);
        }
        Ok(Self {
            by_domain,
            start: field("Value").to_lowercase(),
        })
    }

    fn admits(&self, customer: &Customer) -> bool {
        let text = if self.by_domain {
            customer.default_domain()
        } else {
            customer.name()
        };
        text.to_lowercase().starts_with(&self.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_and_an_altered_one_is_refused() {
        let continuation = Continuation {
            place: 500,
            page: 2,
        };
        assert_eq!(
            Continuation::read(&continuation.token()),
            Some(continuation)
        );
        let altered = STANDARD.encode("customers|501|2|1");
        assert_eq!(Continuation::read(&altered), None);
        assert_eq!(Continuation::read("nonsense"), None);
    }
}
