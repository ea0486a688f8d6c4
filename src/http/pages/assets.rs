//! The static files of the pages, embedded in the binary.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpResponse, get};

fn file(kind: &str, body: &'static [u8]) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, kind))
        .insert_header((CACHE_CONTROL, "public, max-age=3600"))
        .body(body)
}

#[get("/assets/page.css")]
pub(super) async fn stylesheet() -> HttpResponse {
    file("text/css; charset=utf-8", include_bytes!("assets/page.css"))
}

#[get("/assets/page.js")]
pub(super) async fn script() -> HttpResponse {
    file(
        "text/javascript; charset=utf-8",
        include_bytes!("assets/page.js"),
    )
}

#[get("/assets/htmx.min.js")]
pub(super) async fn htmx() -> HttpResponse {
    file(
        "text/javascript; charset=utf-8",
        include_bytes!("assets/htmx.min.js"),
    )
}

#[get("/assets/icon.png")]
pub(super) async fn icon() -> HttpResponse {
    file("image/png", include_bytes!("assets/icon.png"))
}
