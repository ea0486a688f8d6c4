//! Requests that no route takes: 404, or 405 when the path exists with another method. Routes are told apart by guards, so
//! the framework alone answers 404 to both.

use actix_web::http::header::{self, HeaderValue};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::document::Operations;
use super::gate::fits;
use super::problem::{Problem, ProblemCode};

/// Answers what no route takes.
pub async fn answer(request: HttpRequest) -> HttpResponse {
    let operations = request.app_data::<Data<Operations>>();
    let mut methods: Vec<&str> = operations
        .into_iter()
        .flat_map(|operations| operations.iter())
        .filter(|operation| fits(&operation.path, request.path()))
        .map(|operation| operation.method.as_str())
        .collect();
    // Whatever answers GET answers HEAD.
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    methods.sort_unstable();
    methods.dedup();
    let problem = if methods.is_empty() {
        Problem::not_found("There is nothing at this path; /docs lists what there is.")
    } else {
        let detail = format!("This path takes {} only.", methods.join(", "));
        Problem::new(ProblemCode::MethodNotAllowed, detail)
    };
    let mut response = HttpResponse::from_error(problem);
    if let Ok(allow) = HeaderValue::try_from(methods.join(", "))
        && !methods.is_empty()
    {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}
