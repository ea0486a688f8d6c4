//! `/docs`: a page that shows the API's own description and lets a reader try it with a key.
//!
//! The viewer is Swagger UI 5.35.0 (npm `swagger-ui-dist`, Apache-2.0), its files byte for byte as published and embedded
//! with their licences, so that the page works without the internet. It was chosen over smaller viewers because it alone
//! shows OpenAPI 3.1 under a Content-Security-Policy without any inline script or style. What would surprise: the answers carry a policy
//! of their own, which allows one thing more than the other pages: `data:` pictures, as the viewer's arrows are some.

use actix_web::http::header;
use actix_web::web::Path;
use actix_web::{HttpResponse, get};

use super::problem::{Outcome, Problem};

/// What the page may load: its own files, and the pictures inside its style sheet.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

/// Get the documentation
///
/// Gives a page that shows this API to people and lets them try it.
#[utoipa::path(
    tag = "Service",
    responses((status = 200, description = "The page.", body = String, content_type = "text/html")),
)]
#[get("/docs")]
pub(super) async fn get_documentation() -> HttpResponse {
    answer(HTML, include_bytes!("index.html"))
}

/// Get a file of the documentation
///
/// Gives what the page of the documentation loads, and the licences of its viewer.
#[utoipa::path(
    tag = "Service",
    params(("file" = String, Path, description = "Name of the file.")),
    responses(
        (status = 200, description = "The file.", body = String, content_type = "text/plain"),
        (status = 404, description = "There is no such file."),
    ),
)]
#[get("/docs/{file}")]
pub(super) async fn get_documentation_file(file: Path<String>) -> Outcome<HttpResponse> {
    let (kind, bytes): (_, &'static [u8]) = match file.as_str() {
        "start.js" => (JAVASCRIPT, include_bytes!("start.js")),
        "swagger-ui-bundle.js" => (
            JAVASCRIPT,
            include_bytes!("swagger-ui/swagger-ui-bundle.js"),
        ),
        "narrow.css" => (CSS, include_bytes!("narrow.css")),
        "swagger-ui.css" => (CSS, include_bytes!("swagger-ui/swagger-ui.css")),
        "LICENSE" => (TEXT, include_bytes!("swagger-ui/LICENSE")),
        "NOTICE" => (TEXT, include_bytes!("swagger-ui/NOTICE")),
        "swagger-ui-bundle.js.LICENSE.txt" => (
            TEXT,
            include_bytes!("swagger-ui/swagger-ui-bundle.js.LICENSE.txt"),
        ),
        _ => {
            return Err(Problem::not_found(
                "There is no such file under /docs; the page is at /docs.",
            ));
        }
    };
    Ok(answer(kind, bytes))
}

fn answer(kind: &'static str, bytes: &'static [u8]) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, kind))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CACHE_CONTROL, "public, max-age=3600"))
        .body(bytes)
}
