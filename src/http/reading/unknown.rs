//! Query parameters that an operation does not have. They are refused, because a filter that is misspelt and ignored shows
//! everything. What there is, is read from the route table's document, so that whatever is documented is taken and
//! nothing else.

use actix_web::dev::ServiceRequest;
use actix_web::web::Data;
use url::form_urlencoded;

use crate::http::document::Operations;
use crate::http::problem::{Outcome, Problem};

/// Characters of an unknown name that are repeated.
const LONGEST_QUOTE: usize = 60;

/// # Errors
/// When the query of a request names a parameter that its operation does not have.
pub fn refuse_unknown_parameters(request: &ServiceRequest) -> Outcome<()> {
    let query = request.query_string();
    if query.is_empty() {
        return Ok(());
    }
    let operations = request.app_data::<Data<Operations>>();
    let pattern = request.match_pattern();
    let (Some(operations), Some(pattern)) = (operations, pattern) else {
        return Ok(());
    };
    let Some(operation) = operations.iter().find(|operation| {
        operation.path == pattern && operation.method == request.method().as_str()
    }) else {
        return Ok(());
    };
    let known = &operation.query;
    let unknown = form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| !known.iter().any(|known| known == name.as_ref()));
    let Some((name, _)) = unknown else {
        return Ok(());
    };
    let name: String = name.chars().take(LONGEST_QUOTE).collect();
    Err(Problem::invalid(if known.is_empty() {
        format!("There is no query parameter `{name}` here; this operation has none.")
    } else {
        format!(
            "There is no query parameter `{name}` here; there are: {}.",
            known.join(", ")
        )
    }))
}
